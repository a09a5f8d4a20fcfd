"""The locks hold what was asked for, with hashes, and agree with each other."""

import re
from pathlib import Path

import pytest

from tests.support.tree import REPOSITORY

FOLDER = REPOSITORY / "requirements"
GROUPS = sorted(path.stem for path in FOLDER.glob("*.in"))
# The agent's packages differ by Python version, so its .in file states the oldest that work.
EXACT = [group for group in GROUPS if group != "agent"]


def asked(group: str) -> dict[str, str]:
    """Name -> version of every line of an .in file; all of them are pinned exactly."""
    lines = [line.strip() for line in (FOLDER / f"{group}.in").read_text().splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    pinned = [re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", line) for line in wanted]
    assert all(pinned), f"{group}.in has a line without an exact version"
    return {normal(m[1]): m[2] for m in pinned if m}


def entries(group: str) -> list[tuple[str, str]]:
    """Name and version of every entry of a lock that carries hashes."""
    found = re.findall(
        r"^([\w.-]+)==(\S+)[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}[^\n]*\n?)+)",
        (FOLDER / f"{group}.lock").read_text(),
        flags=re.MULTILINE,
    )
    return [(normal(name), version) for name, version, _ in found]


def locked(group: str) -> dict[str, set[str]]:
    """Name -> versions; a package may have one for older and one for newer Pythons."""
    versions: dict[str, set[str]] = {}
    for name, version in entries(group):
        versions.setdefault(name, set()).add(version)
    return versions


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_agents_lock_holds_what_it_asks_for() -> None:
    lines = (FOLDER / "agent.in").read_text().splitlines()
    names = {normal(re.split(r"[<>=; ]", line)[0]) for line in lines if line[:1].isalpha()}

    assert names == {"blake3", "cryptography", "pynacl", "websockets", "setproctitle"}
    assert names <= locked("agent").keys()


@pytest.mark.parametrize("group", EXACT)
def test_a_lock_holds_exactly_what_was_asked_for(group: str) -> None:
    lock = locked(group)

    assert {name: lock.get(name) for name in asked(group)} == {
        name: {version} for name, version in asked(group).items()
    }


@pytest.mark.parametrize("group", GROUPS)
def test_every_line_of_a_lock_belongs_to_a_hashed_entry(group: str) -> None:
    pins = re.findall(r"^[\w.-]+==", (FOLDER / f"{group}.lock").read_text(), flags=re.MULTILINE)

    assert len(pins) == len(entries(group)) > 0


def test_runtime_and_development_agree_on_every_version() -> None:
    runtime, dev = locked("runtime"), locked("dev")

    assert {n: dev[n] for n in runtime.keys() & dev.keys()} == {
        n: runtime[n] for n in runtime.keys() & dev.keys()
    }


def test_the_two_distributions_of_casbin_never_meet() -> None:
    """`casbin` and `pycasbin` own the same folder and overwrite each other."""
    assert "pycasbin" in locked("runtime")
    assert not [g for g in GROUPS if "casbin" in locked(g)]


def test_every_lock_has_its_source() -> None:
    assert {p.stem for p in Path(FOLDER).glob("*.lock")} == set(GROUPS)

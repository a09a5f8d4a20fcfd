"""Nothing about one machine, one registry or an unnumbered promise is ever committed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import REPOSITORY, tracked_files

# Written in pieces, so that this file does not contain what it refuses.
REGISTRIES = [
    "pypi" + r"\.org",
    "pythonhosted" + r"\.org",
    "npmjs" + r"\.(org|com)",
    "yarnpkg" + r"\.com",
    "npmmirror" + r"\.com",
    "debian" + r"\.org/debian",
    "index-" + "url *=",
    "tuna" + r"\.tsinghua",
]
MACHINE_PATHS = [
    r"(?<![\w.])/(home|Users)/[a-z]\w*/",
    r"(?<![\w.])/ro" + r"ot/\w",
    r"(?<![\w./])/wo" + r"rk/(main|shared)",
    "/tmp/" + "plan",
]
PROMISES = [r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b(?!\(#\d+\))"]

TEXT = {
    ".py", ".toml", ".md", ".yml", ".yaml", ".json", ".ts", ".vue", ".mjs", ".js", ".css", ".html",
    ".sh", ".in", ".lock", ".txt", ".cfg", ".ini", ".sql", ".conf", ".service", ".mako", "",
}  # fmt: skip
# Words that a lock file may hold by chance.
LOCKS = {"package-lock.json"}


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked_files():
        if path.suffix in TEXT or path.name.startswith("."):
            yield path, (REPOSITORY / path).read_text(encoding="utf-8", errors="replace")


def found(patterns: list[str]) -> list[str]:
    pattern = re.compile("|".join(f"(?:{p})" for p in patterns))
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert not found(REGISTRIES)


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not found(MACHINE_PATHS)


def test_every_open_promise_has_a_number() -> None:
    """TO-DO notes are written with the number of their issue: `TO` + `DO(#12)`."""
    assert not [line for line in found(PROMISES) if not line.startswith(tuple(LOCKS))]


@pytest.mark.parametrize(
    ("patterns", "text"),
    [
        (REGISTRIES, "https://" + "pypi" + ".org/simple"),
        (REGISTRIES, "https://registry." + "npmjs" + ".org/vue"),
        (MACHINE_PATHS, '"/ho' + 'me/ann/opsjob"'),
        (PROMISES, "# TO" + "DO: later"),
    ],
)
def test_the_patterns_find_what_they_refuse(patterns: list[str], text: str) -> None:
    assert any(re.search(pattern, text) for pattern in patterns)


def test_a_promise_with_a_number_is_fine() -> None:
    assert not re.search(PROMISES[0], "# TO" + "DO(#12): when the second database exists")

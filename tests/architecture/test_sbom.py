"""The list of parts names everything that the locks install, and no address of a registry."""

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.architecture.test_requirements import entries
from tests.support.tree import REPOSITORY

RELEASED = ("runtime", "cloud", "agent")


@cache
def written() -> str:
    """What `make sbom` writes."""
    program = REPOSITORY / "requirements" / "sbom.py"
    done = subprocess.run(
        [sys.executable, "-I", str(program)], capture_output=True, text=True, check=True
    )
    return done.stdout


def components() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(written())["components"]
    return found


def of_group(group: str) -> list[dict[str, object]]:
    mark = {"name": "opsjob:part-of", "value": group}
    return [each for each in components() if mark in each["properties"]]  # type: ignore[operator]  # JSON


@pytest.mark.parametrize("group", RELEASED)
def test_every_entry_of_a_lock_is_a_part_with_its_hashes(group: str) -> None:
    locked = entries(group)

    found = of_group(group)

    assert locked
    assert {(str(e["name"]), str(e["version"])) for e in found} == set(locked)
    text = (REPOSITORY / "requirements" / f"{group}.lock").read_text()
    wanted = set(re.findall(r"sha256:([0-9a-f]{64})", text))
    listed = {str(h["content"]) for e in found for h in e["hashes"]}  # type: ignore[attr-defined]  # JSON
    assert wanted <= listed


def test_every_package_of_the_console_is_a_part() -> None:
    lock = json.loads((REPOSITORY / "frontend/package-lock.json").read_text())["packages"]
    wanted = {
        (entry.get("name") or place.rpartition("node_modules/")[2], entry["version"])
        for place, entry in lock.items()
        if place and not entry.get("dev")
    }

    found = {
        ("/".join(filter(None, (str(e.get("group", "")), str(e["name"])))), e["version"])
        for e in of_group("console")
    }

    assert wanted
    assert found - wanted == {("swagger-ui-dist", lock["node_modules/swagger-ui-dist"]["version"])}
    assert wanted <= found


def test_it_is_cyclonedx_and_says_what_it_is_of() -> None:
    document = json.loads(written())

    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", document["serialNumber"])
    assert document["metadata"]["component"]["name"] == "opsjob"
    refs = [each["bom-ref"] for each in document["components"]]
    assert len(set(refs)) == len(refs)
    assert document["dependencies"][0]["dependsOn"] == refs
    assert all(each["type"] == "library" and each["purl"] for each in document["components"])


def test_no_address_of_a_registry_stands_in_it() -> None:
    addresses = set(re.findall(r"\w+://[^\"\s]+", written()))

    assert addresses == {"http://cyclonedx.org/schema/bom-1.6.schema.json"}
    assert str(REPOSITORY) not in written()


def test_tools_of_checks_and_builds_are_no_parts() -> None:
    urls = {str(each["purl"]).partition("@")[0] for each in components()}
    released = {name for group in RELEASED for name, _ in entries(group)}
    tools = {name for group in ("dev", "installer", "node") for name, _ in entries(group)}

    assert tools - released
    assert not urls & {f"pkg:pypi/{name}" for name in tools - released}

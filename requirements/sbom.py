"""Lists the parts of a release as CycloneDX 1.6 in JSON, from the locks alone.

Needs nothing but Python's own library and no network; the same locks give the same bytes. Parts
are those of the platform (runtime), of an object store (cloud), of the agent, and of the console.
What only checks and builds use (dev, installer, node) is no part of a release and is left out.
"""

import json
import re
import sys
import tomllib
import uuid
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
GROUPS = ("runtime", "cloud", "agent")
SERVED = {"swagger-ui-dist"}
"""The lock calls it a tool, but its files are served with the console."""
ENTRY = re.compile(
    r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?: *; *([^\\\n]+?))? *\\?\n"
    r"((?: +--hash=sha256:[0-9a-f]{64} *\\?\n)+)",
    re.MULTILINE,
)
HASH = re.compile(r"sha256:([0-9a-f]{64})")

Part = dict[str, object]


def python_parts(group: str) -> Iterator[tuple[str, Part]]:
    """The packages of one lock, by package URL."""
    text = (ROOT / "requirements" / f"{group}.lock").read_text("utf-8")
    for name, version, marker, hashes in ENTRY.findall(text):
        plain = re.sub(r"[-_.]+", "-", name).lower()
        about = [{"name": "opsjob:part-of", "value": group}]
        if marker:
            about.append({"name": "opsjob:only-if", "value": marker.strip()})
        yield (
            f"pkg:pypi/{plain}@{quote(version)}",
            {
                "type": "library",
                "name": plain,
                "version": version,
                "scope": "required" if group != "cloud" else "optional",
                "hashes": [
                    {"alg": "SHA-256", "content": each} for each in sorted(HASH.findall(hashes))
                ],
                "properties": about,
            },
        )


def _licensed(expression: str | None) -> Part:
    return {"licenses": [{"expression": expression}]} if expression else {}


def console_parts() -> Iterator[tuple[str, Part]]:
    """The packages that are built into the console."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text("utf-8"))
    for place, entry in lock["packages"].items():
        name = entry.get("name") or place.rpartition("node_modules/")[2]
        is_built_in = not entry.get("dev") or name in SERVED
        if not place or entry.get("link") or not is_built_in:
            continue
        version = quote(entry["version"], safe="")
        algorithm, _, digest = entry["integrity"].partition("-")
        scope, _, last = name.rpartition("/")
        yield (
            "pkg:npm/" + "/".join(quote(each, safe="") for each in name.split("/")) + f"@{version}",
            {
                "type": "library",
                **({"group": scope} if scope else {}),
                "name": last,
                "version": entry["version"],
                "scope": "optional" if entry.get("optional") else "required",
                **_licensed(entry.get("license")),
                "hashes": [
                    {
                        "alg": algorithm.upper().replace("SHA", "SHA-"),
                        "content": b64decode(digest).hex(),
                    }
                ],
                "properties": [{"name": "opsjob:part-of", "value": "console"}],
            },
        )


def parts() -> dict[str, Part]:
    """Every part once; what several groups contain says so."""
    found: dict[str, Part] = {}
    every = (each for group in GROUPS for each in python_parts(group))
    for url, part in [*every, *console_parts()]:
        known = found.setdefault(url, {**part, "purl": url, "bom-ref": url})
        if known["properties"] is not part["properties"]:
            for name in ("properties", "hashes"):
                mine, more = known[name], part[name]
                assert isinstance(mine, list)
                assert isinstance(more, list)
                known[name] = mine + [each for each in more if each not in mine]
            if part["scope"] == "required":
                known["scope"] = "required"
    return dict(sorted(found.items()))


def bill(product: Mapping[str, str]) -> dict[str, object]:
    """The whole document."""
    components = parts()
    own = f"pkg:generic/{product['name']}@{product['version']}"
    document: dict[str, object] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": product["name"],
                "version": product["version"],
                "description": product["description"],
                "licenses": [{"license": {"id": product["license"]}}],
                "purl": own,
                "bom-ref": own,
            }
        },
        "components": list(components.values()),
        "dependencies": [{"ref": own, "dependsOn": list(components)}],
    }
    name = json.dumps(document, sort_keys=True)
    return {"serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}", **document}


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    json.dump(bill(project), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")

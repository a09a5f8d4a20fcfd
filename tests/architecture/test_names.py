"""Names tell where a thing lives; drawers for leftovers do not exist."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.tree import (
    PACKAGES,
    REPOSITORY,
    Source,
    imported_modules,
    sources,
    tracked_files,
)

REFUSED = {"utils", "util", "helpers", "helper", "common", "core", "base", "misc", "shared"} | {
    "manager",
    "managers",
    "handler",
    "handlers",
}
SERVICES = {"auth", "hosts", "execution"}
COMPOSITION = {"cli", "embedded", "registry"}
TOP_LEVEL = {
    "services", "libs", "gateway", "agent", "frontend", "deploy", "docs", "bench", "tests",
    "requirements", ".ci",
}  # fmt: skip
TOP_FILES = {
    "LICENSE", "Makefile", "README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md",
    "pyproject.toml", "docker-compose.yml", ".gitignore", ".dockerignore", ".env.example",
}  # fmt: skip


def refused_parts(path: Path) -> set[str]:
    """Words of a path that say nothing about its content."""
    return REFUSED & {part.partition(".")[0].lower() for part in path.parts}


@pytest.mark.parametrize(
    "name", ["services/hosts/utils.py", "libs/common/x.py", "tests/support/helpers.py"]
)
def test_a_drawer_for_leftovers_is_recognised(name: str) -> None:
    assert refused_parts(Path(name))


def test_no_module_is_named_like_a_drawer() -> None:
    code = [p for p in tracked_files() if p.suffix in (".py", ".ts", ".vue", ".mjs")]

    assert code
    assert not [str(path) for path in code if refused_parts(path)]


def test_the_top_level_is_the_architecture() -> None:
    folders = {p.parts[0] for p in tracked_files() if len(p.parts) > 1}
    files = {p.name for p in tracked_files() if len(p.parts) == 1}

    assert folders <= TOP_LEVEL
    assert files <= TOP_FILES


def test_services_holds_contexts_and_the_composition_only() -> None:
    inside = {s.path.parts[1].removesuffix(".py") for s in sources("services")}

    assert inside - {"__init__"} == SERVICES | COMPOSITION


def test_a_path_in_a_service_has_at_most_one_feature_folder() -> None:
    deep = [
        s.name
        for s in sources("services")
        if s.path.parts[1] in SERVICES
        and "migrations" not in s.path.parts
        and len(s.path.parts) > 4
    ]

    assert not deep


def test_a_feature_folder_has_a_brain_of_its_own() -> None:
    """Decision 0006: routes are optional, use cases are not."""
    folders = {
        s.path.parent
        for s in sources("services")
        if s.path.parts[1] in SERVICES
        and len(s.path.parts) == 4
        and "migrations" not in s.path.parts
    }

    assert folders
    assert not [str(f) for f in folders if not (REPOSITORY / f / "service.py").exists()]


def test_migrations_stay_outside_the_import_graph() -> None:
    for service in SERVICES:
        folder = REPOSITORY / "services" / service / "migrations"
        assert folder.is_dir(), folder
        assert not list(folder.rglob("__init__.py"))


def test_no_package_is_empty() -> None:
    """Rooms without content do not exist yet."""
    packages = {s.path.parent for s in sources(*PACKAGES) if s.path.name == "__init__.py"}
    filled = {
        parent
        for s in sources(*PACKAGES)
        if s.path.name != "__init__.py" or len(s.tree.body) > 1
        for parent in s.path.parents
    }

    assert not {str(p) for p in packages - filled}


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = [
        s.name
        for s in sources(*PACKAGES, "tests", "bench")
        if s.tree.body and not ast.get_docstring(s.tree)
    ]

    assert not silent


LATE_IMPORT = re.compile(r"# noqa: PLC0415\s+\S")


def test_an_import_inside_a_function_says_why() -> None:
    """Ruff refuses them without a mark; the mark needs a reason behind it."""
    silent = [
        f"{source.name}:{line}"
        for source in sources(*PACKAGES, "tests", "bench")
        for line, text in enumerate(source.text.splitlines(), start=1)
        if "noqa: PLC0415" in text and "LATE_IMPORT" not in text and not LATE_IMPORT.search(text)
    ]

    assert not [place for place in silent if not place.startswith("tests/architecture/")]


def environment_readers(source: Source) -> list[str]:
    """Places of a file that look at the process environment."""
    return [
        f"{source.name}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]


def test_services_and_gateways_read_the_environment_in_settings_only() -> None:
    readers = [
        place
        for source in sources("services", "gateway", "libs")
        if source.path.name != "settings.py" and source.path.parts[1] not in COMPOSITION
        for place in environment_readers(source)
    ]

    assert not readers


def test_every_test_folder_mirrors_a_folder_of_the_code() -> None:
    """`services/x/y.py` is tested in `tests/services/x/test_y.py`."""
    mirrored = {
        s.path.parent.relative_to("tests")
        for s in sources("tests")
        if s.path.name.startswith("test_") and s.path.parts[1] in PACKAGES
    }

    assert mirrored
    assert not [str(folder) for folder in mirrored if not (REPOSITORY / folder).is_dir()]


def test_only_the_kit_reads_and_signs_tokens() -> None:
    """One module knows python-jose, so the rules about algorithms and claims have one address."""
    users = [
        s.name
        for s in sources(*PACKAGES)
        if any(re.match(r"(jose|jwt)\b", module) for _, module in imported_modules(s))
    ]

    assert users == ["libs/kit/tokens.py"]

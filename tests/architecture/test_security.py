"""docs/security.md: every requirement has its row, and every test that it names exists."""

import ast
import re

import pytest

from tests.support.tree import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "security.md").read_text("utf-8")
TEST = re.compile(r"`([\w/]+\.py)((?:::\w+)+)`")
ROW = re.compile(r"^\| (S\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)


def names_in(path: str) -> set[str]:
    """The tests of a file, those in classes with their class."""
    file = REPOSITORY / "tests" / path
    if not file.exists():
        return set()
    found: set[str] = set()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, functions):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, functions)}
    return found


def missing_in(text: str) -> list[str]:
    """The tests that a text names and that do not exist."""
    named = {(path, name.removeprefix("::")) for path, name in TEST.findall(text)}
    return sorted(f"{path}::{name}" for path, name in named if name not in names_in(path))


def test_every_test_that_is_named_exists() -> None:
    assert TEST.search(DOCUMENT)
    assert not missing_in(DOCUMENT)


def test_a_test_that_does_not_exist_is_recognised() -> None:
    own = "`architecture/test_security.py::test_every_test_that_is_named_exists`"

    assert missing_in(
        f"{own}, `architecture/test_security.py::test_nothing`, `no/file.py::test`"
    ) == [
        "architecture/test_security.py::test_nothing",
        "no/file.py::test",
    ]


def test_every_requirement_has_one_row() -> None:
    assert [row[0] for row in ROW.findall(DOCUMENT)] == [f"S{number}" for number in range(1, 71)]


@pytest.mark.parametrize("row", ROW.findall(DOCUMENT), ids=lambda row: str(row[0]))
def test_a_row_names_a_test_or_says_why_not(row: tuple[str, str, str]) -> None:
    _, _, shown = row

    assert TEST.search(shown) or shown.startswith(("Not yet", "Not applicable"))

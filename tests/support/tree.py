"""The repository as files: what the architecture tests look at."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("services", "libs", "gateway", "agent")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, text and syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.as_posix()

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())


@cache
def tracked_files() -> tuple[Path, ...]:
    """Everything that is or would be committed, as paths from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return tuple(Path(name) for name in listed if name and (REPOSITORY / name).is_file())


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """All Python files below the given top-level folders."""
    return tuple(_parsed(path) for path in tracked_files() if _is_python_of(path, folders))


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, nested ones and methods too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported_modules(source: Source) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import in a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def _is_python_of(path: Path, folders: tuple[str, ...]) -> bool:
    return path.suffix == ".py" and path.parts[0] in folders


@cache
def _parsed(path: Path) -> Source:
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    return Source(path, text, ast.parse(text, filename=str(path)))

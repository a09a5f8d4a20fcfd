"""Files and functions stay small enough to be read at once."""

from pathlib import Path

from tests.support.tree import PACKAGES, REPOSITORY, functions, sources, tracked_files

FILE_LINES = 400
FUNCTION_LINES = 50
CONTRACT_LINES = 300

# Path -> reason. An exception is a decision in review, not a habit.
LONGER_FILES: dict[str, str] = {}
LONGER_FUNCTIONS: dict[str, str] = {}

WRITTEN = (*PACKAGES, "tests", "bench", "deploy")
GENERATED = ("schema.d.ts",)


def front_end_files() -> list[Path]:
    return [
        path
        for path in tracked_files()
        if path.parts[0] == "frontend"
        and path.suffix in (".ts", ".vue", ".css", ".mjs")
        and path.name not in GENERATED
    ]


def test_no_python_file_is_longer_than_400_lines() -> None:
    long = {s.name: s.lines for s in sources(*WRITTEN) if s.lines > FILE_LINES}

    assert not {name: lines for name, lines in long.items() if name not in LONGER_FILES}


def test_no_front_end_file_is_longer_than_400_lines() -> None:
    lines = {p: len((REPOSITORY / p).read_text().splitlines()) for p in front_end_files()}

    assert lines
    assert not {str(p): n for p, n in lines.items() if n > FILE_LINES}


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{source.name}:{function.name}": lines
        for source in sources(*WRITTEN)
        if "migrations" not in source.path.parts  # a migration is a list of tables, not a thought
        for function in functions(source)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }

    assert not {name: lines for name, lines in long.items() if name not in LONGER_FUNCTIONS}


def test_a_contract_of_a_context_fits_300_lines() -> None:
    contracts = [s for s in sources("libs") if s.path.parent == Path("libs/contracts")]

    assert contracts
    assert not {s.name: s.lines for s in contracts if s.lines > CONTRACT_LINES}


def test_exceptions_name_only_what_exists() -> None:
    names = {s.name for s in sources(*WRITTEN)}
    functions_seen = {f"{s.name}:{f.name}" for s in sources(*WRITTEN) for f in functions(s)}

    assert set(LONGER_FILES) <= names
    assert set(LONGER_FUNCTIONS) <= functions_seen

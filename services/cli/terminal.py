"""What reaches the terminal: text of hosts made harmless, aligned columns, JSON, questions."""

import io
import json
import os
import sys
import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len

from services.cli.failure import CommandFailed

# Letters and marks print; these categories steer terminals or hide text.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_C1_ESCAPED = {number: f"\\u{number:04x}" for number in range(0x7F, 0xA0)}


class ReaderGone(Exception):
    """Whoever read our output has enough; not an OSError, which typer would answer itself."""


def harmless(text: str) -> str:
    """The text with every control, bidirectional and invisible character made visible.

    Line feeds and tabs stay; a carriage return at the end of a line goes. A host can then not
    move the cursor, change the title or hide what it did.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(
        _visible(mark) if unicodedata.category(mark) in _UNSAFE and mark not in "\n\t" else mark
        for mark in text
    )


def _visible(mark: str) -> str:
    number = ord(mark)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def write(text: str) -> None:
    """Text on stdout, as it is. Errors of the output end the command."""
    if sys.stdout is None:
        raise CommandFailed("There is no standard output to write to.")
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise ReaderGone from None


def line(text: str = "") -> None:
    """One line on stdout."""
    write(text + "\n")


def note(text: str) -> None:
    """One line for the person, on stderr; lost quietly when nobody can read it."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
    except (OSError, ValueError):
        pass


def flush() -> None:
    """Pushes out what was written: a full disk must be noticed before the exit code is chosen."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None


def tolerate_narrow_encodings() -> None:
    """A terminal that cannot show a character gets its number instead of a traceback.

    Where the environment says UTF-8, it is UTF-8, whether that locale is installed or not.
    """
    says_utf8 = any("utf" in value.lower() for value in _locale("LC_CTYPE")[:1])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if says_utf8 else stream.encoding
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def as_json(content: object) -> None:
    """One JSON document on stdout; what could steer a terminal is escaped, as JSON allows."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    if not text.isascii() or "\x7f" in text:
        text = "".join(
            json.dumps(mark)[1:-1] if unicodedata.category(mark) in _UNSAFE - {"Cc"} else mark
            for mark in text.translate(_C1_ESCAPED)
        )
    line(text)


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under a head, aligned by display width; nothing is cut."""
    table = [[*head], *[[_cell(value) for value in row] for row in rows]]
    widths = [max(cell_len(row[index]) for row in table) for index in range(len(head))]
    for row in table:
        cells = [cell + " " * (widths[index] - cell_len(cell)) for index, cell in enumerate(row)]
        line("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    return harmless(str(value)).replace("\n", " ").replace("\t", " ")


def speaks_chinese() -> bool:
    """Whether the environment asks for Chinese."""
    return any(value.lower().startswith("zh") for value in _locale("LC_MESSAGES")[:1])


def _locale(category: str) -> list[str]:
    """What the environment says about this category, the word that counts first."""
    found = (os.environ.get(name) for name in ("LC_ALL", category, "LANG"))
    return [value for value in found if value]


def live_display() -> bool:
    """Whether output may be redrawn in place: a terminal that can, and nobody asked for less."""
    stdout = sys.stdout
    return bool(
        stdout is not None
        and stdout.isatty()
        and os.environ.get("TERM", "dumb") not in ("", "dumb")
    )

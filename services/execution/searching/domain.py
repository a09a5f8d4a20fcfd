"""What is looked for, and where it is in a block of lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import re2

from services.execution.errors import SearchPatternInvalid

PATTERN_BYTES: Final = 16 * 1024 * 1024
"""Memory for the automaton of one pattern; with less than it needs it is only slower."""
WINDOW_BYTES: Final = 4 * 1024
BEFORE_BYTES: Final = 512
"""Of a longer line so much is shown, beginning so far before the first place found."""

_ANSI: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[PX^_][^\x1b\n]*(?:\x1b\\)?"
    rb"|[ -/]*[0-~])?"
)


def plain(data: bytes) -> bytes:
    """Output without escape sequences; what stays is what a person reads. Keeps all line ends."""
    return _ANSI.sub(b"", data) if b"\x1b" in data else data


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of a block in which something was found: its place among them, and where in it."""

    line: int
    text: bytes
    spans: tuple[tuple[int, int], ...]


class Needle:
    """Text or a regular expression (RE2: linear time, whatever the pattern).

    Raises SearchPatternInvalid.
    """

    def __init__(self, text: str, *, is_regex: bool, ignores_case: bool) -> None:
        options = re2.Options()
        options.max_mem = PATTERN_BYTES
        options.never_nl = True
        options.log_errors = False
        options.case_sensitive = not ignores_case
        pattern = f"(?m){text}" if is_regex else re2.escape(text)
        try:
            self._find = re2.compile(pattern.encode(), options).finditer
        except (re2.error, UnicodeEncodeError) as error:
            reason = error.args[0] if isinstance(error, re2.error) else b"not Unicode"
            raise SearchPatternInvalid(reason=_said(reason)) from None

    def hits(self, block: bytes) -> Iterator[Hit]:
        """The lines of a block that hold it; the block ends with a line."""
        number = end = start = 0
        spans: list[tuple[int, int]] = []
        for found in self._find(block):
            first, last = found.span()
            if first >= len(block):
                break
            if first >= end:
                if spans:
                    yield Hit(number, block[start : end - 1], tuple(spans))
                    spans = []
                number += block.count(b"\n", start, first)
                start = block.rfind(b"\n", 0, first) + 1
                end = block.find(b"\n", first) + 1
            if len(spans) < 100:
                spans.append((first - start, min(last, end - 1) - start))
        if spans:
            yield Hit(number, block[start : end - 1], tuple(spans))


def shown(hit: Hit) -> tuple[bytes, int, list[tuple[int, int]]]:
    """What is shown of a line: bytes, how many are left out before them, places as characters."""
    text, skipped = hit.text, 0
    if len(text) > WINDOW_BYTES:
        skipped = max(0, hit.spans[0][0] - BEFORE_BYTES)
        while skipped < len(text) and text[skipped] & 0xC0 == 0x80:
            skipped += 1
        text = text[skipped : skipped + WINDOW_BYTES]
    places: list[tuple[int, int]] = []
    for first, last in hit.spans:
        first, last = first - skipped, min(last - skipped, len(text))
        if 0 <= first <= last:
            begin = len(text[:first].decode("utf-8", "replace"))
            places.append((begin, begin + len(text[first:last].decode("utf-8", "replace"))))
    return text, skipped, places


def _said(reason: object) -> str:
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)

"""What makes two outputs the same, and how two differ. Knows no files and no database."""

import difflib
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.execution.searching.domain import plain

SAMPLE_BYTES: Final = 4 * 1024
MOST_HOSTS: Final = 200
OPEN_BYTES: Final = 64 * 1024
"""A line longer than this is compared in pieces."""
DIFF_LINES: Final = 2_000
"""Of each side so many lines are compared."""
SHOWN_LINES: Final = 1_000
CONTEXT_LINES: Final = 3

_BLANKS: Final = re.compile(rb"[ \t\r\f\v]+(?=\n)|[ \t\r\f\v]+\Z")
_TIMES: Final = re.compile(
    rb"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    rb"|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"
)


@dataclass(frozen=True, slots=True)
class Masks:
    """What is each host's own and makes no difference: its name and address, and times."""

    own: bool = True
    times: bool = False


def own_words(name: str, address: str) -> "re.Pattern[bytes] | None":
    """Finds the name or address of a host as whole words."""
    words = {word for word in (name, name.partition(".")[0], address) if len(word) > 1}
    if not words:
        return None
    longest = sorted((re.escape(word.encode()) for word in words), key=len, reverse=True)
    return re.compile(rb"(?<![\w.-])(?:" + b"|".join(longest) + rb")(?![\w-])")


class Normaliser:
    """Gives lines of an output as they are compared."""

    def __init__(self, own: "re.Pattern[bytes] | None", *, hides_times: bool) -> None:
        self._own = own
        self._hides_times = hides_times

    def __call__(self, block: bytes) -> bytes:
        """Without escape sequences, blanks at the ends of lines, and what is masked."""
        block = _BLANKS.sub(b"", plain(block))
        if self._own is not None:
            block = self._own.sub(b"<host>", block)
        return _TIMES.sub(b"<time>", block) if self._hides_times else block


@dataclass
class Output:
    """What one host said, as it is compared."""

    sha256: str
    lines: int
    size: int
    sample: bytes
    is_cut: bool
    """It was too long to be looked at as a whole; what was left out counts by its length."""


class Summary:
    """Collects an output; only its hash and its beginning are kept."""

    def __init__(self, normalise: Normaliser, limit: int) -> None:
        self._normalise = normalise
        self._left = limit
        self._hash = hashlib.sha256()
        self._open = b""
        self._sample = b""
        self._lines = self._bytes = 0
        self._cut = 0

    def add(self, data: bytes) -> None:
        """More of it."""
        self._bytes += len(data)
        if len(data) > self._left:
            self._cut += len(data) - self._left
            data = data[: self._left]
        self._left -= len(data)
        text = self._open + data
        end = text.rfind(b"\n") + 1
        if len(text) - end > OPEN_BYTES:
            end = len(text)
        self._open = text[end:]
        self._take(text[:end])

    def _take(self, block: bytes) -> None:
        block = self._normalise(block)
        self._hash.update(block)
        self._lines += block.count(b"\n")
        if len(self._sample) < SAMPLE_BYTES:
            self._sample += block[: SAMPLE_BYTES - len(self._sample)]

    def output(self) -> Output:
        """All of it."""
        if self._open:
            self._take(self._open + b"\n")
        if self._cut:
            self._hash.update(b"\0cut %d" % self._cut)
        return Output(
            self._hash.hexdigest(), self._lines, self._bytes, self._sample, bool(self._cut)
        )


@dataclass
class Group:
    """Hosts whose outputs are the same; `members` are their tasks."""

    output: Output
    members: list[str] = field(default_factory=list)


def grouped(outputs: Iterable[tuple[str, Output]]) -> list[Group]:
    """Tasks by what they said; the largest group first, then in the order of their tasks."""
    groups: dict[str, Group] = {}
    for task_id, output in outputs:
        groups.setdefault(output.sha256, Group(output)).members.append(task_id)
    return sorted(groups.values(), key=lambda group: -len(group.members))


def difference(
    a: Sequence[str], b: Sequence[str], names: tuple[str, str]
) -> tuple[list[str], bool]:
    """A unified diff, and whether a part of it was left out."""
    is_cut = len(a) > DIFF_LINES or len(b) > DIFF_LINES
    a, b = a[:DIFF_LINES], b[:DIFF_LINES]
    found = list(difflib.unified_diff(a, b, *names, n=CONTEXT_LINES, lineterm=""))
    return found[:SHOWN_LINES], is_cut or len(found) > SHOWN_LINES

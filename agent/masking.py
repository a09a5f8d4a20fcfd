"""Hides secrets in a stream of bytes, in every usual spelling and however the bytes are cut.

The rule does not depend on how a stream arrives: from left to right the longest spelling that
begins at a place is replaced, and at the end of the stream so is the beginning of one, from six
bytes on. Only bytes that may still become a spelling are held back.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

LEAST_CHARACTERS = 6
"""Shorter values are not masked: they would hide half of every output, and be guessed from it."""
MASK = b"***"
_HEAD_BYTES = 16
_WRAPS = (64, 76)
"""Columns at which `openssl base64` and `base64` break their lines."""
_RELEASED_BYTES = 3


def is_maskable(value: str) -> bool:
    """Whether the value, or a line of it, is long enough."""
    return any(len(part) >= LEAST_CHARACTERS for part in _parts(value))


def _parts(value: str) -> set[str]:
    """The value, without white space around it too, and each of its lines."""
    return {value, value.strip(), *(line.strip() for line in value.splitlines())}


def spellings(values: Iterable[str]) -> set[bytes]:
    """Everything that must not be seen: each value and line as it is and encoded."""
    found: set[bytes] = set()
    for value in values:
        for part in _parts(value):
            if len(part) >= LEAST_CHARACTERS:
                found.update(_encoded(part))
    return {form for form in found if len(form) >= LEAST_CHARACTERS}


def _encoded(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for escaped in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        yield escaped[1:-1].encode()
        yield escaped[1:-1].replace("/", "\\/").encode()
    for escaped in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield escaped.encode()
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), escaped).encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            yield _inner_base64(encode(bytes(shift) + raw), shift, len(raw))
        yield encode(raw)
        for width in _WRAPS:
            whole = encode(raw)
            yield from (whole[at : at + width] for at in range(0, len(whole), width))


def _inner_base64(encoded: bytes, shift: int, size: int) -> bytes:
    """Only the characters that depend on the value alone, not on its neighbours."""
    first = (shift * 8 + 5) // 6
    return encoded[first : (shift + size) * 8 // 6]


class Mask:
    """What to hide, compiled once for both streams of a task.

    A regular expression looks for the first bytes of any spelling; what follows is compared.
    """

    def __init__(self, forms: set[bytes]) -> None:
        of_head: dict[bytes, list[bytes]] = {}
        for form in sorted(forms, key=len, reverse=True):
            of_head.setdefault(form[:_HEAD_BYTES], []).append(form)
        self._forms_of: dict[bytes, list[bytes]] = {}
        for head, known in of_head.items():
            shorter = (of_head.get(head[:size]) for size in range(len(head) - 1, 0, -1))
            self._forms_of[head] = sum((other for other in shorter if other), known)
        heads = sorted(of_head)
        self.partial_heads = {head[:size] for head in heads for size in range(1, len(head))}
        pattern = re.compile(_alternatives(heads))
        self.search, self.match = pattern.search, pattern.match

    def forms(self, head: bytes) -> list[bytes]:
        """The spellings that may begin where this head was found, longest first."""
        return self._forms_of[head]

    def hides_in(self, text: str) -> bool:
        """Whether any of it would be masked."""
        stream = MaskedStream(self)
        raw = text.encode()
        return stream.feed(raw) + stream.finish() != raw


def _alternatives(heads: list[bytes]) -> bytes:
    """Longest match first, common beginnings shared, so that many secrets cost hardly more."""
    groups: dict[bytes, list[bytes]] = {}
    for head in heads:
        groups.setdefault(head[:1], []).append(head[1:])
    parts = [re.escape(first) + _alternatives(rest) for first, rest in groups.items() if first]
    if not parts:
        return b""
    joined = parts[0] if len(parts) == 1 else b"(?:" + b"|".join(parts) + b")"
    return b"(?:" + joined + b")?" if b"" in groups else joined


class MaskedStream:
    """One stream: bytes in, masked bytes out; `held` may still become a spelling."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._held = b""
        self._released = 0

    @property
    def can_release(self) -> bool:
        """Whether a few held bytes could be shown now, because they give nothing away."""
        return self._released < len(self._held) <= _RELEASED_BYTES

    def feed(self, content: bytes) -> bytes:
        """What is decided now."""
        return self._take(self._held + content if self._held else content, is_end=False)

    def finish(self) -> bytes:
        """The rest; nothing follows."""
        return self._take(self._held, is_end=True)

    def release(self) -> bytes:
        """The first bytes of what is held, when nothing came for a while; the rest stays masked.

        Nobody should wait for the end of a word because a secret begins like it.
        """
        if not self.can_release:
            return b""
        shown = self._held[self._released :]
        self._released = len(self._held)
        return shown

    def _take(self, content: bytes, *, is_end: bool) -> bytes:
        shown: list[bytes] = []
        begin = at = 0
        while True:
            place = self._next_place(content, at)
            if place < 0:
                place = len(content)
                break
            size = self._size_at(content, place, is_end=is_end)
            if size < 0:
                break
            if size:
                shown += (content[max(begin, self._released) : place], MASK)
                begin = at = place + size
            else:
                at = place + 1
        shown.append(content[max(begin, self._released) : place])
        self._held = content[place:]
        self._released = max(0, self._released - place)
        return b"".join(shown)

    def _next_place(self, content: bytes, at: int) -> int:
        """Where the next spelling may begin; negative if nowhere."""
        found = self._mask.search(content, at)
        end = len(content)
        last = found.start() if found else end
        for place in range(max(at, end - _HEAD_BYTES + 1), last):
            if content[place:] in self._mask.partial_heads:
                return place
        return last if found else -1

    def _size_at(self, content: bytes, place: int, *, is_end: bool) -> int:
        """How many bytes to hide from here; 0 for none, negative if that is not known yet."""
        rest = len(content) - place
        is_open = rest < _HEAD_BYTES and content[place:] in self._mask.partial_heads
        found = self._mask.match(content, place)
        whole = 0
        for form in self._mask.forms(found[0]) if found else ():
            if len(form) <= rest:
                if content.startswith(form, place):
                    whole = len(form)
                    break
            elif not is_open:
                is_open = form.startswith(content[place:])
        if not is_open:
            return whole
        if not is_end:
            return -1
        return whole or (rest if rest >= LEAST_CHARACTERS else 0)

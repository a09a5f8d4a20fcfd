"""The use case of searching: as far as a second goes, then a cursor to go on from."""

import time
from dataclasses import dataclass, field
from typing import Final

from services.execution.history.domain import MAX_LINE_BYTES
from services.execution.history.repository import Step, StoredLog
from services.execution.history.schemas import NOBODY
from services.execution.history.service import History, Which
from services.execution.logs.repository import Owner
from services.execution.searching.domain import Hit, Needle, plain, shown
from services.execution.searching.schemas import MatchOut, SearchOut
from services.execution.segments.domain import Key, Kind, readable

SECONDS: Final = 1.0
"""So long one request looks; whoever wants more comes again with the cursor."""


@dataclass
class Search:
    """One request's way through a log. In a thread.

    Of a line longer than 16 KiB its beginning is looked through, and the frame in which it ends.
    """

    log: StoredLog
    needle: Needle
    limit: int
    number: int
    """Lines before this one were looked through."""
    unreadable_bytes: int = 0
    found: list[tuple[int, Key, Hit, bool]] = field(default_factory=list)
    is_done: bool = False
    _heads: dict[Key, bytes] = field(default_factory=dict)

    def run(self) -> "Search":
        """Until the end, enough matches, or the end of the time."""
        until = time.monotonic() + SECONDS
        for step in self.log.walk(self.number):
            if not self._look(step) or time.monotonic() > until:
                return self
        for line in self.log.open_lines(self.number):
            for hit in self.needle.hits(plain(line.data) + b"\n"):
                self.found.append((line.number, line.key, hit, True))
        self.is_done = True
        return self

    def _look(self, step: Step) -> bool:
        frame = step.frame
        if frame.kind != Kind.OUTPUT:
            if frame.kind == Kind.DAMAGED:
                self.unreadable_bytes += frame.gap[0]
                self.number += max(0, step.lines - step.skip)
            return True
        head = bytes(step.head.kept) if step.head else self._heads.pop(frame.key, b"")
        text = head + frame.data
        cut = text.rfind(b"\n") + 1
        if len(text) > cut:
            self._heads[frame.key] = text[cut : cut + MAX_LINE_BYTES]
        start = 0
        for _ in range(step.skip):
            start = text.index(b"\n", start) + 1
        block = plain(text[start:cut])
        for hit in self.needle.hits(block):
            if len(self.found) >= self.limit:
                self.number += hit.line
                return False
            self.found.append((self.number + hit.line, frame.key, hit, False))
        self.number += block.count(b"\n")
        return True


class Searching:
    """Looks through stored output."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def find(
        self, execution_id: str, which: Which, needle: Needle, *, cursor: int, limit: int
    ) -> SearchOut:
        """Lines behind the first `cursor` ones in which something is found."""
        view = await self._history.view(execution_id, which)
        search = Search(self._history.log(view), needle, limit, number=cursor + 1)
        await self._history.in_thread(search.run)
        owners = await self._history.owners(view, (key[0] for _, key, _, _ in search.found))
        return SearchOut.model_construct(
            matches=[
                _match(number, key, hit, owners.get(key[0], NOBODY), is_open=is_open)
                for number, key, hit, is_open in search.found
            ],
            next_cursor=None if search.is_done else search.number - 1,
            searched_lines=search.number - 1 - cursor,
            unreadable_bytes=search.unreadable_bytes,
            complete=view.is_settled and search.is_done,
        )


def _match(number: int, key: Key, hit: Hit, owner: Owner, *, is_open: bool) -> MatchOut:
    data, skipped, places = shown(hit)
    text, lossy = readable(data)
    return MatchOut.model_construct(
        number=number,
        host=owner.host_name,
        host_id=owner.host_id,
        step_id=owner.step_id,
        task_id=key[0],
        attempt=key[1],
        stream=key[2],
        text=text,
        lossy=lossy,
        highlights=places,
        skipped_bytes=skipped,
        is_open=is_open,
    )

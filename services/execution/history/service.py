"""The use cases of reading what is stored: pages by position, pages of lines, the last lines."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from libs.contracts.execution import ExecutionStatus
from libs.kit.db import Database, Transaction, reads
from services.execution.domain import LogStatus, is_finished
from services.execution.errors import ExecutionNotFound, LogPositionInvalid
from services.execution.history.domain import Wanted
from services.execution.history.repository import StoredLog, read_from
from services.execution.history.schemas import (
    NOBODY,
    HostLogPage,
    LinesPage,
    LogChunkOut,
    LogPage,
    chunk_out,
    line_out,
)
from services.execution.logs.repository import LogRepository, Owner
from services.execution.repository import ExecutionRepository
from services.execution.segments.domain import Frame, FrameDamaged
from services.execution.segments.repository import Segment, SegmentFiles

T = TypeVar("T")

READERS = 3
"""Threads that read for histories, searches and downloads; live streams have their own."""


@dataclass(frozen=True)
class Which:
    """Which output of an execution somebody wants; None does not narrow it down."""

    host_id: int | None = None
    step_id: str | None = None
    stream: str | None = None


@dataclass(frozen=True)
class View:
    """What the database says about an execution's output."""

    segments: Sequence[Segment]
    wanted: Wanted
    owners: dict[str, Owner]
    """Of the wanted tasks, empty when all are."""
    is_settled: bool
    """No more output is expected."""

    @property
    def end(self) -> int:
        """The position behind the last durable frame."""
        return self.segments[-1].end if self.segments else 0


class History:
    """Reads stored output; shared by everything that does."""

    def __init__(self, db: Database, files: SegmentFiles) -> None:
        self._db = db
        self._files = files
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="log-reader")

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run work that reads files."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def log(self, view: View) -> StoredLog:
        """The stored output that a view is about."""
        return StoredLog(self._files, view.segments, view.wanted)

    async def page(
        self, execution_id: str, which: Which, *, position: int, limit_bytes: int
    ) -> LogPage:
        """Stored output from a position on, about `limit_bytes` of it."""
        view = await self.view(execution_id, which)
        if position > view.end:
            raise LogPositionInvalid(position=position)
        return await self._page(view, position, limit_bytes, skip=0)

    async def tail(
        self, execution_id: str, which: Which, *, lines: int, limit_bytes: int
    ) -> LogPage:
        """The same, beginning with the last so many lines."""
        view = await self.view(execution_id, which)
        log = self.log(view)

        def find() -> tuple[int, int]:
            spot = log.spot(max(1, log.total() - lines + 1))
            if spot is None:
                return 0, 0
            return log.position(spot), max(0, log.total() - lines - spot.lines)

        position, skip = await self.in_thread(find)
        return await self._page(view, position, limit_bytes, skip=skip)

    async def _page(self, view: View, position: int, limit_bytes: int, *, skip: int) -> LogPage:
        def read() -> tuple[list[tuple[int, Frame]], int]:
            return read_from(
                self._files,
                view.segments,
                position,
                limit_bytes=limit_bytes,
                wanted=view.wanted,
            )

        try:
            found, following = await self.in_thread(read)
        except FrameDamaged:
            raise LogPositionInvalid(position=position) from None
        owners = await self.owners(view, (frame.task_id for _, frame in found))
        chunks = [
            chunk_out(behind, frame, owners.get(frame.task_id, NOBODY)) for behind, frame in found
        ]
        return LogPage.model_construct(
            chunks=_without(chunks, skip),
            next_position=following,
            complete=view.is_settled and following >= view.end,
        )

    async def lines(self, execution_id: str, which: Which, *, first: int, limit: int) -> LinesPage:
        """Lines by number, from 1 on."""
        view = await self.view(execution_id, which)
        log = self.log(view)
        found, total = await self.in_thread(lambda: (log.page(first, limit), log.total()))
        owners = await self.owners(view, (line.key[0] for line in found))
        ended = [line for line in found if not line.is_open]
        following = ended[-1].number + 1 if ended else min(first, total + 1)
        return LinesPage.model_construct(
            lines=[line_out(line, owners.get(line.key[0], NOBODY)) for line in found],
            total=total,
            next_line=following,
            complete=view.is_settled and following > total,
        )

    async def of_host(
        self, execution_id: str, step_id: str, host_id: int, *, pointer: int, limit: int
    ) -> HostLogPage:
        """Lines of one step on one host, behind the first `pointer` ones."""
        statuses = await self._statuses(execution_id, step_id, host_id)
        which = Which(host_id, step_id)
        page = await self.lines(execution_id, which, first=pointer + 1, limit=limit)
        return HostLogPage.model_construct(
            log_context="\n".join(line.text for line in page.lines),
            lines=page.lines,
            pointer=pointer,
            next_pointer=page.next_line - 1,
            finished=page.complete,
            log_status=statuses[-1],
        )

    @reads
    def _statuses(
        self, tx: Transaction, execution_id: str, step_id: str, host_id: int
    ) -> list[LogStatus]:
        found = LogRepository(tx).statuses(execution_id, host_id=host_id, step_id=step_id)
        if not found:
            raise ExecutionNotFound(execution_id=execution_id, step_id=step_id, host_id=host_id)
        return found

    @reads
    def view(self, tx: Transaction, execution_id: str, which: Which) -> View:
        """What is stored now; raises ExecutionNotFound."""
        executions, logs = ExecutionRepository(tx), LogRepository(tx)
        execution = executions.head(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        owners: dict[str, Owner] = {}
        tasks: frozenset[str] | None = None
        if which.host_id is not None or which.step_id is not None:
            owners = logs.owners_in(execution_id, host_id=which.host_id, step_id=which.step_id)
            tasks = frozenset(owners)
        done = is_finished(ExecutionStatus(execution.status))
        return View(
            segments=logs.segments(execution_id),
            wanted=Wanted(tasks, which.stream),
            owners=owners,
            is_settled=done and not executions.has_live_log(execution_id),
        )

    @reads
    def owners_in(self, tx: Transaction, execution_id: str) -> dict[str, Owner]:
        """Whose output an execution has, by task."""
        return LogRepository(tx).owners_in(execution_id)

    async def owners(self, view: View, task_ids: Iterable[str]) -> dict[str, Owner]:
        """Whose output these tasks' is."""
        missing = set(task_ids) - view.owners.keys()
        return view.owners | (await self._owners(missing) if missing else {})

    @reads
    def _owners(self, tx: Transaction, task_ids: set[str]) -> dict[str, Owner]:
        return LogRepository(tx).owners(task_ids)


def _without(chunks: list[LogChunkOut], lines: int) -> list[LogChunkOut]:
    """The chunks without their first so many lines, which all end in the first one."""
    if not lines or not chunks:
        return chunks
    first = chunks[0]
    cut = 0
    for _ in range(lines):
        cut = first.text.find("\n", cut) + 1
    head, text = first.text[:cut], first.text[cut:]
    offset = first.offset + (0 if first.lossy else len(head.encode()))
    rest = first.model_copy(update={"text": text, "offset": offset})
    return [*([rest] if text else []), *chunks[1:]]

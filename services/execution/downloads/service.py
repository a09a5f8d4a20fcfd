"""The use case of taking output away: raw bytes of every stream, made while they are sent."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, replace
from typing import Literal

from libs.contracts.audit import audit
from libs.kit.db import Database, Transaction, reads, writes
from services.execution.downloads.domain import Part, missing
from services.execution.downloads.schemas import gathered, zipped
from services.execution.history.domain import Wanted
from services.execution.history.service import History, View, Which
from services.execution.logs.repository import LogRepository
from services.execution.repository import ExecutionRepository
from services.execution.segments.domain import STREAMS, Kind

Form = Literal["txt", "zip"]


class Downloads:
    """Makes files of stored output, of any size in little memory."""

    def __init__(self, db: Database, history: History) -> None:
        self._db = db
        self._history = history

    async def open(self, execution_id: str, which: Which, form: Form) -> AsyncIterator[bytes]:
        """The pieces of the file; raises ExecutionNotFound before the first.

        A text of one host alone holds its bytes as they came and nothing else, unless some are
        missing; several hosts are told apart by a line above each.
        """
        view = await self._history.view(execution_id, which)
        parts = await self._parts(execution_id, which)
        await self._account(execution_id, which, form)
        if form == "zip":
            return self._sent(zipped((part.path, self._bytes(view, part)) for part in parts))
        if len({part.task_id for part in parts}) <= 1:
            return self._sent(gathered(self._all_bytes(view)))
        return self._sent(gathered(self._sections(view, parts)))

    async def _sent(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Makes one piece when the last was taken, so that a slow reader holds up nobody else."""
        while (piece := await self._history.in_thread(lambda: next(pieces, None))) is not None:
            yield piece

    def _all_bytes(self, view: View) -> Iterator[bytes]:
        for _, _, _, frame in self._history.log(view).frames():
            yield frame.data if frame.kind == Kind.OUTPUT else missing(*frame.gap)

    def _bytes(self, view: View, part: Part) -> Iterator[bytes]:
        """One stream of one attempt."""
        wanted = Wanted(frozenset((part.task_id,)), part.stream)
        for _, _, _, frame in self._history.log(replace(view, wanted=wanted)).frames():
            if frame.attempt == part.attempt or not frame.task_id:
                yield frame.data if frame.kind == Kind.OUTPUT else missing(*frame.gap)

    def _sections(self, view: View, parts: list[Part]) -> Iterator[bytes]:
        for part in parts:
            yield part.title
            last = b"\n"
            for data in self._bytes(view, part):
                last = data[-1:] or last
                yield data
            if last != b"\n":
                yield b"\n"

    @writes
    def _account(self, tx: Transaction, execution_id: str, which: Which, form: Form) -> None:
        execution = ExecutionRepository(tx).by_id(execution_id)
        name = execution.name if execution is not None else ""
        after = {"format": form, **{k: v for k, v in asdict(which).items() if v is not None}}
        audit(
            tx, "execution.download_log", kind="execution", id=execution_id, name=name, after=after
        )

    @reads
    def _parts(self, tx: Transaction, execution_id: str, which: Which) -> list[Part]:
        """Every stream that has output, by step, host and attempt."""
        logs = LogRepository(tx)
        steps = {step.id: step for step in ExecutionRepository(tx).steps_of(execution_id)}
        owners = logs.owners_in(execution_id, host_id=which.host_id, step_id=which.step_id)
        wanted = (which.stream,) if which.stream else STREAMS
        parts: list[Part] = []
        for floor in logs.floors(owners):
            if floor.stream in wanted and floor.bytes:
                owner = owners[floor.task_id]
                step = steps[owner.step_id]
                host = (owner.host_name, owner.host_id)
                task = (floor.task_id, floor.attempt)
                parts.append(Part(step.position, step.name, *host, *task, floor.stream))
        return sorted(parts, key=_order)


def _order(part: Part) -> tuple[object, ...]:
    return part.step, part.host, part.host_id, part.attempt, STREAMS.index(part.stream)

"""One granted attempt on this host, from its start to the acknowledgement of its result."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace

from agent.flow import Flow
from agent.ledger import Entry, Key
from agent.processes import start_time
from agent.progress import ProgressTeller
from agent.records import CancelRequest, ExitRecord, StartRecord, StreamEnd, write_record
from agent.spool import STREAMS, SpoolReader
from libs.protocol.messages import Outcome, Progress, Result, Started
from libs.protocol.payload import (
    Notice,
    ProcessTotals,
    ResultPayload,
    StreamTotal,
    StreamTotals,
)

RESULT_SECONDS = 3.0
_RESULT_FACTOR = 1.5
_RESULT_LIMIT_SECONDS = 15.0
NO_OUTPUT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of nothing."""


@dataclass
class Attempt:
    """State in memory; everything that matters lies in journal and folder."""

    entry: Entry
    folder: str
    flow: Flow
    is_launched: bool = False
    launch: int = 0
    """The number under which the spawner was told of it."""
    is_ended: bool = False
    started: StartRecord | None = None
    cancel: CancelRequest | None = None
    result: Result | None = None
    result_at: float = 0.0
    acked_at: float | None = None
    is_due: bool = False
    teller: ProgressTeller | None = None
    _interval: float = field(default=RESULT_SECONDS)

    @property
    def key(self) -> Key:
        return self.entry.key

    def started_message(self) -> Started | None:
        """What to tell about the start, None before it."""
        if self.started is None:
            return None
        return Started(*self.key, self.entry.epoch, self.started.pid, self.started.started_at)

    def progress(self) -> Progress | None:
        """How far a transfer is, if that has changed; None for everything else."""
        if self.started is None or not self.started.progress:
            return None
        if self.teller is None:
            self.teller = ProgressTeller(self.folder)
        return self.teller.news("" if self.is_ended else self.started.progress, self.key)

    def take_result(self, now: float) -> Result | None:
        """The result if it is time to send it (again)."""
        if self.result is None or self.acked_at is not None or now < self.result_at:
            return None
        self.result_at = now + self._interval
        self._interval = min(self._interval * _RESULT_FACTOR, _RESULT_LIMIT_SECONDS)
        return self.result

    def send_again(self) -> None:
        """A new session, or a gateway that asks: output from the floor, the result at once."""
        self.flow.rewind()
        self.result_at = 0.0
        self._interval = RESULT_SECONDS

    def stop(self, request: CancelRequest) -> None:
        """Leave the request in the folder and wake the shim, if it is there already."""
        self.cancel = request
        write_record(self.folder, request)
        self.wake_shim()

    def wake_shim(self) -> None:
        """Have the shim look for a cancel request; its start time guards against a reused pid."""
        started = self.started
        if started is not None and start_time(started.shim_pid) == started.shim_start:
            try:
                os.kill(started.shim_pid, signal.SIGUSR1)
            except ProcessLookupError:
                return


def payload_of(entry: Entry, agent_id: str, record: ExitRecord) -> ResultPayload:
    """The result of an attempt whose end the shim saw."""
    return ResultPayload(
        task_id=entry.task_id,
        attempt=entry.attempt,
        epoch=entry.epoch,
        agent_id=agent_id,
        outcome=record.outcome,  # type: ignore[arg-type]
        exit_code=record.exit_code,
        signal=record.signal,
        reason=record.reason,
        duration_ms=record.duration_ms,
        started_at=record.started_at,
        ended_at=record.ended_at,
        streams=StreamTotals(_total(record.stdout), _total(record.stderr)),
        processes=ProcessTotals(record.found, record.signalled, record.left),
        outputs=record.outputs,
        warnings=tuple(Notice(code, name) for code, name in record.notices),
    )


def payload_without_end(
    entry: Entry, agent_id: str, outcome: Outcome, *, reason: str, attempt: Attempt
) -> ResultPayload:
    """The result of an attempt whose end nobody saw, or that could not be launched."""
    started = attempt.started
    ends = ends_of_spool(attempt.folder)
    return ResultPayload(
        task_id=entry.task_id,
        attempt=entry.attempt,
        epoch=entry.epoch,
        agent_id=agent_id,
        outcome=outcome,
        exit_code=None,
        signal=None,
        reason=reason,
        duration_ms=0,
        started_at=started.started_at if started else None,
        ended_at=None,
        streams=StreamTotals(_total(ends["stdout"]), _total(ends["stderr"])),
        processes=ProcessTotals(0, 0, 0),
    )


def _total(end: StreamEnd) -> StreamTotal:
    """A missing end of the spool counts as one more frame, the gap that the flow will make."""
    frames = end.seq + (1 if end.kept < end.bytes else 0)
    return StreamTotal(seq=frames, bytes=end.bytes, sha256=end.sha256 or None)


def ends_of_spool(folder: str) -> dict[str, StreamEnd]:
    """What a spool holds without an exit record; only the hash of nothing is known."""
    ends = {name: StreamEnd(0, NO_OUTPUT, 0, 0) for name in STREAMS}
    if not os.path.isdir(folder):
        return ends
    reader = SpoolReader(folder)
    while reader.next() is not None:
        continue
    reader.close()
    for name in STREAMS:
        offset = reader.offset[name]
        digest = "" if offset else NO_OUTPUT
        ends[name] = StreamEnd(offset, digest, reader.seq[name], offset)
    return ends


def checked_ends(record: ExitRecord, folder: str) -> ExitRecord:
    """An exit record after a reboot: the spool may hold less than the shim had written."""
    held = ends_of_spool(folder)
    return replace(
        record,
        stdout=_checked_end(record.stdout, held["stdout"]),
        stderr=_checked_end(record.stderr, held["stderr"]),
    )


def _checked_end(written: StreamEnd, held: StreamEnd) -> StreamEnd:
    return written if held.seq >= written.seq else replace(written, seq=held.seq, kept=held.kept)

"""What the API shows of stored output."""

from libs.kit.service import Row
from services.execution.history.domain import Line
from services.execution.logs.repository import Owner
from services.execution.segments.domain import Frame, Kind, readable

NOBODY = Owner("", "", None, 0, 0, "", "", "")
"""Whose output it is when that cannot be told any more."""


class LogChunkOut(Row):
    """A piece of output; `text` is decoded for reading, `lossy` says that bytes were replaced."""

    position: int
    host: str
    host_id: int
    step_id: str
    task_id: str
    attempt: int
    stream: str
    seq: int
    offset: int
    text: str
    lossy: bool = False
    gap_bytes: int = 0
    reason: str | None = None


class LogPage(Row):
    """A part of an execution's log in the order in which it was stored."""

    chunks: list[LogChunkOut]
    next_position: int
    complete: bool


class LineOut(Row):
    """A line, numbered from 1 in the order in which the ends of the wanted lines were stored.

    `offset` is its place in its stream in bytes. `cut_bytes` of a very long line are left out
    behind `text`. `gap_bytes` were never stored or cannot be read, for a `reason`. `is_open` says
    that the end of the line has not come (yet).
    """

    number: int
    host: str
    host_id: int
    step_id: str
    task_id: str
    attempt: int
    stream: str
    offset: int
    text: str
    lossy: bool = False
    cut_bytes: int = 0
    gap_bytes: int = 0
    reason: str | None = None
    is_open: bool = False


class LinesPage(Row):
    """Some lines; `total` have ended so far. `complete` says that no more will come."""

    lines: list[LineOut]
    total: int
    next_line: int
    complete: bool


class HostLogPage(Row):
    """Output of one step on one host as text; `pointer` is the number of lines before it."""

    log_context: str
    lines: list[LineOut]
    pointer: int
    next_pointer: int
    finished: bool
    log_status: str


def chunk_out(position: int, frame: Frame, owner: Owner) -> LogChunkOut:
    """A frame as the API shows it, with the position behind it."""
    length, reason, text, lossy = 0, None, "", False
    if frame.kind == Kind.OUTPUT:
        text, lossy = readable(frame.data)
    else:
        length, reason = frame.gap
    return LogChunkOut.model_construct(
        position=position,
        host=owner.host_name,
        host_id=owner.host_id,
        step_id=owner.step_id,
        task_id=frame.task_id,
        attempt=frame.attempt,
        stream=frame.stream,
        seq=frame.seq,
        offset=frame.offset,
        text=text,
        lossy=lossy,
        gap_bytes=length,
        reason=reason,
    )


def line_out(line: Line, owner: Owner) -> LineOut:
    """A line as the API shows it."""
    task_id, attempt, stream = line.key
    text, lossy = readable(line.data)
    return LineOut.model_construct(
        number=line.number,
        host=owner.host_name,
        host_id=owner.host_id,
        step_id=owner.step_id,
        task_id=task_id,
        attempt=attempt,
        stream=stream,
        offset=line.offset,
        text=text,
        lossy=lossy,
        cut_bytes=line.cut_bytes,
        gap_bytes=line.gap_bytes,
        reason=line.reason,
        is_open=line.is_open,
    )

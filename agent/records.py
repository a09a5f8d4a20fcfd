"""What shim and agent tell each other in a task's folder: started, cancel, exit.

The exit record is a file of its own only where it does not fit behind the output, see `spool`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TypeVar

from agent.state import read_if_there, sync_folder, write_durably

_Record = TypeVar("_Record")


@dataclass(frozen=True)
class StartRecord:
    """The script runs; the shim's pid and start time (ticks after boot) name its supervisor.

    `progress` is the file in which a transfer says how far it is.
    """

    pid: int
    started_at: str
    shim_pid: int
    shim_start: int
    progress: str = ""


@dataclass(frozen=True)
class CancelRequest:
    """End the task: TERM now, KILL after the grace."""

    reason: str
    grace_seconds: float


@dataclass(frozen=True)
class StreamEnd:
    """Everything that was written to one stream, and how far the spool holds it.

    `seq` frames reach up to `kept`; bytes beyond that, up to `bytes`, found no room at the end.
    """

    bytes: int
    sha256: str
    seq: int
    kept: int


@dataclass(frozen=True)
class ExitRecord:
    """How the task ended; the words are those of the protocol's result.

    `outputs` are what the script left for later steps, `notices` pairs of code and name.
    """

    outcome: str
    exit_code: int | None
    signal: int | None
    reason: str
    duration_ms: int
    started_at: str
    ended_at: str
    stdout: StreamEnd
    stderr: StreamEnd
    found: int
    signalled: int
    left: int
    outputs: dict[str, str] = field(default_factory=dict)
    notices: list[tuple[str, str]] = field(default_factory=list)


_NAMES = {StartRecord: "started", CancelRequest: "cancel", ExitRecord: "exit"}


def write_record(folder: str, record: StartRecord | CancelRequest | ExitRecord) -> None:
    """Replace the record's file as a whole; see `sync_exit` for what a power cut may undo."""
    write_durably(os.path.join(folder, _NAMES[type(record)]), packed(record), sync=False)


def packed(record: StartRecord | CancelRequest | ExitRecord) -> bytes:
    """What is written; no beginning of it can be read as a record."""
    return json.dumps(vars(record), separators=(",", ":"), default=vars).encode()


def sync_exit(folder: str) -> None:
    """Make an exit record durable; raises OSError while the disk refuses."""
    descriptor = os.open(os.path.join(folder, _NAMES[ExitRecord]), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(folder)


def read_started(folder: str) -> StartRecord | None:
    """What the shim wrote once the script ran."""
    return _read(folder, StartRecord)


def read_cancel(folder: str) -> CancelRequest | None:
    """Whether somebody asked to end the task."""
    return _read(folder, CancelRequest)


def read_exit(folder: str) -> ExitRecord | None:
    """How the task ended, from the file; None without one, and for one that a power cut tore."""
    content = read_if_there(os.path.join(folder, _NAMES[ExitRecord]))
    return unpacked_exit(content) if content else None


def unpacked_exit(content: bytes) -> ExitRecord | None:
    """The record that `packed` wrote; None for what a power cut tore."""
    record = _parsed(content, ExitRecord)
    if record is None:
        return None
    fields = dict(vars(record))
    for name in ("stdout", "stderr"):
        fields[name] = StreamEnd(**fields[name])
    return ExitRecord(**fields)


def _read(folder: str, cls: type[_Record]) -> _Record | None:
    content = read_if_there(os.path.join(folder, _NAMES[cls]))
    return _parsed(content, cls) if content else None


def _parsed(content: bytes, cls: type[_Record]) -> _Record | None:
    try:
        return cls(**json.loads(content))
    except (ValueError, TypeError):
        return None

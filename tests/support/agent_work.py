"""What simulated agents do with tasks, and what they remember of them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

Message = dict[str, object]
"""A protocol message as JSON values; output has its bytes under `data`."""


@dataclass(frozen=True)
class Work:
    """What an agent does with the tasks offered to it.

    `stdout` and `stderr` are sent chunk by chunk, then the result with `exit_code` or `outcome`.
    Faults: every outgoing task message is sent `copies` times; `loses(message)` true swallows it
    (it is sent again by the rules of the protocol); `window` shuffles messages within so many.
    Without `tells_start` the result alone says when a script began, as for one that ended at once.
    """

    stdout: Sequence[bytes] = (b"hello\n",)
    stderr: Sequence[bytes] = ()
    exit_code: int | None = 0
    outcome: str = "exited"
    reject: str | None = None
    is_claiming: bool = True
    is_finishing: bool = True
    tells_start: bool = True
    seconds: float = 0.0
    copies: int = 1
    window: int = 1
    loses: Callable[[Message], bool] | None = None


@dataclass(slots=True)
class SimulatedTask:
    """One (task, attempt) in the journal of a simulated agent."""

    order: Message
    state: str = "offered"
    epoch: int = 0
    starts: int = 0
    chunks: dict[tuple[str, int], tuple[Message, bytes]] = field(default_factory=dict)
    result: Message | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Task id and attempt."""
        return str(self.order["task_id"]), cast(int, self.order["attempt"])


def about(task: SimulatedTask, kind: str, **fields: object) -> Message:
    """A message of this type about a task."""
    return {"type": kind, "task_id": task.key[0], "attempt": task.key[1], **fields}


def total(chunks: Sequence[bytes]) -> Message:
    """What a result says about one stream."""
    data = b"".join(chunks)
    return {"seq": len(chunks), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

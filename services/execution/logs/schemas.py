"""What an agent is told about its output, as messages of its protocol."""

from typing import Literal

import msgspec


def floor(
    kind: Literal["ack", "want"], key: tuple[str, int, str], *, seq: int, offset: int
) -> bytes:
    """Below this everything is durable; `want` also asks for what lies above it.

    `key` is task, attempt and stream; `seq` counts chunks, `offset` bytes.
    """
    task_id, attempt, stream = key
    return msgspec.json.encode(
        {
            "type": kind,
            "task_id": task_id,
            "attempt": attempt,
            "stream": stream,
            "seq": seq,
            "offset": offset,
        }
    )

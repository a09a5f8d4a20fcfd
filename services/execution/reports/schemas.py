"""What is answered to an agent, as messages of its protocol."""

import msgspec


def refuse(task_id: str, attempt: int, *, reason: str) -> bytes:
    """Forget the offer."""
    return msgspec.json.encode(
        {"type": "refuse", "task_id": task_id, "attempt": attempt, "reason": reason}
    )


def result_ack(task_id: str, attempt: int) -> bytes:
    """The result is stored."""
    return msgspec.json.encode({"type": "result_ack", "task_id": task_id, "attempt": attempt})

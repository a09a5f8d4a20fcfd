"""What is answered to an agent, as messages of its protocol."""

import msgspec


def grant(task_id: str, attempt: int, *, epoch: int, boot_id: str) -> bytes:
    """Start this attempt, once, on this boot."""
    return msgspec.json.encode(
        {
            "type": "grant",
            "task_id": task_id,
            "attempt": attempt,
            "epoch": epoch,
            "boot_id": boot_id,
        }
    )


def refuse(task_id: str, attempt: int, *, reason: str) -> bytes:
    """Forget the offer."""
    return msgspec.json.encode(
        {"type": "refuse", "task_id": task_id, "attempt": attempt, "reason": reason}
    )


def result_ack(task_id: str, attempt: int) -> bytes:
    """The result is stored."""
    return msgspec.json.encode({"type": "result_ack", "task_id": task_id, "attempt": attempt})

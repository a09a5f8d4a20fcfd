"""The rules of an execution's life; knows no database, no network and no clock."""

from collections.abc import Mapping
from enum import StrEnum

from libs.contracts.execution import ExecutionStatus, TaskStatus


class ScriptType(StrEnum):
    """The language of a script; it decides the interpreter, never the content does."""

    SHELL = "shell"
    PYTHON = "python"
    JAVASCRIPT = "javascript"
    PERL = "perl"
    POWERSHELL = "powershell"
    GO = "go"


class LogStatus(StrEnum):
    """What is known about a task's output."""

    NONE = "none"
    """The task never started."""
    LIVE = "live"
    """More may come."""
    COMPLETE = "complete"
    """Length and SHA-256 of both streams equal what the agent's signed result says."""
    GAP = "gap"
    """Something is missing, and the record says where."""


HELD = frozenset({TaskStatus.PENDING})
"""Not yet reached by the engine: nothing is offered, and no limit counts it."""
WAITING = frozenset({TaskStatus.QUEUED, TaskStatus.OFFERED})
ON_HOST = frozenset({TaskStatus.CLAIMED, TaskStatus.RUNNING})
OPEN = HELD | WAITING | ON_HOST
TERMINAL = frozenset(TaskStatus) - OPEN

_WORST_FIRST = (
    (TaskStatus.CANCELLED, ExecutionStatus.CANCELLED),
    (TaskStatus.FAILED, ExecutionStatus.FAILED),
    (TaskStatus.REJECTED, ExecutionStatus.FAILED),
    (TaskStatus.TIMEOUT, ExecutionStatus.TIMEOUT),
    (TaskStatus.LOST, ExecutionStatus.LOST),
    (TaskStatus.EXPIRED, ExecutionStatus.EXPIRED),
)


def execution_status(counts: Mapping[TaskStatus, int]) -> ExecutionStatus:
    """The state of a plain execution (or its step) whose tasks are in these states; R12.

    While a task is open the execution is pending (none was ever on a host) or running. After
    that the worst outcome names it: cancelled, failed, timeout, lost, expired, success.
    """
    present = {status for status, count in counts.items() if count}
    if present & OPEN:
        return ExecutionStatus.PENDING if present <= HELD | WAITING else ExecutionStatus.RUNNING
    for task_status, status in _WORST_FIRST:
        if task_status in present:
            return status
    return ExecutionStatus.SUCCESS


def is_finished(status: ExecutionStatus) -> bool:
    """Whether a state of an execution never changes again."""
    return status not in {ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.PAUSED}

"""The state of an execution follows from its tasks, and from nothing else (R12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.execution import ExecutionStatus, TaskStatus
from services.execution.domain import OPEN, TERMINAL, execution_status, is_finished


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ({TaskStatus.QUEUED: 2}, ExecutionStatus.PENDING),
        ({TaskStatus.QUEUED: 1, TaskStatus.OFFERED: 1}, ExecutionStatus.PENDING),
        ({TaskStatus.QUEUED: 1, TaskStatus.SUCCESS: 1}, ExecutionStatus.RUNNING),
        ({TaskStatus.RUNNING: 1, TaskStatus.FAILED: 9}, ExecutionStatus.RUNNING),
        ({TaskStatus.SUCCESS: 3}, ExecutionStatus.SUCCESS),
        ({TaskStatus.SUCCESS: 3, TaskStatus.FAILED: 1}, ExecutionStatus.FAILED),
        ({TaskStatus.SUCCESS: 3, TaskStatus.REJECTED: 1}, ExecutionStatus.FAILED),
        ({TaskStatus.TIMEOUT: 1, TaskStatus.FAILED: 1}, ExecutionStatus.FAILED),
        ({TaskStatus.TIMEOUT: 1, TaskStatus.LOST: 1}, ExecutionStatus.TIMEOUT),
        ({TaskStatus.LOST: 1, TaskStatus.EXPIRED: 1}, ExecutionStatus.LOST),
        ({TaskStatus.SUCCESS: 1, TaskStatus.EXPIRED: 1}, ExecutionStatus.EXPIRED),
        ({TaskStatus.CANCELLED: 1, TaskStatus.FAILED: 1}, ExecutionStatus.CANCELLED),
    ],
)
def test_the_worst_outcome_names_the_execution(
    tasks: dict[TaskStatus, int], expected: ExecutionStatus
) -> None:
    assert execution_status(tasks) == expected


@given(st.dictionaries(st.sampled_from(list(TaskStatus)), st.integers(0, 5), min_size=1))
def test_r12_an_execution_is_finished_exactly_when_no_task_is_open(
    tasks: dict[TaskStatus, int],
) -> None:
    status = execution_status(tasks)

    assert is_finished(status) == (not any(tasks.get(task) for task in OPEN))


def test_every_task_state_is_open_or_terminal_and_never_both() -> None:
    assert set(TaskStatus) == OPEN | TERMINAL
    assert not OPEN & TERMINAL

"""Who goes first within the limits, and what a waiting task is told."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.dispatch.domain import (
    SENTENCES,
    Slots,
    WaitCode,
    Waiter,
    choose,
    why_waiting,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Queued:
    id: str
    execution_id: str = "e"
    user_id: int = 1
    agent_id: str = "a"
    priority: int = 5


def test_urgent_work_goes_first_and_executions_take_turns() -> None:
    tasks = [
        *(Queued(f"big-{n}", "big") for n in range(4)),
        Queued("small", "small"),
        Queued("urgent", "late", priority=1),
    ]

    chosen = choose(tasks, Slots(per_user=4))

    assert [task.id for task in chosen] == ["urgent", "big-0", "small", "big-1"]


@given(
    st.lists(
        st.builds(
            Queued,
            st.uuids().map(str),
            st.sampled_from(["x", "y", "z"]),
            st.integers(1, 3),
            st.sampled_from(["a", "b"]),
            st.integers(1, 9),
        ),
        max_size=40,
    ),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(1, 5),
)
def test_r17_what_is_chosen_fits_and_nothing_that_fits_is_left(
    tasks: list[Queued], per_host: int, per_user: int, per_execution: int
) -> None:
    slots = Slots(per_host, per_user, {"x": per_execution})

    chosen = choose(tasks, slots)

    for limit, of in ((per_host, slots.hosts), (per_user, slots.users)):
        assert not limit or all(count <= limit for count in of.values())
    assert slots.executions["x"] <= per_execution
    left = [task for task in tasks if task not in chosen]
    assert all(slots.lacking(task) for task in left)


WAITER = Waiter(
    id="t",
    execution_id="e",
    user_id=1,
    agent_id="a",
    priority=5,
    status="queued",
    batch_no=1,
    not_before=None,
    offered_at=None,
    step_status="running",
    batch_ready_at=None,
    pause=None,
)


@pytest.mark.parametrize(
    ("waiter", "online", "slots", "code"),
    [
        (
            replace(WAITER, status="pending", step_status="pending"),
            True,
            Slots(),
            "step_not_reached",
        ),
        (replace(WAITER, status="pending"), True, Slots(), "batch_not_reached"),
        (
            replace(WAITER, status="pending", batch_ready_at=NOW + timedelta(seconds=1)),
            True,
            Slots(),
            "batch_delay",
        ),
        (replace(WAITER, status="pending", pause="user"), True, Slots(), "paused"),
        (replace(WAITER, status="pending", pause="threshold"), True, Slots(), "paused"),
        (replace(WAITER, status="pending", pause="batch"), True, Slots(), "confirmation"),
        (replace(WAITER, not_before=NOW + timedelta(seconds=1)), True, Slots(), "retry_delay"),
        (WAITER, False, Slots(), "agent_offline"),
        (WAITER, True, Slots(per_execution={"e": 0}), "execution_limit"),
        (WAITER, True, Slots(), "offer_sent"),
        (replace(WAITER, status="offered", offered_at=NOW), True, Slots(), "offer_sent"),
        (
            replace(WAITER, status="offered", offered_at=NOW - timedelta(seconds=16)),
            True,
            Slots(),
            "agent_busy",
        ),
        (replace(WAITER, status="running"), True, Slots(), None),
    ],
)
def test_every_waiting_task_is_told_why(
    waiter: Waiter, online: bool, slots: Slots, code: str | None
) -> None:
    busy = timedelta(seconds=15)

    found = why_waiting(waiter, is_online=online, slots=slots, now=NOW, busy_after=busy)

    assert found == code


@pytest.mark.parametrize(
    ("slots", "code"), [(Slots(per_user=1), "user_limit"), (Slots(per_host=1), "host_limit")]
)
def test_a_full_limit_is_named(slots: Slots, code: str) -> None:
    slots.take(WAITER)

    found = why_waiting(
        WAITER, is_online=True, slots=slots, now=NOW, busy_after=timedelta(seconds=15)
    )

    assert found == code


def test_every_reason_has_sentences_in_both_languages() -> None:
    assert set(SENTENCES) == set(WaitCode)
    assert all(english and chinese for english, chinese in SENTENCES.values())

"""Decisions without sockets: who may start what, when, and how often it is asked for."""

from collections.abc import Callable

import pytest

from agent.ledger import Key
from agent.session import MAX_WAITING, Action, Check, Repeat, Send, Session, Start, Stop
from libs.protocol import messages as m
from tests.agent.gateway import order

BOOT = "boot-1"


def make_session(*, concurrency: int = 2, known: set[Key] | None = None) -> Session:
    journal = known if known is not None else set()
    return Session(BOOT, concurrency, lambda key: key in journal)


def claimed(session: Session, task_id: str = "t1") -> None:
    session.receive(m.Offer(order(task_id, "true")), 0)
    assert session.checked((task_id, 1), None, 0) == [Send(m.Claim(task_id, 1))]


def grant(task_id: str = "t1", boot_id: str = BOOT, attempt: int = 1) -> m.Grant:
    return m.Grant(task_id, attempt, 5, boot_id)


def after_claim(session: Session, *messages: m.Message) -> list[Action]:
    """What the last message brings about."""
    claimed(session)
    return [session.receive(message, 0) for message in messages][-1]


def starts(actions: list[Action]) -> list[Start]:
    return [action for action in actions if isinstance(action, Start)]


def test_an_offer_is_checked_claimed_granted_and_only_then_started() -> None:
    session = make_session()
    script = order("t1", "true")

    assert session.receive(m.Offer(script), 0) == [Check(script)]
    assert session.checked(("t1", 1), None, 0) == [Send(m.Claim("t1", 1))]
    assert session.receive(grant(), 0) == [Start(script, 5)]


@pytest.mark.parametrize(
    "send",
    [
        lambda s: s.receive(grant(), 0),
        lambda s: (s.receive(m.Offer(order("t1", "true")), 0), s.receive(grant(), 0))[1],
        lambda s: after_claim(s, grant(boot_id="boot-0")),
        lambda s: after_claim(s, grant(attempt=2)),
        lambda s: after_claim(s, grant("t2")),
        lambda s: after_claim(s, grant(), grant()),
        lambda s: after_claim(s, m.Refuse("t1", 1, "late"), grant()),
        lambda s: after_claim(s, m.Cancel("t1", 1, "x", 1), grant()),
    ],
    ids=[
        "never offered",
        "not claimed",
        "for another boot",
        "for another attempt",
        "for another task",
        "repeated",
        "after a refusal",
        "after a cancel",
    ],
)
def test_a_grant_that_does_not_fit_starts_nothing(
    send: Callable[[Session], list[Action]],
) -> None:
    assert starts(send(make_session())) == []


def test_an_attempt_in_the_journal_is_never_started_again() -> None:
    session = make_session(known={("t1", 1)})

    assert session.receive(m.Offer(order("t1", "true")), 0) == [Repeat(("t1", 1))]
    assert starts(session.receive(grant(), 0)) == []


def test_an_attempt_that_entered_the_journal_after_the_claim_is_not_started() -> None:
    known: set[Key] = set()
    session = make_session(known=known)
    claimed(session)
    known.add(("t1", 1))

    assert starts(session.receive(grant(), 0)) == []


def test_an_offer_that_comes_again_before_the_journal_knows_is_not_claimed_again() -> None:
    session = make_session()
    claimed(session)
    session.receive(grant(), 0)

    assert session.receive(m.Offer(order("t1", "true")), 0) == []
    assert session.checked(("t1", 1), None, 0) == []
    assert starts(session.receive(grant(), 0)) == []


def test_a_refused_order_is_rejected_with_reason() -> None:
    session = make_session()
    session.receive(m.Offer(order("t1", "true")), 0)

    actions = session.checked(("t1", 1), ("interpreter_missing", "pwsh"), 0)

    assert actions == [Send(m.Reject("t1", 1, "interpreter_missing", "pwsh"))]
    assert session.queued == 0


def test_claims_wait_for_a_free_slot_in_the_sequence_of_offers() -> None:
    session = make_session(concurrency=1)
    claimed(session, "t1")
    for task_id in ("t2", "t3"):
        session.receive(m.Offer(order(task_id, "true")), 0)
        assert session.checked((task_id, 1), None, 0) == []
    session.receive(grant("t1"), 0)

    assert session.ended(("t1", 1), 1) == [Send(m.Claim("t2", 1))]
    assert session.receive(m.Refuse("t2", 1, "expired"), 1) == [Send(m.Claim("t3", 1))]


def test_an_unanswered_claim_is_repeated_ever_more_slowly() -> None:
    session = make_session()
    claimed(session)

    times = [t / 2 for t in range(120) if session.tick(t / 2, 0)]
    pauses = [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]

    assert pauses[:4] == [2.0, 3.0, 4.5, 7.0]
    assert max(pauses) == 15.0


def test_a_new_connection_repeats_claims_at_once() -> None:
    session = make_session()
    claimed(session)

    assert session.opened(1) == [Send(m.Claim("t1", 1))]


def test_an_order_whose_time_has_surely_passed_is_dropped() -> None:
    session = make_session(concurrency=0)
    session.receive(m.Offer(order("t1", "true", not_after="2026-01-01T00:00:00Z")), 0)

    session.tick(1, 1_767_225_600 + 29)
    assert session.queued == 1
    session.tick(1, 1_767_225_600 + 31)
    assert session.queued == 0


def test_cancel_stops_what_runs_and_says_what_has_not_started() -> None:
    """Else a task whose grant was lost would stay claimed for ever."""
    session = make_session(known={("old", 1)})
    claimed(session)
    session.receive(grant(), 0)
    session.receive(m.Offer(order("t2", "true")), 0)

    assert session.receive(m.Cancel("t1", 1, "user", 3), 0) == [Stop(("t1", 1), "user", 3)]
    assert session.receive(m.Cancel("old", 1, "user", 3), 0) == []
    for task_id in ("t2", "t9"):
        (answer,) = session.receive(m.Cancel(task_id, 1, "user", 3), 0)
        assert isinstance(answer, Send)
        assert isinstance(answer.message, m.Reject)
        assert (answer.message.task_id, answer.message.reason) == (task_id, "cancelled")
    assert session.queued == 0


def test_the_queue_is_bounded() -> None:
    session = make_session(concurrency=1)
    for number in range(MAX_WAITING):
        session.receive(m.Offer(order(f"t{number}", "true")), 0)

    (action,) = session.receive(m.Offer(order("one-more", "true")), 0)

    assert isinstance(action, Send)
    assert isinstance(action.message, m.Reject)
    assert action.message.reason == "limits_exceeded"


def test_what_may_start_by_a_grant_of_an_earlier_connection_is_known() -> None:
    session = make_session(concurrency=2)
    session.receive(m.Offer(order("t0", "true")), 0)  # not asked for yet
    claimed(session, "t1")
    claimed(session, "t2")
    session.receive(grant("t1"), 0)

    assert sorted(session.started_or_may) == [("t1", 1), ("t2", 1)]
    session.receive(m.Refuse("t2", 1, "late"), 0)
    session.ended(("t1", 1), 0)
    assert session.started_or_may == []

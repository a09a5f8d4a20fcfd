"""Refusals on their way to the audit log: told soon, counted, and bounded whatever anybody does."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from libs.kit import clock
from libs.kit.acting import Actor
from libs.kit.clock import StandingClock
from libs.kit.refusals import OTHERS, PLACES, PLACES_OF_ONE, Refusal, Refusals


@pytest.fixture(autouse=True)
def time() -> Iterator[StandingClock]:
    still = StandingClock(clock.now())
    before = clock.use(still)
    yield still
    clock.use(before)


def refusal(who: int = 1, about: str = "7", *, address: str = "192.0.2.1") -> Refusal:
    actor = Actor(who, f"user-{who}", "user", address)
    return Refusal("access.denied", "not_found", "GET /x", "host", about, "web", actor)


def test_the_first_is_due_at_once_and_equal_ones_after_a_minute(time: StandingClock) -> None:
    refusals = Refusals()
    refusals.note(refusal())
    refusals.note(refusal())
    assert [count for _, count in refusals.due()] == [2]
    for _ in range(100):
        refusals.note(refusal())
    assert refusals.due() == []

    time.advance(timedelta(seconds=61))

    assert [count for _, count in refusals.due()] == [100]
    time.advance(timedelta(seconds=61))
    assert refusals.due() == []
    refusals.note(refusal())
    assert [count for _, count in refusals.due()] == [1], "forgotten by now, so it is new"


def test_different_people_objects_and_addresses_are_told_apart() -> None:
    refusals = Refusals()
    refusals.note(refusal(1))
    refusals.note(refusal(2))
    refusals.note(refusal(1, "8"))
    refusals.note(refusal(1, address="192.0.2.2"))

    assert len(refusals.due()) == 4


def test_somebody_who_tries_everything_takes_few_places_and_nothing_is_lost() -> None:
    refusals = Refusals()
    for number in range(5_000):
        refusals.note(refusal(1, str(number)))
    refusals.note(refusal(2))

    found = refusals.due()

    assert len(found) == PLACES_OF_ONE + 2
    assert sum(count for _, count in found) == 5_001
    assert max(found, key=lambda one: one[1])[0].name == OTHERS
    assert any(one.actor.id == 2 for one, _ in found)


def test_a_crowd_takes_a_bounded_number_of_places_and_nothing_is_lost() -> None:
    refusals = Refusals()
    for number in range(20_000):
        refusals.note(refusal(number % 4_000 + 1, str(number)))

    found = refusals.due()

    assert len(found) <= PLACES + 1
    assert sum(count for _, count in found) == 20_000


def test_places_become_free_again(time: StandingClock) -> None:
    refusals = Refusals()
    for number in range(1_000):
        refusals.note(refusal(number + 1))
    refusals.due()
    for _ in range(2):
        time.advance(timedelta(seconds=61))
        refusals.due()

    refusals.note(refusal(9_999))

    assert [one.actor.id for one, _ in refusals.due()] == [9_999]


def test_who_it_was_stays_who_it_was() -> None:
    refusals = Refusals()
    one = refusal(3)
    refusals.note(one)
    one.actor.name = "somebody else"

    assert refusals.everything()[0][0].actor.name == "user-3"
    assert refusals.everything() == []

"""Rates, the lobby and the pace of one agent, without any socket."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from gateway.agents.admission import Admission, Bucket, Lobby, PeerRates
from gateway.agents.closing import TRY_LATER
from gateway.agents.pace import Pace
from gateway.agents.settings import AgentGatewaySettings
from libs.kit.clock import StandingClock


@pytest.fixture
def clock() -> StandingClock:
    """A clock that moves only when told to."""
    return StandingClock(datetime(2026, 1, 1, tzinfo=UTC))


class Visitor:
    """A guest that remembers being shown out."""

    def __init__(self) -> None:
        self.is_out = False

    def expire(self) -> None:
        """Shown out."""
        self.is_out = True


def test_a_bucket_gives_its_burst_and_then_its_rate(clock: StandingClock) -> None:
    bucket = Bucket(2, 3, clock.monotonic)

    first = [bucket.take() for _ in range(5)]
    clock.advance(timedelta(seconds=1))
    later = [bucket.take() for _ in range(5)]

    assert first == [True, True, True, False, False]
    assert later == [True, True, False, False, False]


def test_ten_thousand_that_come_at_once_are_spread_over_the_time_they_need(
    clock: StandingClock,
) -> None:
    admission = Admission(200, 500, clock.monotonic)

    answers = [admission.admit() for _ in range(10_000)]

    waits = sorted(wait for wait in answers if wait is not None)
    assert len(waits) == 9_500
    assert waits[0] >= 1
    assert 60 < waits[-1] < 100  # 9,500 at 200 a second take 47 s; twice that, at most
    busiest = max(sum(second <= wait < second + 1 for wait in waits) for second in range(100))
    assert busiest < 600


def test_the_crowd_is_forgotten_with_time(clock: StandingClock) -> None:
    admission = Admission(100, 1, clock.monotonic)
    for _ in range(5_000):
        admission.admit()
    clock.advance(timedelta(seconds=60))
    admission.admit()

    wait = admission.admit()

    assert wait is not None
    assert wait < 4


def test_peers_do_not_use_up_each_others_share(clock: StandingClock) -> None:
    rates = PeerRates(1, 1, clock.monotonic)

    answers = [rates.take(peer) for peer in ("a", "a", "b")]

    assert answers == [True, False, True]


def test_quiet_peers_are_forgotten_and_busy_ones_are_not(clock: StandingClock) -> None:
    rates = PeerRates(1, 1, clock.monotonic)
    for number in range(PeerRates.LIMIT):
        rates.take(f"p{number}")

    assert not rates.take("one more")
    clock.advance(timedelta(seconds=2))
    assert rates.take("one more")


def test_the_oldest_guest_leaves_when_the_lobby_is_full(clock: StandingClock) -> None:
    lobby = Lobby(10, 2, clock.monotonic)
    guests = [Visitor() for _ in range(3)]

    for guest in guests:
        lobby.enter(guest)

    assert [guest.is_out for guest in guests] == [True, False, False]


def test_guests_whose_time_is_up_leave_even_if_somebody_else_speaks_for_them(
    clock: StandingClock,
) -> None:
    lobby = Lobby(10, 10, clock.monotonic)
    door, session, proven = Visitor(), Visitor(), Visitor()
    lobby.enter(door)
    lobby.enter(proven)
    lobby.hand_over(door, session)
    lobby.leave(proven)
    clock.advance(timedelta(seconds=11))

    lobby.sweep()

    assert (door.is_out, session.is_out, proven.is_out) == (False, True, False)
    assert len(lobby) == 0


def test_a_pace_counts_anew_in_each_window(clock: StandingClock) -> None:
    pace = Pace(clock.monotonic)
    assert [pace.message(2) for _ in range(3)] == [True, True, False]

    clock.advance(timedelta(seconds=11))

    assert pace.message(2)
    assert pace.heartbeat(1)
    assert not pace.heartbeat(1)


def test_a_close_reason_fits_into_a_close_frame() -> None:
    closing = TRY_LATER.because("ü" * 200)

    assert len(closing.reason.encode()) <= 123


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError):
        AgentGatewaySettings(
            session_buffer_bytes=64 * 1024 * 1024, uplink_buffer_bytes=2 * 1024 * 1024
        )


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSJOB_AGENT_GATEWAY_PORT", "9001")

    assert AgentGatewaySettings().port == 9001

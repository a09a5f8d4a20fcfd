"""A batch of messages boils down to what is true at its end."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from services.hosts.agents.domain import Departure, boiled_down

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


def message(kind: str, seconds: float = 0, **fields: object) -> dict[str, object]:
    return {
        "t": kind,
        "agent_id": "a",
        "gateway_id": "g1",
        "session_id": "s1",
        "boot_id": "b1",
        "at": at(seconds),
        **fields,
    }


def test_the_latest_message_of_an_agent_counts() -> None:
    news = boiled_down(
        [
            message("connected", -30, hello={"agent_version": "1.2", "arch": "x86_64"}),
            message("heartbeat", -20, metrics={"cpu_percent": 1}),
            message("heartbeat", -10, metrics={"cpu_percent": 2}, gateway_id="g2"),
            message("heartbeat", -15, metrics={"cpu_percent": 9}),
        ],
        NOW,
    )

    (seen,) = news.sightings
    assert (seen.at, seen.gateway_id) == (NOW - timedelta(seconds=10), "g2")
    assert seen.metrics == '{"cpu_percent": 2}'
    assert seen.hello is not None
    assert (seen.hello.version, seen.hello.boot_id) == ("1.2", "b1")
    assert json.loads(seen.hello.inventory) == {"agent_version": "1.2", "arch": "x86_64"}


def test_every_end_of_a_session_is_kept() -> None:
    news = boiled_down(
        [message("disconnected", -5), message("disconnected", -1, session_id="s2")], NOW
    )

    assert news.sightings == []
    assert news.departures == [
        Departure("a", "s1", NOW - timedelta(seconds=5)),
        Departure("a", "s2", NOW - timedelta(seconds=1)),
    ]


def test_the_future_counts_as_now() -> None:
    (seen,) = boiled_down([message("heartbeat", 3600)], NOW).sightings

    assert seen.at == NOW


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"t": "heartbeat"},
        message("heartbeat", agent_id=7),
        message("heartbeat", agent_id=""),
        message("heartbeat", agent_id="x" * 200),
        message("heartbeat", agent_id="a\0b"),
        message("heartbeat", at=None),
        message("heartbeat", at="yesterday"),
        message("heartbeat", at="2026-03-01T12:00:00"),
        message("disconnected", session_id=None),
        message("something else"),
    ],
    ids=lambda broken: str(broken)[:30],
)
def test_what_cannot_be_understood_is_left_out(broken: dict[str, object]) -> None:
    news = boiled_down([broken, message("heartbeat", agent_id="b")], NOW)

    assert [seen.agent_id for seen in news.sightings] == ["b"]
    assert news.departures == []


def test_an_inventory_without_bounds_is_dropped() -> None:
    hello = {"hostname": "x" * 100_000, "agent_version": "1"}

    (seen,) = boiled_down([message("connected", hello=hello)], NOW).sightings

    assert seen.hello is not None
    assert (seen.hello.inventory, seen.hello.version) == ("{}", "1")


def test_a_heartbeat_without_figures_keeps_the_last_ones() -> None:
    (seen,) = boiled_down([message("heartbeat", metrics={"x": "y"})], NOW).sightings

    assert seen.metrics is None

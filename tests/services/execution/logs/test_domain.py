"""How long output is waited for: by our own clock, and only while it could have come."""

from services.execution.logs.domain import DEAF_SECONDS, Patience

STEP = 20.0


def looks(patience: Patience, sizes: dict[str, int], start: float, seconds: float) -> set[str]:
    """Look every 20 s for so long; what the last look says."""
    at, over = start, patience.over(sizes, at=start)
    while at < start + seconds:
        at += STEP
        over = patience.over(sizes, at=at)
    return over


def test_r18_what_stands_still_is_given_up_in_time_and_not_sooner() -> None:
    patience = Patience(120)

    assert looks(patience, {"a": 5}, 1000, 100) == set()
    assert patience.over({"a": 5, "b": 5}, at=1120) == {"a"}


def test_r18_whatever_arrives_begins_the_time_anew() -> None:
    patience = Patience(120)
    looks(patience, {"a": 5}, 1000, 100)

    assert looks(patience, {"a": 6}, 1120, 100) == set()
    assert patience.over({"a": 6}, at=1240) == {"a"}


def test_r39_time_in_which_nothing_could_arrive_does_not_count() -> None:
    patience = Patience(120)
    looks(patience, {"a": 5}, 1000, 100)

    patience.begin_again()
    assert looks(patience, {"a": 5}, 1120, 100) == set()
    assert patience.over({"a": 5}, at=1220 + DEAF_SECONDS + 1) == set()
    assert looks(patience, {"a": 5}, 1260, 120) == {"a"}

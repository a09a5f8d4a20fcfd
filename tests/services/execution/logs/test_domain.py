"""How long output is waited for: by our own clock, and only while it could have come."""

from services.execution.logs.domain import DEAF_SECONDS, LONGEST, Missing, Patience

STEP = 20.0


def of(agent_id: str, **sizes: int) -> dict[str, Missing]:
    """Tasks of one agent with the bytes of each that are durable."""
    return {task_id: Missing(agent_id, size) for task_id, size in sizes.items()}


def looks(
    patience: Patience, missing: dict[str, Missing], start: float, seconds: float
) -> set[str]:
    """Look every 20 s for so long; what the last look says."""
    at, over = start, patience.over(missing, at=start)
    while at < start + seconds:
        at += STEP
        over = patience.over(missing, at=at)
    return over


def test_r18_what_stands_still_is_given_up_in_time_and_not_sooner() -> None:
    patience = Patience(120)

    assert looks(patience, of("agent-1", a=5), 1000, 100) == set()
    assert patience.over(of("agent-1", a=5, b=5), at=1120) == {"a"}


def test_r18_whatever_arrives_begins_the_time_anew() -> None:
    patience = Patience(120)
    looks(patience, of("agent-1", a=5), 1000, 100)

    assert looks(patience, of("agent-1", a=6), 1120, 100) == set()
    assert patience.over(of("agent-1", a=6), at=1240) == {"a"}


def test_r39_time_in_which_nothing_could_arrive_does_not_count() -> None:
    patience = Patience(120)
    looks(patience, of("agent-1", a=5), 1000, 100)

    patience.begin_again()
    assert looks(patience, of("agent-1", a=5), 1120, 100) == set()
    assert patience.over(of("agent-1", a=5), at=1220 + DEAF_SECONDS + 1) == set()
    assert looks(patience, of("agent-1", a=5), 1260, 120) == {"a"}


def test_r18_output_that_stands_behind_others_of_its_agent_is_waited_for_longer() -> None:
    patience = Patience(120)
    mine, others = of("agent-1", a=5), of("agent-2", b=5)
    looks(patience, mine | others, 1000, 100)

    patience.heard({"agent-1"}, at=1110)

    assert patience.over(mine | others, at=1120) == {"b"}
    assert looks(patience, mine, 1125, 90) == set()
    assert looks(patience, mine, 1220, 20) == {"a"}


def test_r18_an_agent_that_sends_for_ever_does_not_hide_what_is_missing() -> None:
    patience = Patience(120)
    at, over = 1000.0, set[str]()
    while not over:
        patience.heard({"agent-1"}, at=at)
        over = patience.over(of("agent-1", a=5), at=at)
        at += STEP

    assert at - STEP == 1000 + LONGEST * 120

"""The fan-out's figures: medians, the floor's limit, and Salt's where it took part."""

import pytest

from bench.fanout import Turns, figures

OURS = [0.3, 0.2, 0.9]
IN_SH = [0.2, 0.25, 0.1]
BARE = [0.05, 0.04, 0.06]
BARE_IN_BASH = [0.08, 0.075, 0.09]


def test_ours_is_set_against_the_floor() -> None:
    turns = Turns(OURS, IN_SH, BARE, BARE_IN_BASH)

    seen = [(f.name, f.value, f.reference, f.n) for f in figures(40, turns)]

    assert seen == [
        ("fanout_floor", 50.0, None, 40),
        ("fanout_hello", 300.0, 200.0, 40),
        ("fanout_floors", 6.0, 4.0, 40),
        ("fanout_hello_in_sh", 200.0, 200.0, 40),
        ("fanout_floors_in_sh", 4.0, 4.0, 40),
        ("fanout_floor_in_bash", 80.0, None, 40),
        ("fanout_floors_of_bash", 3.75, 4.0, 40),
    ]


@pytest.mark.parametrize(("salt", "times", "kept"), [(2.7, 9.0, 1.125), (1.5, 5.0, 0.625)])
def test_ours_is_set_against_salt_in_the_same_run(salt: float, times: float, kept: float) -> None:
    turns = Turns(OURS, IN_SH, BARE, BARE_IN_BASH, salt=[9.9, salt, 0.1])

    theirs, faster = list(figures(10, turns))[7:]

    assert (theirs.name, theirs.value, theirs.unit) == (
        "fanout_salt_local_client",
        salt * 1000,
        "ms",
    )
    assert (faster.name, faster.value, faster.reference, faster.ratio, faster.n) == (
        "fanout_times_faster_than_salt",
        times,
        8.0,
        kept,
        10,
    )


def test_the_newest_turn_is_told_while_the_run_goes_on() -> None:
    told = "ours 900 ms, ours in sh 100 ms, floor 60 ms, floor in bash 90 ms"
    assert Turns(OURS, IN_SH, BARE, BARE_IN_BASH).newest() == told

    with_salt = Turns(OURS, IN_SH, BARE, BARE_IN_BASH, salt=[1.0, 2.5]).newest()
    assert with_salt == f"{told}, Salt 2,500 ms"

"""Instants: what passed the check of the protocol becomes seconds since 1970."""

import pytest

from libs.protocol.moments import instant, moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-01-02T03:04:05Z", 1767323045.0),
        ("2026-01-02T03:04:05+00:00", 1767323045.0),
        ("2026-01-02T03:04:05.25Z", 1767323045.25),
        ("2026-01-02T03:04:05.678901+00:00", 1767323045.678901),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("2099-01-01T00:00:00.000000001Z", 4070908800.000000001),
    ],
)
def test_an_instant_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert instant(text) == seconds


@pytest.mark.parametrize("text", ["2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "soon"])
def test_a_day_that_never_was_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant(text)


def test_a_moment_reads_back_as_it_was() -> None:
    assert instant(moment(1767323045.678901)) == pytest.approx(1767323045.678901, abs=2e-6)

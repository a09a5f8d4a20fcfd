"""Times that do not fit together are refused when the service starts, with the reason."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.support.execution import running

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("START_SECONDS", "20", "more than two heartbeats"),
        ("SWEEP_SECONDS", "16", "at most reoffer_seconds"),
        ("REOFFER_SECONDS", "160", "at most half of start_ and lost_seconds"),
        ("FAILOVER_SECONDS", "10", "0 or at least three heartbeats"),
    ],
)
async def test_timers_that_do_not_fit_are_refused_at_the_start(
    name: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"OPSJOB_EXECUTION_{name}", value)

    with pytest.raises(ValidationError, match=why):
        async with running(f"sqlite:///{tmp_path}/execution.db", "unix:///nobody", tmp_path):
            pytest.fail("it started")


async def test_a_sweep_that_is_too_slow_for_the_time_of_loss_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPSJOB_EXECUTION_LOST_SECONDS", "100")
    monkeypatch.setenv("OPSJOB_EXECUTION_SWEEP_SECONDS", "11")

    with pytest.raises(ValidationError, match="a tenth of lost_seconds"):
        async with running(f"sqlite:///{tmp_path}/execution.db", "unix:///nobody", tmp_path):
            pytest.fail("it started")

"""The short version of `make chaos`: every invariant after some seconds of seeded faults."""

import os
from pathlib import Path

import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.run import hurt, site

pytestmark = [pytest.mark.processes, pytest.mark.slow]

SEED = int(os.environ.get("CHAOS_SEED", "7"))
SECONDS = 8.0


async def test_everything_holds_after_seeded_faults(tmp_path: Path, db_kind: str) -> None:
    """CHAOS_SEED=n repeats another sequence of faults."""
    async with site(tmp_path / "site", db=db_kind, seed=SEED, agents=2) as built:
        nemesis = await hurt(built, seconds=SECONDS, per_second=2.0, pauses=(0.2, 1.2))
        verdicts = judge(await gather(built, nemesis))

    problems = [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]
    trace = tmp_path / "site" / "trace.jsonl"
    assert not problems, f"seed {SEED}, trace {trace}: " + "; ".join(problems)
    assert sum(nemesis.done.values()) >= 3
    assert sum(verdict.checked for verdict in verdicts) > 100

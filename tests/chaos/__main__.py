"""`make chaos`: minutes under faults, then one line per invariant; exit code 1 on a problem.

python -m tests.chaos --seconds 600 --seed 1 --db sqlite
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.chaos.checker import Verdict, judge
from tests.chaos.evidence import Evidence, gather
from tests.chaos.nemesis import Nemesis
from tests.chaos.run import hurt, site


async def run(folder: Path, options: argparse.Namespace) -> tuple[Nemesis, Evidence]:
    """Hurt a platform and gather what is left."""
    async with site(folder, db=options.db, seed=options.seed, agents=options.agents) as built:
        nemesis = await hurt(
            built, seconds=options.seconds, per_second=options.rate, pauses=(0.5, 3.0)
        )
        return nemesis, await gather(built, nemesis)


def report(nemesis: Nemesis, evidence: Evidence) -> list[Verdict]:
    """Print what was done and what was seen."""
    verdicts = judge(evidence)
    say = sys.stdout.write
    say(f"faults: {sum(nemesis.done.values())} — {dict(nemesis.done.most_common())}\n")
    say(f"lines:  {dict(evidence.witness.deeds)}; {dict(evidence.witness.kinds.most_common())}\n")
    states: dict[str, int] = {}
    for task in evidence.tasks.values():
        states[str(task["status"])] = states.get(str(task["status"]), 0) + 1
    asked, acknowledged = len(evidence.operations), len(evidence.acknowledged)
    say(f"asked {asked}, acknowledged {acknowledged}, tasks {len(evidence.tasks)}: {states}\n")
    for verdict in verdicts:
        say(f"{verdict}\n")
        for problem in verdict.problems[:5]:
            say(f"         {problem}\n")
    return verdicts


def main() -> int:
    """Parse, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--db", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2.0, help="executions a second")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="opsjob-chaos-", dir=os.environ.get("TMPDIR")))
    sys.stdout.write(f"seed {options.seed}, {options.db}, {options.seconds:g} s; {folder}\n")
    nemesis, evidence = asyncio.run(run(folder, options))
    verdicts = report(nemesis, evidence)
    is_fine = not any(verdict.problems for verdict in verdicts)
    if not is_fine:
        sys.stdout.write(f"seed {options.seed}; trace {folder / 'trace.jsonl'}\n")
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())

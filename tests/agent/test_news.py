"""When a shim wakes the agent: once for what prints and ends, sooner for what goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.conftest import ROOT

PROGRAM = """
import os, sys
from agent import shim
from agent.script import Workplace
from agent.wakeups import listen_for_signals
from agent.work import Launch

folder, script, first, later = sys.argv[1:]
shim._START_SECONDS = 60.0
shim._FIRST_NEWS_SECONDS, shim._NEWS_SECONDS = float(first), float(later)
order = Launch(
    *("t1.1", "mark", ["/bin/sh"], script, "script.sh", [], {"PATH": os.environ["PATH"]}, ""),
    *(folder, os.geteuid(), os.getegid(), [], 60.0, 2**20, 2**20, None),
)
os.mkdir(os.path.join(folder, order.name))
pokes = []
poke = lambda name: pokes.append(name) or True
around = shim.Surroundings(folder, -1, None)
shim.Shim(order, around, Workplace(), poke).run(listen_for_signals())
print(len(pokes))
"""
PRINTS_AND_ENDS_SOON = "echo hello; sleep 0.1"
PRINTS_TWICE = "echo a; sleep 0.3; echo b; sleep 0.3"


def pokes(folder: Path, script: str, *, first: float, later: float) -> int:
    """How often a shim pokes when output waits so many seconds for the end of its script."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), script, str(first), str(later)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return int(done.stdout)


@pytest.mark.parametrize(("first", "expected"), [(60.0, 1), (0.0, 2)])
def test_the_first_output_waits_a_moment_for_the_end(
    tmp_path: Path, first: float, expected: int
) -> None:
    assert pokes(tmp_path, PRINTS_AND_ENDS_SOON, first=first, later=0.0) == expected


def test_once_the_start_is_told_output_waits_for_less(tmp_path: Path) -> None:
    assert pokes(tmp_path, PRINTS_TWICE, first=0.0, later=0.0) == 3
    (other := tmp_path / "other").mkdir()
    assert pokes(other, PRINTS_TWICE, first=0.0, later=60.0) == 2

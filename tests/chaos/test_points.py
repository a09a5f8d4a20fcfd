"""Fault points: each has a test that fires it, and a release has none at all."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import test_agent_points, test_platform_points
from tests.chaos.nemesis import AGENT_POINTS, PLATFORM_POINTS
from tests.support.fault_points import FaultInjected, FaultPoints
from tests.support.faults import Faults
from tests.support.tree import PACKAGES, REPOSITORY

# Fired by `make chaos` alone: an acknowledgement that is lost after the effect, a slow sweep.
ELSEWHERE = {"facts.before_ack", "sweep.before_write"}
_CALL = re.compile(r'^[^#`\n]*\bfault\("([a-z_.]+)"\)', re.MULTILINE)


def named_in_the_code() -> set[str]:
    files = [file for package in PACKAGES for file in (REPOSITORY / package).rglob("*.py")]
    return {name for file in files for name in _CALL.findall(file.read_text())}


def test_every_point_has_a_test_that_fires_it() -> None:
    fired = {name.split()[-1] for name in test_platform_points.POINTS}
    fired |= set(test_agent_points.POINTS) | ELSEWHERE

    assert named_in_the_code() == fired
    assert set(AGENT_POINTS) == set(test_agent_points.POINTS)
    assert set(PLATFORM_POINTS) <= fired


@pytest.mark.parametrize("module", ["libs/kit/faults.py", "agent/faults.py"])
@pytest.mark.parametrize("is_release", [True, False], ids=["release", "source tree"])
def test_a_release_has_no_fault_points_whatever_its_environment_says(
    module: str, is_release: bool, tmp_path: Path
) -> None:
    """What is done at a point is code of the tests, and no release contains them."""
    faults = Faults(tmp_path / "faults")
    faults.arm("some.point", "exit")
    root = REPOSITORY
    if is_release:
        root = tmp_path / "installed"
        parts = ("libs/__init__.py", "libs/kit/__init__.py", "libs/kit/settings.py")
        for file in (*parts, "agent/__init__.py", module):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / file, root / file)
    name = module.removesuffix(".py").replace("/", ".")
    code = f"from {name} import fault; fault('some.point'); print('alive')"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONPATH": str(root), **faults.environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout == "alive\n") is is_release, done.stderr
    assert faults.has_fired("some.point") is not is_release


def test_a_point_strikes_once_and_says_so(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    first, second = FaultPoints(str(tmp_path)), FaultPoints(str(tmp_path))
    faults.arm("a.b", "raise")

    with pytest.raises(FaultInjected):
        first.at("a.b")
    assert (first.at("a.b"), second.at("a.b")) == ("", "")
    assert faults.has_fired("a.b")


def test_a_point_may_let_some_pass_and_may_strike_each_time(tmp_path: Path) -> None:
    faults, points = Faults(tmp_path), FaultPoints(str(tmp_path))
    faults.arm("late", "drop skip=2")
    faults.arm_always("each", "duplicate")

    assert [points.at("late") for _ in range(4)] == ["", "", "drop", ""]
    assert [points.at("each") for _ in range(3)] == ["duplicate"] * 3
    faults.disarm("each")
    assert points.at("each") == ""

"""Named places at which a test can make this process fail; in a release they do nothing.

`fault("accept.after_commit")` marks a place. It costs a call of an empty function unless the
process was started with OPSJOB_FAULTS *and* runs from a source tree: what is done at a place is
code of the tests (tests/support/fault_points.py), and no release contains the tests.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

from libs.kit.settings import FaultSettings

_ACTIONS: Final = Path(__file__).parents[2] / "tests" / "support" / "fault_points.py"


def _nothing(point: str) -> str:
    return ""


def _armed() -> Callable[[str], str]:
    folder = FaultSettings().faults
    spec = importlib.util.spec_from_file_location("opsjob_fault_points", _ACTIONS)
    if not folder or not _ACTIONS.is_file() or spec is None or spec.loader is None:
        return _nothing
    actions = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(actions)
    at: Callable[[str], str] = actions.FaultPoints(folder).at
    return at


fault: Final[Callable[[str], str]] = _armed()
"""Passes a named place; answers "drop" or "duplicate" where a test wants that, else nothing."""

"""Named places at which a test can make this process fail; in a release they do nothing.

`fault("journal.starting")` marks a place. It costs a call of an empty function unless the
process was started with OPSJOB_FAULTS *and* runs from a source tree: what is done at a place is
code of the tests (tests/support/fault_points.py), and no release contains the tests.
"""

from __future__ import annotations

import importlib
import os
from typing import Callable

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ACTIONS = os.path.join(_ROOT, "tests", "support", "fault_points.py")


def _nothing(point: str) -> str:
    return ""


def _armed() -> Callable[[str], str]:
    folder = os.environ.get("OPSJOB_FAULTS")
    if not folder or not os.path.isfile(_ACTIONS):
        return _nothing
    loading = importlib.import_module("importlib.util")  # agents on hosts never need it
    spec = loading.spec_from_file_location("opsjob_fault_points", _ACTIONS)
    actions = loading.module_from_spec(spec)
    spec.loader.exec_module(actions)
    at: Callable[[str], str] = actions.FaultPoints(folder).at
    return at


fault = _armed()
"""Passes a named place; answers "drop" or "duplicate" where a test wants that, else nothing."""

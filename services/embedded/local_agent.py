"""The agent of this machine: enrolled once, then run as a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

from services.embedded import forking
from services.embedded.folder import DataFolder

ENROL_SECONDS = 60
_ROOT = Path(__file__).parents[2]  # where the package `agent` is found
_OURS = "OPSJOB_"

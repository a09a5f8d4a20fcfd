"""What the agent keeps out of its memory."""

from __future__ import annotations

import sys
import types


def spare_metadata() -> None:
    """Have `websockets` not look for its own version, before it is imported for the first time.

    It would import the metadata of packages, and with them what reads mail and archives: 2 MB of
    the 30 that an agent may take, for a version that nothing here asks for.
    """
    name = "websockets.version"
    if name not in sys.modules:
        known = types.ModuleType(name)
        vars(known).update(version="", tag="", commit="")
        sys.modules[name] = known

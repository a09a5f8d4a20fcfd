"""What a login is called for the person who looks at the list."""

import re
from typing import Final

# The first name that is found wins: browsers name each other, ours come first.
_PROGRAMS: Final = (
    ("opsjob", "opsjob command"),
    ("python-httpx", "opsjob command"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_UNSHOWN: Final = re.compile(r"[^\x20-\x7e]")


def device(user_agent: str) -> str:
    """A short name of program and system, such as `Firefox on Linux`; never empty."""
    text = _UNSHOWN.sub("", user_agent)
    program = next((name for mark, name in _PROGRAMS if mark in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    if program and system:
        return f"{program} on {system}"
    return program or system or text[:40].strip() or "unknown"

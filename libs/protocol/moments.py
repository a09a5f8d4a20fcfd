"""Instants as the protocol writes them: RFC 3339 in UTC with microseconds."""

import calendar
import time
from datetime import datetime


def moment(seconds: float) -> str:
    """Seconds since 1970 as text."""
    whole = int(seconds)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{text}.{int((seconds - whole) * 1_000_000):06d}Z"


def instant(text: str) -> float:
    """Text that passed the check of the protocol as seconds since 1970; ValueError otherwise."""
    plain = text[:-1] if text.endswith("Z") else text[:-6]
    head, _, fraction = plain.partition(".")
    return _whole(head) + (float(f"0.{fraction}") if fraction else 0.0)


def _whole(head: str) -> float:
    """Date and time as seconds; strptime, which knows leap seconds, takes ten times as long."""
    try:
        return datetime.fromisoformat(f"{head}+00:00").timestamp()
    except ValueError:
        return calendar.timegm(time.strptime(head, "%Y-%m-%dT%H:%M:%S"))

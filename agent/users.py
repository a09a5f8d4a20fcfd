"""Whom a script runs as."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass


class UserUnknown(Exception):
    """No such login name on this host; numeric ids are no names."""


class UserDenied(Exception):
    """An agent that is not root can only run scripts as its own user."""


@dataclass(frozen=True)
class User:
    """A user of this host, with all groups a login would give."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


def resolve(run_as: str | None) -> User:
    """The user for an order; None means the agent's own. Raises UserUnknown, UserDenied."""
    own = os.geteuid()
    try:
        entry = pwd.getpwuid(own) if run_as is None else pwd.getpwnam(run_as)
    except (KeyError, ValueError):
        if run_as is None:
            return User(str(own), own, os.getegid(), (os.getegid(),), "/", "/bin/sh")
        raise UserUnknown(run_as) from None
    if own not in (0, entry.pw_uid):
        raise UserDenied(entry.pw_name)
    return User(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)),
        home=entry.pw_dir or "/",
        shell=entry.pw_shell or "/bin/sh",
    )

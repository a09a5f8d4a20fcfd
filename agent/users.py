"""Whom a script runs as."""

from __future__ import annotations

import os
import pwd
import time
from dataclasses import dataclass

_REMEMBER_SECONDS = 60.0


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


_own: dict[int, tuple[User, float]] = {}


def resolve(run_as: str | None) -> User:
    """The user for an order; None means the agent's own. Raises UserUnknown, UserDenied.

    What was found of the own one is taken again for a minute; it is only read by a script.
    """
    own = os.geteuid()
    if run_as is not None:
        return _named(run_as, own)
    known, at = _own.get(own, (None, 0.0))
    now = time.monotonic()
    if known is None or now - at >= _REMEMBER_SECONDS:
        known = _by_number(own)
        _own[own] = known, now
    return known


def _named(run_as: str, own: int) -> User:
    try:
        entry = pwd.getpwnam(run_as)
    except (KeyError, ValueError):
        raise UserUnknown(run_as) from None
    if own not in (0, entry.pw_uid):
        raise UserDenied(entry.pw_name)
    return _user(entry)


def _by_number(own: int) -> User:
    try:
        return _user(pwd.getpwuid(own))
    except KeyError:
        return User(str(own), own, os.getegid(), (os.getegid(),), "/", "/bin/sh")


def _user(entry: pwd.struct_passwd) -> User:
    return User(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)),
        home=entry.pw_dir or "/",
        shell=entry.pw_shell or "/bin/sh",
    )

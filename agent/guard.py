"""Holds every order against the host's own rules: its policy, and the lock for maintenance.

A new order begins with one look at the attributes of the two files, a start with one at those of
the lock; they are read when those have changed. What cannot be looked at counts as a lock.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Optional

from agent.errands import TransferRules
from agent.maintenance import locked
from agent.policy import DEFAULT_PATH, NO_POLICY, HostPolicy, PolicyUnusable, load
from agent.state import StateFolder
from agent.users import User
from libs.protocol.messages import Order, RejectReason

_logger = logging.getLogger(__name__)

Refusal = tuple[RejectReason, str]
_Look = Optional[tuple[int, ...]]
_NEVER: _Look = (-2,)


class Guard:
    """What this host refuses, whatever the platform signed. May be asked from any thread.

    Without a `path` the policy is where it usually lies, if there is one. One that was named must
    be there.
    """

    def __init__(self, state: StateFolder, path: str = "") -> None:
        self._state = state
        self._path = path or DEFAULT_PATH
        self._is_named = bool(path)
        self._policy = NO_POLICY
        self._problem = ""
        self._lock: dict[str, str] | None = None
        self._policy_look = _NEVER
        self._lock_look: _Look = None
        self.look()

    @property
    def is_locked(self) -> bool:
        """Whether maintenance keeps everything new away, as of the last look."""
        return self._lock is not None

    def look(self) -> None:
        """Read again what has changed on the disk."""
        seen = _look(self._path)
        if seen != self._policy_look:
            self._take_policy()
            self._policy_look = seen
        self._look_at_lock()

    def _look_at_lock(self) -> None:
        seen = _look(self._state.maintenance)
        if seen != self._lock_look:
            self._lock = locked(self._state)
            self._lock_look = seen
            _logger.warning("Maintenance %s.", "is over" if self._lock is None else "begins")

    def _take_policy(self) -> None:
        try:
            found = load(self._path)
            if found is None and self._is_named:
                raise PolicyUnusable(f"{self._path} is not there.")
        except PolicyUnusable as error:
            self._policy, self._problem = NO_POLICY, str(error)
            _logger.error("The policy of this host is unusable, nothing is taken on: %s", error)
            return
        self._policy, self._problem = found or NO_POLICY, ""
        if found is not None:
            _logger.warning("The policy of this host is in force: %s", found.told())

    def why_not_start(self) -> Refusal | None:
        """Why nothing at all may start at this moment, None if something may."""
        self._look_at_lock()
        return self._why_nothing()

    def _why_nothing(self) -> Refusal | None:
        if self._lock is not None:
            return "policy_maintenance", _plain(self._lock["reason"])
        if self._problem:
            return "policy_unusable", _plain(self._problem)
        return None

    def why_not(self, order: Order) -> Refusal | None:
        """Why this order is not taken on, by what it says itself; accounts are looked up later."""
        refusal = self._why_nothing()
        if refusal is not None:
            return refusal
        policy = self._policy
        longest = policy.longest_seconds
        if longest is not None and order.timeout_seconds > longest:
            return "policy_run_time", f"at most {longest:g} s"
        if order.run_as is not None and not _has(policy.accounts, order.run_as):
            return "policy_account", order.run_as
        if order.action == "script":
            if not _has(policy.script_types, order.script_type):
                return "policy_script_type", order.script_type
        elif policy.file_roots == ():
            return "policy_files", "no folder is allowed"
        return None

    def why_not_as(self, user: User) -> Refusal | None:
        """Why nothing runs as this account, root under another name included."""
        policy = self._policy
        if not _has(policy.accounts, user.name) or (user.uid == 0 and not policy.root):
            return "policy_account", user.name
        return None

    def hears(self, kid: str, *, is_new: bool) -> bool:
        """Whether messages of this signer key count here; the first question about each.

        `is_new` says that it is an order of which nothing was known.
        """
        if is_new:
            self.look()
        return _has(self._policy.signer_keys, kid)

    def narrowed(self, rules: TransferRules) -> TransferRules:
        """Rules for transfers with those folders only that the policy allows too."""
        if self._policy.file_roots is None:
            return rules
        return replace(rules, host_roots=self._policy.file_roots)

    def report(self) -> dict[str, object]:
        """Policy and lock in force, for `opsjob-agent status`."""
        self.look()
        return {
            "policy": {"file": self._path, **_told(self._policy, self._problem)},
            "maintenance": self._lock,
        }


def _told(policy: HostPolicy, problem: str) -> dict[str, object]:
    return {"problem": problem} if problem else {"limits": policy.told()}


def _has(allowed: tuple[str, ...] | None, name: str) -> bool:
    return allowed is None or name in allowed


def _plain(text: str) -> str:
    """Text that a message may hold, whatever somebody wrote into the files."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:512]


def _look(path: str) -> _Look:
    """What changes when a file does; nothing if there is none."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return (-1, error.errno or 0)
    return (
        *(found.st_ino, found.st_dev, found.st_mtime_ns, found.st_ctime_ns),
        *(found.st_size, found.st_mode, found.st_uid),
    )

"""The host's own policy: a file of root's that says what this agent takes on, whoever orders it.

It can only take away. What it does not name is left to the platform; what it names wrongly, or a
file that somebody else could have written, stops everything: a limit must not vanish by a slip.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Callable

from agent.interpreters import KINDS

DEFAULT_PATH = "/etc/opsjob-agent/policy.json"
_ROOT = 0
_MAX_BYTES = 64 * 1024
_MAX_ENTRIES = 1000
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_LONGEST_SECONDS = 31_622_400.0
_KID_LETTERS = frozenset("0123456789abcdef")


class PolicyUnusable(Exception):
    """The file is there and does not count; the sentence says why."""


@dataclass(frozen=True)
class HostPolicy:
    """What a host takes on; None leaves a thing to the platform.

    `accounts` are login names that scripts and transfers may run as, the agent's own one included;
    `root` says whether any of them may have the user id 0. An order that may run longer than
    `longest_seconds` is refused, not shortened. `file_roots` are the only folders that files are
    put into or fetched from, none at all if it is empty. `signer_keys` are names of signer keys.
    """

    accounts: tuple[str, ...] | None = None
    root: bool = True
    longest_seconds: float | None = None
    script_types: tuple[str, ...] | None = None
    file_roots: tuple[str, ...] | None = None
    signer_keys: tuple[str, ...] | None = None

    def told(self) -> dict[str, object]:
        """What it limits, for people."""
        limits = {name: value for name, value in asdict(self).items() if value is not None}
        if self.root:
            del limits["root"]
        return limits


NO_POLICY = HostPolicy()


def load(path: str) -> HostPolicy | None:
    """The policy in a file, None if there is no file; raises PolicyUnusable.

    Neither the file nor a folder on the way to it may belong to, or be writable by, anybody but
    root; links are not followed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PolicyUnusable(f"{path} cannot be read: {error.strerror}.") from None
    try:
        _check_file(path, os.fstat(descriptor))
        _check_folders(os.path.dirname(os.path.realpath(path)))
        content = os.read(descriptor, _MAX_BYTES + 1)
    except OSError as error:
        raise PolicyUnusable(f"{path} cannot be read: {error.strerror}.") from None
    finally:
        os.close(descriptor)
    if len(content) > _MAX_BYTES:
        raise PolicyUnusable(f"{path} is larger than {_MAX_BYTES} bytes.")
    return _read(path, content)


def _check_file(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise PolicyUnusable(f"{path} is no file.")
    if found.st_uid != _ROOT or found.st_mode & _OTHERS_WRITE:
        raise PolicyUnusable(f"{path} must belong to root and be writable by nobody else.")


def _check_folders(folder: str) -> None:
    """A folder that others may write to counts only with the sticky bit, as `/tmp` has it."""
    while True:
        found = os.stat(folder)
        is_open = found.st_mode & _OTHERS_WRITE and not found.st_mode & stat.S_ISVTX
        if found.st_uid != _ROOT or is_open:
            raise PolicyUnusable(f"{folder} must belong to root and be writable by nobody else.")
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _read(path: str, content: bytes) -> HostPolicy:
    try:
        raw = json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
        if not isinstance(raw, dict):
            raise ValueError("it is no JSON object")
        unknown = sorted(set(raw) - set(_FIELDS))
        if unknown:
            raise ValueError(f"{unknown[0][:64]!r} is unknown")
        values = {name: check(raw[name], name) for name, check in _FIELDS.items() if name in raw}
    except (ValueError, RecursionError) as error:
        raise PolicyUnusable(f"{path} is no policy: {error}.") from None
    return HostPolicy(**values)  # type: ignore[arg-type]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _flag(value: object, name: str) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"{name!r} is neither true nor false")
    return value


def _seconds(value: object, name: str) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name!r} is no number")
    if not 0 < value <= _LONGEST_SECONDS:
        raise ValueError(f"{name!r} is not above 0 and within {_LONGEST_SECONDS:.0f}")
    return value


def _list_of(is_good: Callable[[str], bool], what: str) -> Callable[[object, str], object]:
    def check(value: object, name: str) -> object:
        if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
            raise ValueError(f"{name!r} is no list of at most {_MAX_ENTRIES} entries")
        for entry in value:
            if not isinstance(entry, str) or not is_good(entry):
                raise ValueError(f"{name!r} holds what is no {what}")
        return tuple(value)

    return check


_FIELDS: Mapping[str, Callable[[object, str], object]] = {
    "accounts": _list_of(lambda text: 0 < len(text) <= 256, "login name"),
    "root": _flag,
    "longest_seconds": _seconds,
    "script_types": _list_of(lambda text: text in KINDS, "script type"),
    "file_roots": _list_of(lambda text: text.startswith("/"), "absolute path"),
    "signer_keys": _list_of(
        lambda text: len(text) == 16 and _KID_LETTERS.issuperset(text), "name of a signer key"
    ),
}

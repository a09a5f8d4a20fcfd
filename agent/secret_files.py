"""Secrets that a script asked for as files: private, read-only, in memory where the host can."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from agent.state import write_all

FILE_SUFFIX = "_FILE"
"""What is appended to a secret's name for the variable that holds the path of its file."""
_MEMORY = "/dev/shm"  # noqa: S108 - no disk; what lies there is in a private folder


def write_secrets(place: str, mark: str, secrets: Mapping[str, str], user: tuple[int, int]) -> str:
    """One file per secret for that user and group; the folder. Raises OSError.

    `place` is the script's private folder, used where the host has no memory file system.
    """
    parent = _MEMORY if os.path.isdir(_MEMORY) and os.access(_MEMORY, os.W_OK | os.X_OK) else place
    folder = _folder(parent, mark)
    os.mkdir(folder, 0o700)
    is_ours = user[0] == os.geteuid()
    for name, value in secrets.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(os.path.join(folder, name), flags, 0o400)
        try:
            write_all(descriptor, value.encode())
            if not is_ours:
                os.fchown(descriptor, *user)
        finally:
            os.close(descriptor)
    if not is_ours:
        os.chown(folder, *user, follow_symlinks=False)
    return folder


def _folder(parent: str, mark: str) -> str:
    """A task's mark is random, so nobody can be there before."""
    return os.path.join(parent, f"opsjob-{mark}")


def clear_secrets(mark: str) -> None:
    """Remove what a dead shim left in memory."""
    shutil.rmtree(_folder(_MEMORY, mark), ignore_errors=True)

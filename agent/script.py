"""The script's file in a folder of its own, readable by nobody but the user it runs as."""

from __future__ import annotations

import os

from agent.launch import LaunchFailed
from agent.state import write_all
from agent.work import Launch


class PrivateScript:
    """Makes folder and file, and removes both with whatever the script left there."""

    def __init__(self, order: Launch) -> None:
        self._order = order
        self.folder = os.path.join(order.parent, f"opsjob-{os.urandom(12).hex()}")
        self.path = os.path.join(self.folder, order.file_name)

    def write(self) -> None:
        """Create both exclusively, without following links; raises LaunchFailed."""
        order = self._order
        try:
            os.mkdir(self.folder, 0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(self.path, flags, 0o500)
            try:
                write_all(descriptor, order.script.encode("utf-8"))
                if order.uid != os.geteuid():
                    os.fchown(descriptor, order.uid, order.gid)
                    os.chown(self.folder, order.uid, order.gid, follow_symlinks=False)
            finally:
                os.close(descriptor)
        except OSError:
            raise LaunchFailed("script_not_written") from None

    def remove(self) -> None:
        """Delete the folder without following links; what cannot be deleted stays."""
        for _, folders, files, descriptor in os.fwalk(
            self.folder, topdown=False, follow_symlinks=False
        ):
            for name in (*files, *folders):
                _remove(name, descriptor)
        try:
            os.rmdir(self.folder)
        except OSError:
            return


def _remove(name: str, folder: int) -> None:
    for remove in (os.unlink, os.rmdir):
        try:
            remove(name, dir_fd=folder)
        except OSError:
            continue

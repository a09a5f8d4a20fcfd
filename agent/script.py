"""The folder of a script: private to the user it runs as, its working directory, gone after it."""

from __future__ import annotations

import contextlib
import os

from agent.launch import LaunchFailed
from agent.state import write_all
from agent.work import Launch


class Workplace:
    """Makes a script's folder and file. A shim keeps one: for its own user the emptied folder is
    renamed and used again, because a file in a new folder costs six times as much."""

    def __init__(self) -> None:
        self._folder = ""
        self._script = ""
        self._kept = ""
        self._is_ours = False

    def write(self, order: Launch) -> str:
        """Create folder and file exclusively, without following links; the path of the file.

        Raises LaunchFailed.
        """
        self._is_ours = is_ours = order.uid == os.geteuid()
        self._folder = os.path.join(order.parent, f"opsjob-{os.urandom(12).hex()}")
        self._script = path = os.path.join(self._folder, order.file_name)
        try:
            self._make_folder(is_ours=is_ours)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o500)
            try:
                write_all(descriptor, order.script.encode("utf-8"))
                if not is_ours:
                    os.fchown(descriptor, order.uid, order.gid)
                    os.chown(self._folder, order.uid, order.gid, follow_symlinks=False)
            finally:
                os.close(descriptor)
        except OSError:
            raise LaunchFailed("script_not_written") from None
        return path

    def _make_folder(self, *, is_ours: bool) -> None:
        if is_ours and self._kept:
            kept, self._kept = self._kept, ""
            os.rename(kept, self._folder)
            os.chmod(self._folder, 0o700)
        else:
            os.mkdir(self._folder, 0o700)

    def clear(self) -> None:
        """Delete what is in the folder without following links; what resists stays."""
        if self._is_ours and not self._kept and self._took_the_script_alone():
            self._kept = self._folder
            return
        for _, folders, files, descriptor in os.fwalk(
            self._folder, topdown=False, follow_symlinks=False
        ):
            for name in (*files, *folders):
                _remove(name, descriptor)
        with contextlib.suppress(OSError):
            if not self._kept and os.stat(self._folder).st_uid == os.geteuid():
                self._kept = "" if os.listdir(self._folder) else self._folder
            if self._kept != self._folder:
                os.rmdir(self._folder)

    def _took_the_script_alone(self) -> bool:
        """The usual case: the folder is still ours, and nothing but the script was in it."""
        try:
            if os.listdir(self._folder) != [os.path.basename(self._script)]:
                return False
            os.unlink(self._script)
            return os.stat(self._folder).st_uid == os.geteuid()
        except OSError:
            return False

    def close(self) -> None:
        """Delete the folder that was kept."""
        with contextlib.suppress(OSError):
            os.rmdir(self._kept)


def _remove(name: str, folder: int) -> None:
    for remove in (os.unlink, os.rmdir):
        with contextlib.suppress(OSError):
            remove(name, dir_fd=folder)
            return

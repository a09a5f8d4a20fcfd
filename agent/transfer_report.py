"""What a transfer tells: progress in a small file, lines in its output, and why it failed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time

EXIT_CODES = {
    "io_error": 20,
    "path_refused": 21,
    "target_exists": 22,
    "checksum_mismatch": 23,
    "disk_full": 24,
    "not_permitted": 25,
    "owner_unknown": 26,
    "source_missing": 27,
    "limits_exceeded": 28,
    "connection_lost": 29,
    "ticket_refused": 30,
    "target_unusable": 31,
    "archive_refused": 32,
    "quota_exceeded": 33,
    "order_invalid": 34,
}
"""How a failed transfer ends; the shim turns the code back into the word."""

REASONS = {str(code): word for word, code in EXIT_CODES.items()}

_WRITE_SECONDS = 0.5
_MOST_FILES = 100
"""What one message of progress holds; see `libs.protocol.messages.Progress`."""
_ORDER = {"running": 0, "failed": 1, "waiting": 2, "done": 3, "skipped": 4}
_ERRNO = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    errno.EROFS: "not_permitted",
    errno.ELOOP: "path_refused",
    errno.EISDIR: "target_unusable",
    errno.ENOTDIR: "target_unusable",
    errno.ENAMETOOLONG: "target_unusable",
}


class TransferFailed(Exception):
    """The transfer cannot go on; `reason` is a word of `EXIT_CODES`, the text is for people."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def failure_of(error: OSError, path: str) -> TransferFailed:
    """What the system's refusal means for a path."""
    reason = _ERRNO.get(error.errno or 0, "io_error")
    return TransferFailed(reason, f"{path}: {error.strerror or error}")


class FileState:
    """How far one file is; `at` and `rate` are for the speed over the last seconds."""

    __slots__ = ("at", "counted", "done", "path", "rate", "size", "state")

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.size = size
        self.state = "waiting"
        self.done = 0
        self.at = 0.0
        self.counted = 0
        self.rate = 0.0

    def shown(self) -> dict[str, object]:
        """As the protocol's FileProgress has it."""
        is_moving = self.state == "running" and self.rate > 0
        left = (self.size - self.done) / self.rate if is_moving else None
        return {
            "path": self.path[:4096],
            "state": self.state,
            "done": self.done,
            "size": max(self.size, self.done),
            "bytes_per_second": int(self.rate),
            "seconds_left": None if left is None else round(min(max(left, 0.0), 31_622_400.0), 1),
        }


class Report:
    """The states of all files of one transfer; writes them down at most twice a second.

    The folder is held open, because its path may be closed to the user that we become.
    """

    def __init__(self, path: str) -> None:
        folder, _, self._name = path.rpartition("/")
        self._folder = os.open(folder or "/", os.O_RDONLY | os.O_DIRECTORY)
        self._files: list[FileState] = []
        self._written_at = 0.0

    def expect(self, path: str, size: int) -> FileState:
        """A file that will be moved."""
        state = FileState(path, size)
        self._files.append(state)
        return state

    def begin(self, file: FileState, done: int = 0) -> None:
        """It is moving now, from there."""
        file.state, file.done, file.counted, file.at = "running", done, done, time.monotonic()
        self.write()

    def moved(self, file: FileState, done: int) -> None:
        """So many bytes are over."""
        file.done = done
        now = time.monotonic()
        passed = now - file.at
        if passed >= _WRITE_SECONDS:
            rate = max(0, done - file.counted) / passed
            file.rate = rate if file.rate == 0 else 0.5 * file.rate + 0.5 * rate
            file.at, file.counted = now, done
            self.write()

    def end(self, file: FileState, state: str) -> None:
        """Done, skipped or failed."""
        passed = time.monotonic() - file.at
        if state == "done" and file.rate == 0 and passed > 0:
            file.rate = (file.done - file.counted) / passed
        file.state = state
        if time.monotonic() - self._written_at >= _WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Replace the file; that it cannot be written is no reason to stop."""
        self._written_at = time.monotonic()
        shown = sorted(self._files, key=lambda file: _ORDER[file.state])[:_MOST_FILES]
        content = json.dumps([file.shown() for file in shown], separators=(",", ":"))
        temporary, place = f"{self._name}.new", self._folder
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            descriptor = os.open(temporary, flags, 0o600, dir_fd=place)
            try:
                os.write(descriptor, content.encode())
            finally:
                os.close(descriptor)
            os.replace(temporary, self._name, src_dir_fd=place, dst_dir_fd=place)


def say(sentence: str) -> None:
    """A line of the task's output; what no terminal should see is escaped."""
    sys.stdout.write(printable(sentence) + "\n")
    sys.stdout.flush()


def printable(text: str) -> str:
    """Text in which a name cannot hide control characters or bytes that are no UTF-8."""
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in plain)


class Pace:
    """Spreads bytes over time: so many per second, with at most a fifth of a second to catch up."""

    def __init__(self, bytes_per_second: int) -> None:
        self._rate = bytes_per_second
        self._due = time.monotonic()

    def piece(self, most: int) -> int:
        """How many bytes to move at once: a twentieth of a second's worth, at least 1 KiB."""
        return min(most, max(1024, self._rate // 20)) if self._rate else most

    def passed(self, count: int) -> None:
        """So many were moved; waits until the next may be."""
        if not self._rate:
            return
        now = time.monotonic()
        self._due = max(self._due, now - 0.2) + count / self._rate
        if self._due > now:
            time.sleep(self._due - now)

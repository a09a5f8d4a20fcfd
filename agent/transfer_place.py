"""Puts a complete file under its name in one step: readers see the old or the new content.

The partial file lies beside its target, private, under a name that follows from what it becomes,
so that a later attempt goes on where an earlier one was cut off.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import hashlib
import os
import pwd
import stat
import time

from agent.kernel import reserve
from agent.transfer_folders import Folder
from agent.transfer_report import TransferFailed, failure_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.transfer_checksum import Digest

_PREFIX, _SUFFIX = ".opsjob-", ".part"
_STALE_SECONDS = 86_400.0
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)
_NO_RESERVING = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_FREE_BYTES = 16 * 1024 * 1024
"""What a transfer leaves free on the disk."""
_SEND_OFF_BYTES = 8 * 1024 * 1024
"""How much is gathered before the disk is told to take it, while more is still coming."""


class Looks:
    """Owner, group and mode that a file shall have; -1 and None leave what is usual."""

    __slots__ = ("gid", "mode", "uid")

    def __init__(self, uid: int = -1, gid: int = -1, mode: int | None = None) -> None:
        self.uid = uid
        self.gid = gid
        self.mode = mode


def account_of(name: str | None, kind: str) -> int:
    """The number of a user or group by name or number, -1 for None; raises TransferFailed."""
    if name is None:
        return -1
    try:
        return pwd.getpwnam(name).pw_uid if kind == "owner" else grp.getgrnam(name).gr_gid
    except KeyError:
        if name.isdigit() and len(name) < 10:
            return int(name)
    raise TransferFailed("owner_unknown", f"This host knows no {kind} {name}.")


class Partial:
    """A file that is not complete; open, locked, and seen by nobody under its real name."""

    def __init__(self, folder: Folder, name: str, descriptor: int) -> None:
        self.descriptor = descriptor
        self.offset = os.fstat(descriptor).st_size
        """Where the next byte goes; what is before came from an earlier attempt."""
        self._folder = folder
        self._name = name
        self._is_there = True
        self._sent_off = self.offset

    @classmethod
    def open(cls, folder: Folder, name: str, *, sha256: str, size: int) -> Partial:
        """Go on with what an earlier attempt left, if it can only be ours; else begin anew."""
        known = hashlib.sha256(f"{sha256}/{name}".encode("utf-8", "surrogateescape")).hexdigest()
        partial = _PREFIX + known[:24] + _SUFFIX
        descriptor = _resumable(folder, partial, size)
        if descriptor is None:
            return cls.fresh(folder)
        return cls(folder, partial, descriptor)

    @classmethod
    def fresh(cls, folder: Folder) -> Partial:
        """A new one under a name that nobody can guess."""
        name = _PREFIX + os.urandom(12).hex() + _SUFFIX
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return cls(folder, name, os.open(name, flags, 0o600, dir_fd=folder.descriptor))
        except OSError as error:
            raise failure_of(error, folder.path) from None

    def write(self, content: bytes | memoryview) -> None:
        """Append."""
        view = memoryview(content)
        try:
            while view:
                count = os.pwrite(self.descriptor, view, self.offset)
                self.offset += count
                view = view[count:]
        except OSError as error:
            raise failure_of(error, self._folder.path) from None
        if self.offset - self._sent_off >= _SEND_OFF_BYTES:
            self._send_off()

    def _send_off(self) -> None:
        """Let the disk begin, so that the sync at the end has little left to wait for.

        posix_fadvise(2): pages that are not on the disk yet are not dropped, they are written.
        """
        with contextlib.suppress(OSError):
            length = self.offset - self._sent_off
            os.posix_fadvise(self.descriptor, self._sent_off, length, os.POSIX_FADV_DONTNEED)
        self._sent_off = self.offset

    def begin_anew(self) -> None:
        """Forget what is there."""
        os.ftruncate(self.descriptor, 0)
        self.offset = self._sent_off = 0

    def digest(self, digest: Digest) -> Digest:
        """The same, with what is there so far."""
        position = 0
        while position < self.offset:
            piece = os.pread(self.descriptor, min(1024 * 1024, self.offset - position), position)
            if not piece:
                raise TransferFailed("io_error", "A partial file got shorter.")
            digest.update(piece)
            position += len(piece)
        return digest

    def need(self, size: int) -> None:
        """Set room for the rest aside; raises TransferFailed if the disk has none."""
        figures = os.fstatvfs(self.descriptor)
        free = figures.f_bavail * figures.f_frsize
        if size - self.offset + _FREE_BYTES > free:
            raise TransferFailed("disk_full", f"{self._folder.path}: not enough room on the disk.")
        if size - self.offset < _SEND_OFF_BYTES:
            return
        try:
            reserve(self.descriptor, size)
        except OSError as error:
            if error.errno not in _NO_RESERVING:
                raise failure_of(error, self._folder.path) from None

    def place(self, name: str, looks: Looks, overwrite: str) -> bool:
        """Give it its looks, make it durable and put it under its name; False if it was skipped.

        Raises TransferFailed; then nothing under the name has changed.
        """
        where = self._folder.inside(name)
        try:
            before = look_at(self._folder, name)
            self._dress(looks, before, where)
            os.fsync(self.descriptor)
            is_placed = self._move(name, before, overwrite, where)
            self._folder.sync()
        except OSError as error:
            raise failure_of(error, where) from None
        return is_placed

    def _dress(self, looks: Looks, before: os.stat_result | None, where: str) -> None:
        """What nobody asked for stays as it was, without the bits that lend rights."""
        uid, gid, mode = looks.uid, looks.gid, looks.mode
        if before is not None and stat.S_ISREG(before.st_mode):
            mode = before.st_mode & 0o777 if mode is None else mode
            if os.geteuid() == 0:
                uid = before.st_uid if uid == -1 else uid
                gid = before.st_gid if gid == -1 else gid
        own = os.fstat(self.descriptor)
        if (uid not in (-1, own.st_uid)) or (gid not in (-1, own.st_gid)):
            try:
                os.fchown(self.descriptor, uid, gid)
            except PermissionError:
                raise TransferFailed(
                    "not_permitted", f"{where}: only root gives files to others."
                ) from None
        os.fchmod(self.descriptor, 0o644 if mode is None else mode)

    def _move(self, name: str, before: os.stat_result | None, overwrite: str, where: str) -> bool:
        if overwrite in ("skip", "fail"):
            return self._move_if_free(name, overwrite, where)
        if overwrite == "backup" and before is not None:
            _keep_backup(self._folder, name)
        folder = self._folder.descriptor
        os.rename(self._name, name, src_dir_fd=folder, dst_dir_fd=folder)
        self._is_there = False
        return True

    def _move_if_free(self, name: str, overwrite: str, where: str) -> bool:
        folder = self._folder.descriptor
        try:
            os.link(
                *(self._name, name), src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False
            )
        except FileExistsError:
            if overwrite == "fail":
                raise TransferFailed("target_exists", f"{where} exists.") from None
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS or look_at(self._folder, name) is not None:
                raise
            os.rename(self._name, name, src_dir_fd=folder, dst_dir_fd=folder)
            self._is_there = False
        return True

    def close(self, *, keep: bool = False) -> None:
        """Let go; unless it is to be kept for a later attempt, nothing of it stays."""
        if self._is_there and not keep:
            with contextlib.suppress(OSError):
                os.unlink(self._name, dir_fd=self._folder.descriptor)
        os.close(self.descriptor)


def look_at(folder: Folder, name: str) -> os.stat_result | None:
    """What is under a name now, links not followed; raises TransferFailed for what we never
    replace: folders, devices, pipes and sockets."""
    try:
        found = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise TransferFailed("target_unusable", f"{folder.inside(name)} is no ordinary file.")
    return found


def _resumable(folder: Folder, name: str, size: int) -> int | None:
    """An open partial file that nobody but we can have made, or None."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        try:
            descriptor = os.open(name, flags, dir_fd=folder.descriptor)
        except FileNotFoundError:
            descriptor = os.open(
                name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder.descriptor
            )
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EEXIST, errno.ENXIO, errno.EISDIR):
            return None
        raise failure_of(error, folder.path) from None
    if _is_ours(os.fstat(descriptor), size) and _locked(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _is_ours(found: os.stat_result, size: int) -> bool:
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid == os.geteuid()
        and found.st_nlink == 1
        and not found.st_mode & 0o077
        and found.st_size <= size
    )


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _keep_backup(folder: Folder, name: str) -> None:
    """A second name for what is there; the first one never goes away in between."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    stem = name.encode("utf-8", "surrogateescape")[:220].decode("utf-8", "surrogateescape")
    place = folder.descriptor
    for number in range(1000):
        kept = f"{stem}.{stamp}{f'-{number}' if number else ''}.bak"
        try:
            os.link(name, kept, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
            return
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.rename(name, kept, src_dir_fd=place, dst_dir_fd=place)
            return
    raise TransferFailed("target_exists", f"{folder.inside(name)}: too many backups.")


def remove_stale(folder: Folder) -> None:
    """Delete partial files of ours that nobody has written to for a day."""
    with contextlib.suppress(OSError):
        readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder.descriptor)
        try:
            for name in os.listdir(readable):
                if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
                    _remove_if_stale(name, readable)
        finally:
            os.close(readable)


def _remove_if_stale(name: str, folder: int) -> None:
    with contextlib.suppress(OSError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        is_old = time.time() - found.st_mtime > _STALE_SECONDS
        if is_old and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            os.unlink(name, dir_fd=folder)

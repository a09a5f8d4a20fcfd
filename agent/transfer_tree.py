"""Puts on this host what a collect task has packed: looks at all of it, then places each file."""

from __future__ import annotations

import os
import tarfile

from agent.transfer_folders import opened
from agent.transfer_place import Looks, Partial, look_at, remove_stale
from agent.transfer_push import Push
from agent.transfer_report import FileState, TransferFailed, say
from agent.transfer_wire import READ_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from libs.protocol.orders import FileItem

_MOST_MEMBERS = 100_000


class PushTrees(Push):
    """One order to put files somewhere, some of them archives."""

    def _place(self, item: FileItem, path: str, state: FileState) -> None:
        if item.is_tree:
            self._place_tree(item, path, state)
        else:
            super()._place(item, path, state)

    def _place_tree(self, item: FileItem, path: str, state: FileState) -> None:
        """Fetch and verify the archive, look at all of it, then place its files one by one."""
        with opened(path, self._policy, self._new) as folder:
            remove_stale(folder)
            partial = self._fetched(item, folder, "archive", state)
            try:
                os.lseek(partial.descriptor, 0, os.SEEK_SET)
                with os.fdopen(os.dup(partial.descriptor), "rb") as file:
                    archive = Archive(file, item)
                    for member, name in archive.members:
                        self._place_member(archive, member, f"{path.rstrip('/')}/{name}")
            finally:
                partial.close()
        self._report.end(state, "done")
        say(f"{path}: {len(archive.members)} entries, sha256 {item.sha256}")

    def _place_member(self, archive: Archive, member: tarfile.TarInfo, path: str) -> None:
        if member.isdir():
            with opened(path, self._policy, self._new):
                return
        parent, _, name = path.rpartition("/")
        with opened(parent or "/", self._policy, self._new) as folder:
            self._policy.check(folder.inside(name))
            before = look_at(folder, name)
            if before is not None and self._work.overwrite == "skip":
                say(f"{path}: exists, left as it is")
                return
            partial = Partial.fresh(folder)
            try:
                partial.need(member.size)
                archive.copy(member, partial)
                mode = member.mode & 0o777 if self._work.mode is None else self._work.mode
                looks = Looks(self._uid, self._gid, mode)
                if partial.place(name, looks, self._work.overwrite):
                    say(f"{path}: {member.size} bytes")
                else:
                    say(f"{path}: exists, left as it is")
            finally:
                partial.close()


class Archive:
    """A tar that was verified, every member looked at before the first is used.

    Only files and folders, no name twice, nothing absolute and nothing upwards; otherwise the
    archive is refused as a whole.
    """

    def __init__(self, file: object, item: FileItem) -> None:
        self._bases = sorted((base.strip("/") for base in item.bases), key=len, reverse=True)
        try:
            self._tar = tarfile.open(fileobj=file, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115 - closed with its file
            self.members = self._checked()
        except (tarfile.TarError, ValueError, EOFError) as error:
            raise TransferFailed(
                "archive_refused", f"The archive cannot be read: {error}"
            ) from None

    def _checked(self) -> list[tuple[tarfile.TarInfo, str]]:
        members: list[tuple[tarfile.TarInfo, str]] = []
        seen: set[str] = set()
        for member in self._tar:
            if len(members) >= _MOST_MEMBERS:
                raise TransferFailed("archive_refused", "The archive has too many entries.")
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise TransferFailed("archive_refused", f"{member.name} is no file and no folder.")
            parts = member.name.split("/")
            if any(part in ("", ".", "..") or "\0" in part for part in parts):
                raise TransferFailed("archive_refused", f"{member.name} leads elsewhere.")
            if member.name in seen:
                raise TransferFailed("archive_refused", f"{member.name} is there twice.")
            seen.add(member.name)
            name = self._below_base(member.name)
            if name:
                members.append((member, name))
        return members

    def _below_base(self, name: str) -> str:
        for base in self._bases:
            if not base:
                return name
            if name == base:
                return ""
            if name.startswith(f"{base}/"):
                return name[len(base) + 1 :]
        return name

    def copy(self, member: tarfile.TarInfo, partial: Partial) -> None:
        """Write a member's content."""
        source = self._tar.extractfile(member)
        assert source is not None
        with source:
            while piece := source.read(READ_BYTES):
                partial.write(piece)
        if partial.offset != member.size:
            raise TransferFailed("archive_refused", f"{member.name} is cut off.")

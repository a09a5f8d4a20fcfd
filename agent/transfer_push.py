"""Puts files on this host: fetches each by its checksum, resumes, verifies, places."""

from __future__ import annotations

import hashlib
import os
import tarfile
from dataclasses import dataclass

from agent.transfer_folders import Folder, NewFolder, Policy, opened
from agent.transfer_place import Looks, Partial, account_of, look_at, remove_stale
from agent.transfer_report import FileState, Pace, Report, TransferFailed, say
from agent.transfer_wire import READ_BYTES, Answer, Gateways, Link, LinkBroken, refused
from libs.protocol.orders import FileItem, FileWork

_MOST_MEMBERS = 100_000


@dataclass(frozen=True)
class Around:
    """What a transfer works with besides its order."""

    policy: Policy
    gateways: Gateways
    report: Report


class Push:
    """One order to put files somewhere."""

    def __init__(self, work: FileWork, around: Around) -> None:
        self._work = work
        self._policy = around.policy
        self._gateways = around.gateways
        self._report = around.report
        self._pace = Pace(work.bytes_per_second)
        self._uid = account_of(work.owner, "owner")
        self._gid = account_of(work.group, "group")
        mode = 0o755 if work.folder_mode is None else work.folder_mode
        self._new = NewFolder(mode, self._uid, self._gid)

    def run(self) -> None:
        """Place every file; raises TransferFailed at the first that cannot be."""
        items = [(item, os.path.join(self._work.target, item.path)) for item in self._work.items]
        states = [self._report.expect(path, item.size) for item, path in items]
        for (item, path), state in zip(items, states):
            try:
                if item.is_tree:
                    self._place_tree(item, path, state)
                else:
                    self._place_file(item, path, state)
            except TransferFailed:
                self._report.end(state, "failed")
                raise

    def _place_file(self, item: FileItem, path: str, state: FileState) -> None:
        parent, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            raise TransferFailed("path_refused", f"{path} is no name of a file.")
        with opened(parent or "/", self._policy, self._new) as folder:
            self._policy.check(folder.inside(name))
            overwrite = self._work.overwrite
            before = look_at(folder, name)
            if before is not None and overwrite == "fail":
                raise TransferFailed("target_exists", f"{path} exists.")
            if before is not None and overwrite == "skip":
                self._skipped(path, state)
                return
            remove_stale(folder)
            partial = self._fetched(item, folder, name, state)
            try:
                mode = item.mode if self._work.mode is None else self._work.mode
                is_placed = partial.place(name, Looks(self._uid, self._gid, mode), overwrite)
            finally:
                partial.close()
            if not is_placed:
                self._skipped(path, state)
                return
        self._report.end(state, "done")
        say(f"{path}: {item.size} bytes, sha256 {item.sha256}")

    def _skipped(self, path: str, state: FileState) -> None:
        self._report.end(state, "skipped")
        say(f"{path}: exists, left as it is")

    def _fetched(self, item: FileItem, folder: Folder, name: str, state: FileState) -> Partial:
        """The complete and verified content, not yet under its name."""
        partial = Partial.open(folder, name, sha256=item.sha256, size=item.size)
        keep = False
        try:
            partial.need(item.size)
            is_resumed = partial.offset > 0
            if is_resumed:
                say(f"{folder.inside(name)}: goes on at byte {partial.offset}")
            self._report.begin(state, partial.offset)
            digest = self._download(item, partial, state)
            if is_resumed and digest.hexdigest() != item.sha256:
                partial.begin_anew()  # what an earlier attempt had left was damaged
                digest = self._download(item, partial, state)
            if digest.hexdigest() != item.sha256:
                raise TransferFailed(
                    "checksum_mismatch", f"{folder.inside(name)}: the checksum is not as ordered."
                )
        except TransferFailed as failure:
            keep = failure.reason == "connection_lost"
            partial.close(keep=keep)
            raise
        except BaseException:
            partial.close()
            raise
        return partial

    def _download(self, item: FileItem, partial: Partial, state: FileState) -> hashlib._Hash:
        digest = partial.digest()
        if partial.offset == item.size:
            return digest
        for address in self._gateways.turns(lambda: partial.offset):
            try:
                link = self._gateways.link(address)
                try:
                    digest = self._take(link, item, partial, state, digest)
                finally:
                    link.close()
            except LinkBroken:
                continue
            if partial.offset == item.size:
                break
        return digest

    def _take(
        self,
        link: Link,
        item: FileItem,
        partial: Partial,
        state: FileState,
        digest: hashlib._Hash,
    ) -> hashlib._Hash:
        """One connection's worth of the file."""
        headers = {"authorization": f"Ticket {item.ticket}"}
        if partial.offset:
            headers["range"] = f"bytes={partial.offset}-"
        link.ask("GET", f"/api/agents/files/{item.sha256}", headers)
        answer = link.answer()
        if answer.status not in (200, 206):
            raise refused(answer, link.document(answer))
        if partial.offset and answer.status == 200:
            partial.begin_anew()
            digest = hashlib.sha256()
        if answer.length != item.size - partial.offset:
            raise TransferFailed("checksum_mismatch", "The content has another size than ordered.")
        self._copy(link, answer, partial, state, digest)
        return digest

    def _copy(
        self, link: Link, answer: Answer, partial: Partial, state: FileState, digest: hashlib._Hash
    ) -> None:
        buffer = memoryview(bytearray(self._pace.piece(READ_BYTES)))
        left = answer.length
        piece: memoryview | bytes = answer.begun[:left]
        while True:
            if piece:
                digest.update(piece)
                partial.write(piece)
                left -= len(piece)
                self._report.moved(state, partial.offset)
                self._pace.passed(len(piece))
            if not left:
                return
            count = link.receive(buffer[:left])
            if not count:
                raise LinkBroken("the answer ended early")
            piece = buffer[:count]

    # ---- what a collect task has packed ----------------------------------------------------

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

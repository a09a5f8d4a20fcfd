"""Puts files on this host: fetches each by its checksum, resumes, verifies, places."""

from __future__ import annotations

import os

from agent.transfer_checksum import check_of
from agent.transfer_folders import Folder, NewFolder, Policy, opened
from agent.transfer_place import Looks, Partial, account_of, look_at, remove_stale
from agent.transfer_report import FileState, Pace, Report, TransferFailed, say
from agent.transfer_wire import READ_BYTES, Answer, Gateways, Link, LinkBroken, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.transfer_checksum import Check, Digest
    from libs.protocol.orders import FileItem, FileWork


class Around:
    """What a transfer works with besides its order."""

    __slots__ = ("blake3", "gateways", "policy", "report")

    def __init__(
        self, policy: Policy, gateways: Gateways, report: Report, blake3: Mapping[str, str]
    ) -> None:
        self.policy = policy
        self.gateways = gateways
        self.report = report
        self.blake3 = blake3


class Push:
    """One order to put files somewhere, none of them an archive; see `transfer_tree`."""

    def __init__(self, work: FileWork, around: Around) -> None:
        self._work = work
        self._policy = around.policy
        self._gateways = around.gateways
        self._report = around.report
        self._blake3 = around.blake3
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
                self._place(item, path, state)
            except TransferFailed:
                self._report.end(state, "failed")
                raise

    def _place(self, item: FileItem, path: str, state: FileState) -> None:
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
        check = check_of(item.sha256, self._blake3)
        keep = False
        try:
            partial.need(item.size)
            is_resumed = partial.offset > 0
            if is_resumed:
                say(f"{folder.inside(name)}: goes on at byte {partial.offset}")
            self._report.begin(state, partial.offset)
            digest = self._download(item, partial, state, check)
            if is_resumed and digest.hexdigest() != check.value:
                partial.begin_anew()  # what an earlier attempt had left was damaged
                digest = self._download(item, partial, state, check)
            if digest.hexdigest() != check.value:
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

    def _download(self, item: FileItem, partial: Partial, state: FileState, check: Check) -> Digest:
        digest = partial.digest(check.begin())
        if partial.offset == item.size:
            return digest
        for address in self._gateways.turns(lambda: partial.offset):
            try:
                link = self._gateways.link(address)
                try:
                    digest = self._take(link, item, partial, state, check, digest)
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
        check: Check,
        digest: Digest,
    ) -> Digest:
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
            digest = check.begin()
        if answer.length != item.size - partial.offset:
            raise TransferFailed("checksum_mismatch", "The content has another size than ordered.")
        self._copy(link, answer, partial, state, digest)
        return digest

    def _copy(
        self, link: Link, answer: Answer, partial: Partial, state: FileState, digest: Digest
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

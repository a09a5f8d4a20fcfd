"""Fetches files from this host: packs them into one archive while it is on its way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tarfile

from agent.transfer_find import Finder, Found
from agent.transfer_folders import Policy, opened
from agent.transfer_report import Pace, TransferFailed, failure_of, say
from agent.transfer_wire import Gateways, LinkBroken, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.transfer_push import Around
    from libs.protocol.orders import FileWork

_PIECE_BYTES = 4 * 1024 * 1024
_READ_BYTES = 256 * 1024
_BLOCK = 512
_ADDRESS = "/api/agents/files/collected"


class Collect:
    """One order to fetch files."""

    def __init__(self, work: FileWork, around: Around) -> None:
        self._work = work
        self._policy = around.policy
        self._report = around.report
        self._bringer = Bringer(around.gateways, work.ticket, Pace(work.bytes_per_second))

    def run(self) -> None:
        """Find, pack, bring; raises TransferFailed, after which the platform keeps nothing."""
        work = self._work
        finder = Finder(
            self._policy, work.excludes, max_files=work.max_files, max_bytes=work.max_bytes
        )
        patterns = tuple(os.path.join(work.target, pattern) for pattern in work.patterns)
        found = finder.find(patterns)
        state = self._report.expect(work.patterns[0], _expected(found))
        self._report.begin(state)
        try:
            for piece in _packed(found, self._policy):
                self._bringer.add(piece)
                self._report.moved(state, self._bringer.offset)
            files = sum(not one.is_folder for one in found)
            self._bringer.finish(files)
        except TransferFailed:
            self._report.end(state, "failed")
            raise
        state.done = state.size = self._bringer.offset
        self._report.end(state, "done")
        say(f"{files} files, {self._bringer.offset} bytes, sha256 {self._bringer.sha256}")


def _expected(found: list[Found]) -> int:
    """About how large the archive gets."""
    return sum(_BLOCK + -(-one.size // _BLOCK) * _BLOCK for one in found) + 2 * _BLOCK


def _packed(found: list[Found], policy: Policy) -> Iterator[bytes]:
    """The bytes of a tar with these files; names are their paths without the first slash."""
    for one in found:
        if one.is_folder:
            yield _header(one, 0)
        else:
            yield from _packed_file(one, policy)
    yield bytes(2 * _BLOCK)


def _packed_file(one: Found, policy: Policy) -> Iterator[bytes]:
    """A file as long as it is when it is opened, whatever happens to it meanwhile."""
    parent, _, name = one.path.rpartition("/")
    with opened(parent or "/", Policy((), policy.refused)) as folder:
        policy.check(folder.inside(name))
        descriptor = _open_file(name, folder.descriptor, one.path)
    try:
        size = min(os.fstat(descriptor).st_size, one.size)
        yield _header(one, size)
        left = size
        while left:
            piece = os.read(descriptor, min(_READ_BYTES, left))
            if not piece:
                say(f"{one.path}: got shorter while it was read, the rest is zeros")
                break
            left -= len(piece)
            yield piece
    except OSError as error:
        raise failure_of(error, one.path) from None
    finally:
        os.close(descriptor)
    while left:
        yield bytes(min(_READ_BYTES, left))
        left -= min(_READ_BYTES, left)
    if size % _BLOCK:
        yield bytes(_BLOCK - size % _BLOCK)


def _open_file(name: str, folder: int, path: str) -> int:
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        raise failure_of(error, path) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise TransferFailed("path_refused", f"{path} is no file any more.")
    return descriptor


def _header(one: Found, size: int) -> bytes:
    info = tarfile.TarInfo(one.path.lstrip("/"))
    info.size, info.mtime, info.mode = size, int(one.modified), one.mode & 0o777
    info.type = tarfile.DIRTYPE if one.is_folder else tarfile.REGTYPE
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class Bringer:
    """Brings a stream of unknown length to the gateway in pieces; each is sent until it is there.

    A piece stays in memory until the gateway has all of it, so that a broken link loses nothing.
    """

    def __init__(self, gateways: Gateways, ticket: str, pace: Pace) -> None:
        self._gateways = gateways
        self._ticket = ticket
        self._pace = pace
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._there = 0

    @property
    def offset(self) -> int:
        """Bytes taken in so far."""
        return self._there + len(self._waiting)

    @property
    def sha256(self) -> str:
        """Of everything taken in so far."""
        return self._digest.hexdigest()

    def add(self, content: bytes) -> None:
        """Take in some bytes; sends when there are enough of them."""
        self._digest.update(content)
        self._waiting += content
        if len(self._waiting) >= _PIECE_BYTES:
            self._bring()

    def finish(self, file_count: int) -> None:
        """Send the rest and have the whole checked and kept."""
        self._bring()
        document = json.dumps({"sha256": self.sha256, "size": self._there, "files": file_count})
        headers = self._headers(len(document), "application/json")
        for address in self._gateways.turns(lambda: self._there):
            try:
                link = self._gateways.link(address)
                try:
                    link.ask("POST", _ADDRESS, headers)
                    link.send(document.encode())
                    answer = link.answer()
                    if answer.status in (200, 201):
                        return
                    raise refused(answer, link.document(answer))
                finally:
                    link.close()
            except LinkBroken:
                continue

    def _bring(self) -> None:
        begin, end = self._there, self._there + len(self._waiting)
        for address in self._gateways.turns(lambda: self._there):
            if self._there == end:
                break
            try:
                self._send(address, begin)
            except LinkBroken:
                self._look(address, begin, end)
        self._waiting.clear()

    def _send(self, address: str, begin: int) -> None:
        content = memoryview(bytes(self._waiting))[self._there - begin :]
        link = self._gateways.link(address)
        try:
            headers = self._headers(len(content), "application/octet-stream")
            end = self._there + len(content) - 1
            headers["content-range"] = f"bytes {self._there}-{end}/*"
            link.ask("PUT", _ADDRESS, headers)
            with contextlib.suppress(LinkBroken):  # a refusal may come before all is sent
                while content:
                    count = self._pace.piece(_READ_BYTES)
                    link.send(content[:count])
                    self._pace.passed(len(content[:count]))
                    content = content[count:]
            answer = link.answer()
            document = link.document(answer)
            if answer.status == 409 and document.get("error") == "wrong_offset":
                raise LinkBroken("wrong offset")
            if answer.status != 200:
                raise refused(answer, document)
            self._there = end + 1
        finally:
            link.close()

    def _look(self, address: str, begin: int, end: int) -> None:
        """How much of the piece got through, if that can be found out now."""
        try:
            link = self._gateways.link(address)
        except LinkBroken:
            return
        try:
            link.ask("GET", _ADDRESS, {"authorization": f"Ticket {self._ticket}"})
            answer = link.answer()
            document = link.document(answer)
            if answer.status != 200:
                raise refused(answer, document)
        except LinkBroken:
            return
        finally:
            link.close()
        offset = document.get("offset")
        if not isinstance(offset, int) or not begin <= offset <= end:
            raise TransferFailed("connection_lost", "The platform has lost what it had received.")
        self._there = offset

    def _headers(self, length: int, kind: str) -> dict[str, str]:
        return {
            "authorization": f"Ticket {self._ticket}",
            "content-type": kind,
            "content-length": str(length),
        }

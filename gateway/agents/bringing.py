"""What agents collect: appended to a draft piece by piece, checked, kept, told to execution."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.agents.counting import FILES_TAKEN
from gateway.agents.lanes import Lane
from libs.contracts.execution import CollectedFile
from libs.kit.artifacts import Draft, DraftBusy, Drafts, Store, Ticket, WrongOffset, aside
from libs.kit.errors import Conflict, Invalid, Malformed, TooLarge, Unavailable
from libs.protocol.codec import parse_object
from libs.protocol.errors import ProtocolError

_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/\*", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SLICE: Final = 256 * 1024


class OffsetRefused(Conflict):
    """The piece does not begin where the draft ends; `offset` says where that is."""

    code = "wrong_offset"
    message = "The piece does not continue what has been received."
    message_zh = "数据块与已接收的内容不连续。"


class ChecksumRefused(Invalid):
    """What arrived is not what the agent says it sent."""

    code = "checksum_mismatch"
    message = "What has been received does not have this checksum."
    message_zh = "已接收内容的校验和不一致。"


class StorageFull(Unavailable):
    """The disk takes no more."""

    code = "storage_full"
    message = "The platform has no room for more files."
    message_zh = "平台存储空间不足。"


class Librarian(Protocol):
    """The one question asked of execution; ExecutionClient answers it."""

    async def collected(self, file: CollectedFile) -> str:
        """Enters a collected archive into the library; returns its id."""


@dataclass(frozen=True)
class Whole:
    """What an agent says about all that it brought."""

    sha256: str
    size: int
    files: int


class Bringing:
    """Blocking work goes to threads; nothing here holds more than a piece in memory."""

    def __init__(self, store: Store, drafts: Drafts, librarian: Librarian) -> None:
        self._store = store
        self._drafts = drafts
        self._librarian = librarian

    async def offset(self, ticket: Ticket) -> int:
        """How much of it is here."""
        return await asyncio.to_thread(self._drafts.offset_of, _name(ticket))

    async def take(
        self, ticket: Ticket, header: str, piece: Callable[[], Awaitable[bytes]], lane: Lane | None
    ) -> int:
        """Append a piece as it comes; returns where the next one begins.

        What was written before a link broke stays, and the agent goes on from there.
        """
        found = _CONTENT_RANGE.fullmatch(header)
        if found is None:
            raise Malformed("State the place of the piece as Content-Range.")
        begin, end = int(found[1]), int(found[2]) + 1
        if end > ticket.max_bytes:
            raise TooLarge(limit=ticket.max_bytes)
        draft = await self._open(ticket, begin)
        try:
            while draft.offset < end and (content := await piece()):
                if draft.offset + len(content) > end:
                    raise Malformed("The piece is longer than it says.")
                await _slow(lane, len(content))
                await asyncio.to_thread(draft.write, content)
                FILES_TAKEN.inc(len(content))
            return draft.offset
        except OSError as error:
            raise StorageFull from error
        finally:
            await asyncio.to_thread(draft.close)

    async def _open(self, ticket: Ticket, offset: int) -> Draft:
        try:
            return await asyncio.to_thread(self._drafts.append_at, _name(ticket), offset)
        except WrongOffset as error:
            raise OffsetRefused(offset=error.offset) from None
        except DraftBusy:
            raise Unavailable from None
        except OSError as error:
            raise StorageFull from error

    async def finish(self, ticket: Ticket, body: bytes) -> dict[str, object]:
        """Check and keep the whole; once this returns it is in the library. May be repeated."""
        whole = _whole(body)
        name = _name(ticket)
        is_new = await asyncio.to_thread(self._drafts.path(name).exists) or whole.size == 0
        if is_new:
            await aside(self._keep, name, whole)
        file_id = await self._librarian.collected(
            CollectedFile(
                task_id=ticket.task_id,
                attempt=ticket.attempt,
                agent_id=ticket.agent_id,
                sha256=whole.sha256,
                size=whole.size,
                file_count=whole.files,
                is_new=is_new,
            )
        )
        if is_new:
            await aside(self._settle, name, whole)
        return {"artifact_id": file_id}

    def _keep(self, name: str, whole: Whole) -> None:
        path = self._drafts.path(name)
        if self._drafts.offset_of(name) != whole.size:
            raise ChecksumRefused(size=self._drafts.offset_of(name))
        if self._drafts.digests_of(name) != [whole.sha256]:
            self._drafts.discard(name)
            raise ChecksumRefused
        try:
            self._store.keep(path, whole.sha256)
        except OSError as error:
            raise StorageFull from error

    def _settle(self, name: str, whole: Whole) -> None:
        """The library knows it now; if a sweep of old content was faster, keep it once more."""
        if self._store.size_of(whole.sha256) is None:
            self._store.keep(self._drafts.path(name), whole.sha256)
        self._drafts.discard(name)


def _name(ticket: Ticket) -> str:
    return f"collected.{ticket.task_id}.{ticket.attempt}"


def _whole(body: bytes) -> Whole:
    try:
        raw = parse_object(body)
    except ProtocolError as error:
        raise Malformed(reason=error.reason) from None
    sha256, size, files = (raw.get(name) for name in ("sha256", "size", "files"))
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise Invalid(field="sha256")
    if type(size) is not int or type(files) is not int or min(size, files) < 0:
        raise Invalid(field="size")
    return Whole(sha256, size, files)


async def _slow(lane: Lane | None, count: int) -> None:
    """Waits until the lane lets so many bytes through."""
    while lane is not None and count:
        some = min(count, _SLICE)
        wait = lane.take(some)
        if wait:
            await asyncio.sleep(wait)
        else:
            count -= some

"""`/api/agents/files/…` on the agents' port: agents fetch content and bring what they collected."""

import asyncio
import json
import os
import re
import socket
from collections.abc import Callable, Coroutine
from typing import Final, cast

import h11

from gateway.agents.admission import Lobby
from gateway.agents.bringing import Bringing
from gateway.agents.counting import FILES_SENT, TRANSFERS
from gateway.agents.ferry import Ferry, ReaderGone
from gateway.agents.identity import Identities
from gateway.agents.lanes import Lanes
from gateway.agents.web import PHRASES, WebAnswer, WebRequest, failure
from libs.contracts.hosts import AgentState
from libs.kit.artifacts import BlobMissing, ContentComing, FileTickets, Store, Ticket, aside
from libs.kit.errors import (
    AppError,
    Forbidden,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
)
from libs.kit.ids import new_id
from libs.kit.logging import get_logger

PREFIX: Final = "/api/agents/files"
OPENINGS: Final = (b"GET " + PREFIX.encode(), b"PUT " + PREFIX.encode(), b"POST " + PREFIX.encode())
"""How a connection begins that is for this part."""
MAX_PIECE_BYTES: Final = 16 * 1024 * 1024
_MAX_HEAD_BYTES: Final = 16 * 1024
_BUFFER_BYTES: Final = 1024 * 1024
_IDLE_SECONDS: Final = 30.0
_LEAVE_SECONDS: Final = 5.0
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?", re.ASCII)

Spawn = Callable[[Coroutine[None, None, None]], object]

log = get_logger(__name__)


class RangeRefused(AppError):
    """A range that the content does not have."""

    status = 416
    code = "range_not_satisfiable"
    message = "The content has no such range."
    message_zh = "内容中没有该范围。"


class FileDesk:
    """What all connections of this part share."""

    def __init__(
        self, store: Store, bringing: Bringing, tickets: FileTickets, *, most_transfers: int = 1_000
    ) -> None:
        self.store = store
        self.bringing = bringing
        self.tickets = tickets
        self.ferry = Ferry()
        self.lanes = Lanes()
        self.identities: Identities | None = None
        self.open = 0
        self._most = most_transfers

    async def admit(self, request: WebRequest) -> Ticket:
        """The ticket of a request, if its agent may still work; raises 401, 403, 429, 503."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "ticket":
            raise Unauthenticated
        ticket = self.tickets.read(text.strip())
        if self.open >= self._most:
            raise TooMany(retry_after=2)
        if self.identities is not None:
            identity = await self.identities.of(ticket.agent_id)
            if identity is None or identity.status != AgentState.ACTIVE:
                raise Forbidden
        return ticket


class FileExchange(asyncio.Protocol):
    """One request, one answer, then the connection closes; bodies are never held as a whole."""

    def __init__(self, desk: FileDesk, *, lobby: Lobby, spawn: Spawn) -> None:
        self._desk = desk
        self._lobby = lobby
        self._spawn = spawn
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._wire: asyncio.Transport | None = None
        self._is_begun = False
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._is_complete = False
        self._is_refused = False
        self._news = asyncio.Event()

    # ---- the connection ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._is_complete:
            return
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError:
            if self._is_begun:
                self.expire()
            else:
                self._reply(failure(Malformed("This is not a well-formed HTTP request.")))

    def eof_received(self) -> None:
        if not self._is_complete and not self._is_refused:
            self.expire()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wire = None
        self._news.set()
        self._lobby.leave(self)

    def expire(self) -> None:
        """Cuts the connection."""
        if self._wire is not None:
            self._wire.abort()

    def _read(self) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._invite_body()
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data) and self._is_refused:
                continue
            elif isinstance(event, h11.Data):
                self._pieces.append(bytes(event.data))
                self._waiting += len(event.data)
                if self._waiting > _BUFFER_BYTES and self._wire is not None:
                    self._wire.pause_reading()
                self._news.set()
            else:
                self._is_complete = True
                self._news.set()
                if self._is_refused and self._wire is not None:
                    self._wire.close()
                return

    def _invite_body(self) -> None:
        if self._http.they_are_waiting_for_100_continue and self._wire is not None:
            go_on = self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
            self._wire.write(go_on or b"")

    def _begin(self, raw: h11.Request) -> None:
        self._is_begun = True
        name = self._wire.get_extra_info("peername") if self._wire is not None else None
        request = WebRequest(
            method=raw.method.decode("ascii"),
            path=raw.target.decode("latin-1").partition("?")[0].rstrip("/"),
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in raw.headers},
            body=b"",
            peer=str(name[0]) if isinstance(name, tuple) else "unix",
            request_id=new_id(),
        )
        self._spawn(self._respond(request))

    async def _piece(self) -> bytes:
        """What has come of the body since the last time; empty at its end.

        Raises ReaderGone when the other side went away or says nothing more.
        """
        if not self._pieces and not self._is_complete and self._wire is not None:
            self._news.clear()
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                raise ReaderGone("the body does not go on") from None
        if not self._pieces and not self._is_complete:
            raise ReaderGone("half a body")
        piece, self._pieces, self._waiting = b"".join(self._pieces), [], 0
        if self._wire is not None:
            self._wire.resume_reading()
        return piece

    # ---- answers -----------------------------------------------------------------------------

    async def _respond(self, request: WebRequest) -> None:
        try:
            ticket = await self._desk.admit(request)
        except AppError as error:
            self._reply(failure(error, request))
            return
        self._lobby.leave(self)
        self._desk.open += 1
        TRANSFERS.set(self._desk.open)
        try:
            await self._serve(request, ticket)
        except AppError as error:
            self._reply(failure(error, request))
        except ReaderGone:
            self.expire()
        except OSError as error:
            log.error("A file could not be read or written.", error=str(error))
            self.expire()
        finally:
            self._desk.open -= 1
            TRANSFERS.set(self._desk.open)

    async def _serve(self, request: WebRequest, ticket: Ticket) -> None:
        place = request.path[len(PREFIX) :].lstrip("/")
        if place == "collected":
            await self._serve_collected(request, ticket)
        elif _SHA256.fullmatch(place):
            if request.method != "GET":
                raise MethodNotAllowed(allow="GET")
            if ticket.purpose != "fetch" or ticket.sha256 != place:
                raise Forbidden
            await self._send_content(request, ticket)
        else:
            raise NotFound

    async def _send_content(self, request: WebRequest, ticket: Ticket) -> None:
        try:
            blob = await aside(self._desk.store.open, ticket.sha256)
        except BlobMissing:
            raise NotFound from None
        with blob:
            if not blob.is_whole:
                raise ContentComing(retry_after=1)
            begin, end = _range_of(request.headers.get("range"), blob.size)
            head = _file_head(begin, end, blob.size)
            lane = self._desk.lanes.of(ticket.step_id, ticket.bytes_per_second)
            wire = self._wire
            if wire is None or wire.is_closing():
                return
            wire.pause_reading()
            # The ferry owns copies of both, so that neither end can close under its hands.
            ours = socket.socket(fileno=os.dup(wire.get_extra_info("socket").fileno()))
            file = os.dup(blob.descriptor)
            await self._desk.ferry.carry(ours, head, file, begin, end - begin, lane)
            FILES_SENT.inc(end - begin)
            if self._wire is not None:
                self._wire.close()

    async def _serve_collected(self, request: WebRequest, ticket: Ticket) -> None:
        if ticket.purpose != "bring":
            raise Forbidden
        bringing = self._desk.bringing
        match request.method:
            case "GET":
                self._answer({"offset": await bringing.offset(ticket)}, 200, request)
            case "PUT":
                _check_length(request, MAX_PIECE_BYTES)
                lane = self._desk.lanes.of(ticket.step_id, ticket.bytes_per_second)
                header = request.headers.get("content-range", "")
                offset = await bringing.take(ticket, header, self._piece, lane)
                self._answer({"offset": offset}, 200, request)
            case "POST":
                _check_length(request, 4096)
                body = b""
                while piece := await self._piece():
                    body += piece
                self._answer(await bringing.finish(ticket, body), 201, request)
            case _:
                raise MethodNotAllowed(allow="GET, POST, PUT")

    def _answer(self, content: dict[str, object], status: int, request: WebRequest) -> None:
        document = {"code": status, "message": "OK", "success": True, "content": content}
        headers = [("content-type", "application/json"), ("x-request-id", request.request_id)]
        self._reply(WebAnswer(status, headers, json.dumps(document).encode()))

    def _reply(self, answer: WebAnswer) -> None:
        """Writes a small answer and closes.

        A body that is still coming is thrown away for a moment: were the connection closed at
        once, its sender would get a reset instead of the answer.
        """
        wire = self._wire
        if wire is None or wire.is_closing() or self._is_refused:
            return
        lines = [f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, 'Answer')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines += [f"content-length: {len(answer.body)}", "connection: close"]
        wire.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + answer.body)
        if self._is_complete:
            wire.close()
            return
        self._is_refused = True
        wire.resume_reading()
        asyncio.get_running_loop().call_later(_LEAVE_SECONDS, self.expire)


def _check_length(request: WebRequest, limit: int) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise Malformed("State the length of the body.")
    if int(length) > limit:
        raise TooLarge(limit=limit)


def _range_of(header: str | None, size: int) -> tuple[int, int]:
    """First byte and the one after the last; a header that is no single range is left out."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None:
        return 0, size
    begin = int(found[1])
    end = min(size, int(found[2]) + 1) if found[2] else size
    if begin >= end:
        raise RangeRefused(size=size)
    return begin, end


def _file_head(begin: int, end: int, size: int) -> bytes:
    lines = ["HTTP/1.1 200 OK" if (begin, end) == (0, size) else "HTTP/1.1 206 Partial Content"]
    if (begin, end) != (0, size):
        lines.append(f"content-range: bytes {begin}-{end - 1}/{size}")
    lines += [
        "content-type: application/octet-stream",
        f"content-length: {end - begin}",
        "accept-ranges: bytes",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

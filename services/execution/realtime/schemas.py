"""Events as they go out, and the answer that carries them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libs.kit.errors import AppError
from libs.kit.logging import get_logger
from services.execution.history.schemas import NOBODY
from services.execution.logs.repository import Owner
from services.execution.realtime.domain import event
from services.execution.segments.domain import Frame, Kind, readable

log = get_logger(__name__)

JOINED_BYTES = 64 * 1024
"""Small pieces of one stream that follow each other become one event, up to so much text."""


def encoded(prefix: str, found: Sequence[tuple[int, Frame]], owners: Mapping[str, Owner]) -> bytes:
    """Frames, each with the position behind it, as events that resume behind them."""
    return b"".join(
        _event(prefix, position, pieces, owners.get(pieces[0].task_id, NOBODY))
        for position, pieces in _joined(found)
    )


def _joined(found: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, list[Frame]]]:
    """Frames that continue each other, with the position behind the last of them."""
    held: list[Frame] = []
    behind = size = end = 0
    for position, frame in found:
        if held and (
            frame.kind != Kind.OUTPUT
            or held[0].kind != Kind.OUTPUT
            or frame.key != held[0].key
            or frame.offset != end
            or size + len(frame.data) > JOINED_BYTES
        ):
            yield behind, held
            held, size = [], 0
        held.append(frame)
        behind, size, end = position, size + len(frame.data), frame.offset + len(frame.data)
    if held:
        yield behind, held


def _event(prefix: str, position: int, pieces: list[Frame], owner: Owner) -> bytes:
    first = pieces[0]
    data: dict[str, object] = {
        "host": owner.host_name,
        "host_id": owner.host_id,
        "step_id": owner.step_id,
        "task_id": first.task_id,
        "attempt": first.attempt,
        "stream": first.stream,
        "seq": first.seq,
        "offset": first.offset,
    }
    if first.kind != Kind.OUTPUT:
        length, reason = first.gap
        return event("gap", f"{prefix}{position}", data | {"length": length, "reason": reason})
    raw = first.data if len(pieces) == 1 else b"".join([piece.data for piece in pieces])
    data["text"], lossy = readable(raw)
    if lossy:
        data["lossy"] = True
    return event("log", f"{prefix}{position}", data)


class EventStream(Response):
    """Sends what an iterator makes until it ends or the reader is gone; little more than a socket.

    A reader that takes nothing for `send_seconds` is cut off; its last event id resumes exactly.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None], *, send_seconds: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._send_seconds = send_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs in the request's own task; one more waits for the reader to go."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((pump, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
        if not pump.cancelled() and (error := pump.exception()) is not None:
            raise error

    async def _pump(self, send: Send) -> None:
        body = "http.response.body"
        try:
            async with aclosing(self._events) as events:
                async for block in events:
                    try:
                        async with asyncio.timeout(self._send_seconds):
                            await send({"type": body, "body": block, "more_body": True})
                    except TimeoutError:
                        return
        except AppError as error:  # it is too late to say so: the reader comes back and hears it
            log.warning("A stream of events ends early.", error=error.code)
        await send({"type": body, "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

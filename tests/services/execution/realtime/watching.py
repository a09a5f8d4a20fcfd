"""Reads a live stream of the app, event by event, as a browser would."""

import asyncio
import json
from collections.abc import AsyncIterator

from tests.support.courier import Message
from tests.support.execution import Rig


class Watcher:
    """Reads a stream from the app, event by event, as a browser would."""

    def __init__(
        self, rig: Rig, kind: str, execution_id: str, *, query: str = "", **headers: str
    ) -> None:
        self.raw = b""
        self._rig = rig
        self._query = query.encode()
        self._path = f"/api/realtime/sse/{kind}/{execution_id}"
        self._headers = rig.headers(more=headers)
        self._body: asyncio.Queue[bytes] = asyncio.Queue()
        self._buffer = b""
        self.status = 0

    async def __aenter__(self) -> "Watcher":
        self._task = asyncio.ensure_future(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def is_over(self) -> bool:
        """Whether the service ended the stream."""
        return self._task.done()

    async def next(self) -> Message:
        """The next event; comments and retry hints are skipped."""
        while True:
            head, mark, rest = self._buffer.replace(b"\r\n", b"\n").partition(b"\n\n")
            if not mark:
                async with asyncio.timeout(10):
                    self._buffer += await self._body.get()
                continue
            self._buffer = rest
            fields = dict(
                line.split(": ", 1) for line in head.decode().split("\n") if ": " in line[1:]
            )
            if "event" in fields:
                data: Message = json.loads(fields["data"])
                return {"event": fields["event"], "id": fields["id"], "data": data}

    async def all(self) -> AsyncIterator[Message]:
        """Events up to and including the end."""
        while True:
            event = await self.next()
            yield event
            if event["event"] == "end":
                return

    async def _serve(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": self._query,
            "root_path": "",
            "scheme": "http",
            "server": ("execution", 80),
            "client": ("127.0.0.1", 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in self._headers.items()],
        }
        open_ = asyncio.Event()

        async def receive() -> Message:
            if not open_.is_set():
                open_.set()
                return {"type": "http.request", "body": b"", "more_body": False}
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = int(str(message["status"]))
            elif isinstance(message.get("body"), bytes):
                body = bytes(message["body"])  # type: ignore[call-overload]
                self.raw += body
                self._body.put_nowait(body)

        await self._rig.app(scope, receive, send)  # type: ignore[arg-type]  # plain ASGI

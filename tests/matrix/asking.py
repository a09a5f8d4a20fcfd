"""One request to an ASGI app in this process, cut off once a stream has begun."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Scope


@dataclass
class Answer:
    """What came back; of a stream, what came until it was cut."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def every_byte(self) -> bytes:
        """Headers and body, as far as a caller could read them."""
        return b"\n".join(name + b": " + value for name, value in self.headers) + self.body

    @property
    def kind(self) -> bytes:
        """The content type without its parameters."""
        found = next((value for name, value in self.headers if name == b"content-type"), b"")
        return found.partition(b";")[0]

    @property
    def content(self) -> object:
        """The content of an envelope, or None where there is none."""
        if self.kind != b"application/json" or not self.body:
            return None
        document = json.loads(self.body)
        return document.get("content") if isinstance(document, dict) else None

    @property
    def error(self) -> str:
        """The stable code of an error, or nothing."""
        content = self.content
        return str(content.get("error", "")) if isinstance(content, dict) else ""


STREAM_SECONDS = 0.05
LONGEST_SECONDS = 30.0


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    address: str = "203.0.113.7",
) -> Answer:
    """Sends one request as a server would hand it over. An event stream is read for a moment."""
    sent = [(n.lower().encode(), v.encode("latin-1")) for n, v in (headers or {}).items()]
    if body:
        sent.append((b"content-length", b"%d" % len(body)))
    scope = _scope(method, path, query, sent, address)
    answer, gone = Answer(), asyncio.Event()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(bytes(n).lower(), bytes(v)) for n, v in message["headers"]]
        else:
            answer.body += message.get("body", b"")

    task = asyncio.ensure_future(app(scope, receive, send))
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while not task.done() and answer.kind != b"text/event-stream":
                await asyncio.wait({task}, timeout=STREAM_SECONDS)
    finally:
        gone.set()
        if not task.done():
            task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
    return answer


def _scope(
    method: str, path: str, query: str, headers: list[tuple[bytes, bytes]], address: str
) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(b"host", b"console.test"), *headers],
        "client": (address, 4711),
        "server": ("console.test", 80),
    }

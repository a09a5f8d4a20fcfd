"""Asks an upstream a question of the gateway's own, through the same ASGI call as everybody."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Scope

from gateway.api.errors import ServiceUnreachable
from gateway.api.heads import Header


@dataclass(frozen=True, slots=True)
class Answer:
    """What an upstream said; the body is complete."""

    status: int
    body: bytes


async def ask(app: ASGIApp, path: str, headers: Sequence[Header] = (), *, seconds: float) -> Answer:
    """GETs a path of an upstream; ServiceUnreachable if it takes longer or says nothing."""
    status = 0
    chunks: list[bytes] = []
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            chunks.append(message.get("body", b""))

    try:
        async with asyncio.timeout(seconds):
            await app(_scope(path, headers), receive, send)
    except TimeoutError:
        raise ServiceUnreachable() from None
    if not status:
        raise ServiceUnreachable()
    return Answer(status, b"".join(chunks))


def _scope(path: str, headers: Sequence[Header]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), *headers],
        "client": None,
        "server": None,
        "state": {},
    }

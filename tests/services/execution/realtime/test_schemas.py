"""The answer that carries a stream: nothing waits for a reader that is gone or asleep."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.execution.realtime.schemas import EventStream
from tests.support.courier import Message

pytestmark = pytest.mark.anyio


async def test_f58_a_reader_that_takes_nothing_is_cut_and_its_source_closed() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"data: x\n\n"
        finally:
            closed.set()

    sent = 0

    async def send(message: Message) -> None:
        nonlocal sent
        sent += message["type"] == "http.response.body"
        if sent > 2:
            await asyncio.Event().wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(5):
        stream = EventStream(events(), send_seconds=0.05)
        await stream({"type": "http"}, receive, send)  # type: ignore[arg-type]  # plain ASGI
        await closed.wait()

    assert sent == 3


async def test_the_source_is_closed_when_the_reader_leaves() -> None:
    closed, left = asyncio.Event(), asyncio.Event()

    async def events() -> AsyncGenerator[bytes, None]:
        try:
            yield b"data: x\n\n"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            left.set()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(5):
        stream = EventStream(events(), send_seconds=60)
        await stream({"type": "http"}, receive, send)  # type: ignore[arg-type]  # plain ASGI
        await closed.wait()

"""The agent's end of the socket to the spawner: sign and launch, many requests at a time."""

from __future__ import annotations

import asyncio
import base64
import json

from agent.spawner import LENGTH, SpawnerProcess
from agent.work import Launch


class SpawnerGone(Exception):
    """The spawner ended; the agent starts anew, scripts go on."""


class SpawnerClient:
    """Asks the spawner; answers come in the order of the requests."""

    def __init__(self, process: SpawnerProcess) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._last = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Connect the socket to the running loop."""
        self._streams = await asyncio.open_connection(sock=self._process.connection)

    async def serve(self) -> None:
        """Take answers; raises SpawnerGone when the spawner ends."""
        assert self._streams is not None
        reader = self._streams[0]
        try:
            while True:
                size = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
                answer = json.loads(await reader.readexactly(size))
                future = self._waiting.pop(answer["id"], None)
                if future is not None and not future.done():
                    future.set_result(answer["value"])
        except (asyncio.IncompleteReadError, OSError):
            raise SpawnerGone from None

    async def sign(self, statement: bytes) -> str:
        """The signature in base64 by the agent's key."""
        return await self._ask({"op": "sign", "statement": base64.b64encode(statement).decode()})

    async def launch(self, launch: Launch) -> str:
        """Start a shim; empty, or why its folder could not be made."""
        return await self._ask({"op": "start", "launch": vars(launch)})

    def _ask(self, request: dict[str, object]) -> asyncio.Future[str]:
        assert self._streams is not None
        self._last += 1
        content = json.dumps({"id": self._last, **request}).encode()
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[self._last] = future
        self._streams[1].write(LENGTH.pack(len(content)) + content)
        return future

"""A Vault that knows one token: a key-value engine of version 2 over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FakeVault:
    """Gives out `secrets` (path below the mount `kv`) to whoever shows `token`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.secrets: dict[str, dict[str, object]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.broken: tuple[int, bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answer(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        if self.broken is not None:
            return self.broken
        if headers.get("x-vault-token") != self.token:
            return 403, b'{"errors": ["permission denied"]}'
        found = self.secrets.get(path.removeprefix("/v1/kv/data/"))
        if found is None:
            return 404, b'{"errors": []}'
        data = {"data": found, "metadata": {"version": 3}}
        return 200, json.dumps({"request_id": "x", "lease_id": "", "data": data}).encode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = [line.partition(": ") for line in lines[1:] if line]
            headers = {name.lower(): value for name, _, value in pairs}
            path = lines[0].split(" ")[1]
            self.asked.append((path, headers))
            status, body = self._answer(path, headers)
            head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeVault"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

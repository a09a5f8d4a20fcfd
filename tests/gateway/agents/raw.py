"""A bare TCP connection, for what no client library would send."""

import asyncio


class RawConnection:
    """Bytes out, bytes in, nothing else."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connects."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    def write(self, data: bytes) -> None:
        """Sends bytes."""
        assert self._writer is not None
        self._writer.write(data)

    async def everything(self) -> bytes:
        """All that comes until the other side closes."""
        assert self._reader is not None
        async with asyncio.timeout(10):
            return await self._reader.read()

    async def some(self) -> bytes:
        """What comes first."""
        assert self._reader is not None
        async with asyncio.timeout(10):
            return await self._reader.read(4096)

    @property
    def is_closed(self) -> bool:
        """Whether the other side closed it."""
        assert self._reader is not None
        return self._reader.at_eof() or self._reader.exception() is not None

    async def close(self) -> None:
        """Closes our side."""
        if self._writer is not None:
            self._writer.close()
            try:
                await self._writer.wait_closed()
            except OSError:
                return

"""Follows Redis streams from now on, through lost connections and emptied databases."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis

log = get_logger(__name__)

BLOCK_MS: Final = 2_000
COUNT: Final = 256
RETRY_SECONDS: Final = 0.2

Fields = Mapping[bytes, bytes]


class Tail:
    """One blocking read over several streams; `handlers` get the fields of each entry, in order.

    A handler must not raise. `redis` needs a read timeout above `BLOCK_MS`, as the kit's
    connection for blocking reads has.
    """

    def __init__(self, redis: Redis, handlers: Mapping[str, Callable[[Fields], None]]) -> None:
        self._redis = redis
        self._handlers = {key.encode(): handle for key, handle in handlers.items()}
        self._positions: dict[bytes, bytes] = {}
        self.is_following = asyncio.Event()
        """Set while the streams are being read; nothing added after that is missed."""

    def start_over(self) -> None:
        """Redis was emptied: whatever is in the streams by now is new to us."""
        self._positions = dict.fromkeys(self._handlers, b"0-0")

    async def run(self) -> None:
        """Reads for ever; never fails, retries instead."""
        while True:
            try:
                await self._find_ends()
                self.is_following.set()
                await self._read()
            except TROUBLE as error:
                self.is_following.clear()
                log.warning("Streams cannot be followed for now.", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _find_ends(self) -> None:
        for key in self._handlers.keys() - self._positions.keys():
            newest = await self._redis.xrevrange(key, count=1)
            self._positions[key] = newest[0][0] if newest else b"0-0"

    async def _read(self) -> None:
        positions = self._positions
        answer = await self._redis.xread(dict(positions), count=COUNT, block=BLOCK_MS)  # type: ignore[arg-type]
        for key, entries in answer or ():
            handle = self._handlers[key]
            for position, fields in entries:
                if positions is self._positions:
                    positions[key] = position
                handle(fields)

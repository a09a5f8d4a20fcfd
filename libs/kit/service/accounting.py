"""Tells the audit log what a service's routes refused, soon and in the background."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from libs.kit.db import Database, Transaction
from libs.kit.errors import Unavailable
from libs.kit.events import Event
from libs.kit.logging import get_logger
from libs.kit.refusals import Refusal, Refusals

SECONDS: Final = 1.0
LAST_SECONDS: Final = 3.0

log = get_logger(__name__)


class RefusalsTold:
    """The loop that turns refusals into facts; a database that is away is waited for."""

    def __init__(
        self, db: Database, refusals: Refusals, fact: Callable[[Refusal, int], Event]
    ) -> None:
        self._db = db
        self._refusals = refusals
        self._fact = fact
        self._batch: Sequence[tuple[Refusal, int]] = ()

    async def run(self) -> None:
        """Tells for ever, and at the end of the process what is left."""
        try:
            while True:
                await asyncio.sleep(SECONDS)
                self._batch = self._batch or self._refusals.due()
                try:
                    await self._tell()
                except Unavailable as error:
                    log.warning("Refusals wait to be recorded.", reason=error.code)
        finally:
            self._batch = [*self._batch, *self._refusals.everything()]
            try:
                async with asyncio.timeout(LAST_SECONDS):
                    await self._tell()
            except (TimeoutError, Unavailable):
                log.error("Refusals were not recorded.", refusals=len(self._batch))

    async def _tell(self) -> None:
        if self._batch:
            await self._db.write(self._emit)
            self._batch = ()

    def _emit(self, tx: Transaction) -> None:
        for refusal, count in self._batch:
            tx.emit(self._fact(refusal, count))

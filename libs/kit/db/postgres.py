"""PostgreSQL for the same plain functions: an async session that runs them in a greenlet."""

import asyncio
import random
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from libs.kit.db.failures import connection_was_lost, translated, worth_retrying
from libs.kit.db.transaction import Doorbell, Transaction, confirm_delivery, run_write
from libs.kit.errors import Unavailable

T = TypeVar("T")

ATTEMPTS: Final = 4
_SERVER_SETTINGS: Final = {
    "statement_timeout": "30000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "60000",
}


class _Attempt:
    """Whether an attempt came as far as its commit; from there on nobody knows how it ended."""

    __slots__ = ("committing", "emitted")

    def __init__(self) -> None:
        self.committing = False
        self.emitted = False


class PostgreSQL:
    """The engine room of one PostgreSQL database."""

    def __init__(self, url: str, name: str, committed: Doorbell, *, pool_size: int) -> None:
        self._url = url
        self._name = name
        self._committed = committed
        self._pool_size = pool_size
        self._engine: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None

    async def open(self) -> None:
        """Make the pool; connections are opened when first needed."""
        self._engine = create_async_engine(
            self._url,
            pool_size=self._pool_size,
            max_overflow=self._pool_size,
            pool_timeout=10,
            pool_recycle=1800,
            connect_args={
                "timeout": 5,
                "command_timeout": 60,
                "server_settings": {
                    **_SERVER_SETTINGS,
                    "application_name": f"opsjob-{self._name}",
                },
            },
        )
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def close(self) -> None:
        """Close the pool."""
        if self._engine is not None:
            await self._engine.dispose()
        self._engine = self._reader = None

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        """See Database.write."""

        def body(session: Session, attempt: _Attempt) -> T:
            result, attempt.emitted = run_write(session, fn)
            attempt.committing = True
            session.commit()
            return result

        return await self._attempted(self._engine, body)

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        """See Database.read."""
        return await self._attempted(self._reader, lambda session, _: fn(Transaction(session)))

    async def _attempted(
        self, engine: AsyncEngine | None, body: Callable[[Session, _Attempt], T]
    ) -> T:
        if engine is None:
            raise Unavailable
        for number in range(1, ATTEMPTS + 1):
            attempt = _Attempt()
            try:
                async with AsyncSession(engine, expire_on_commit=False) as session:
                    result = await session.run_sync(body, attempt)
            except Exception as error:
                stale = connection_was_lost(error) and not attempt.committing and number == 1
                if number == ATTEMPTS or not (stale or worth_retrying(error)):
                    failure = translated(error)
                    if failure is error:
                        raise
                    raise failure from error
                if not stale:
                    await asyncio.sleep(random.uniform(0.5, 1) * 0.02 * 2**number)  # noqa: S311
                continue
            if attempt.committing:
                confirm_delivery()
            if attempt.emitted:
                self._committed.ring()
            return result
        raise Unavailable

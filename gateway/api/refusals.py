"""What the gateway refused by itself, told to the audit log in the background."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.types import Scope

from gateway.api.errors import CredentialsConflict, TokenInQuery
from gateway.api.exchange import Exchange
from libs.contracts.audit import AuditClient
from libs.kit.acting import MAX_USER_AGENT, Actor
from libs.kit.errors import AppError, Unavailable
from libs.kit.logging import get_logger
from libs.kit.refusals import Refusal, Refusals

SECONDS: Final = 1.0
LAST_SECONDS: Final = 2.0
MOST: Final = 1000

_CREDENTIALS: Final = frozenset({b"authorization", b"cookie"})
_CODES: Final = frozenset({CredentialsConflict.code, TokenInQuery.code})

log = get_logger(__name__)


class RefusedAtGate:
    """Bad credentials and forged origins; somebody who is merely not logged in is no event."""

    def __init__(self, audit: AuditClient | None) -> None:
        self._audit = audit
        self._refusals = Refusals()
        self._batch: Sequence[tuple[Refusal, int]] = ()

    def note(self, error: AppError, scope: Scope, exchange: Exchange) -> None:
        """Remembers the refusal if it is one; never waits."""
        if error.accounted or (error.status not in (401, 403) and error.code not in _CODES):
            return
        agent, shows_credential = "", False
        for name, value in scope["headers"]:
            if name == b"user-agent":
                agent = value.decode("latin-1")[:MAX_USER_AGENT]
            elif name in _CREDENTIALS:
                shows_credential = True
        if error.status == 401 and not shows_credential:
            return
        self._refusals.note(
            Refusal(
                "session.refused" if error.status == 401 else "access.denied",
                error.code,
                f"{scope['method'][:20]} {scope['path'][:170]}",
                actor=Actor(0, "", "anonymous", exchange.address, agent, "gateway"),
                request_id=exchange.request_id.decode("latin-1"),
            )
        )

    @asynccontextmanager
    async def reported(self) -> AsyncIterator[None]:
        """Reports while this is entered, and at the end what is left."""
        if self._audit is None:
            yield
            return
        loop = asyncio.create_task(self._run(self._audit), name="refusals")
        try:
            yield
        finally:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
            self._batch = [*self._batch, *self._refusals.everything()][:MOST]
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await self._report(self._audit)

    async def _run(self, audit: AuditClient) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            self._batch = self._batch or self._refusals.due()
            await self._report(audit)

    async def _report(self, audit: AuditClient) -> None:
        if not self._batch:
            return
        try:
            await audit.report_refusals(self._batch)
        except Unavailable as error:
            log.warning("Refusals at the gate wait to be recorded.", reason=error.code)
            return
        except AppError as error:
            log.error("Refusals at the gate cannot be recorded.", reason=error.code)
        self._batch = ()

"""Live streams: one slot each, cut when the right to watch ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.api.credentials import CredentialKey, Identity
from gateway.api.limits import StreamSlots
from libs.kit.errors import AppError, Unavailable

_MOST_FAILED_CHECKS: Final = 2
"""So long auth may be away before a stream ends; new requests are refused at once."""

SIGNED_OUT: Final = b'event: revoked\ndata: {"reason":"signed_out"}\n\n'
"""The last word to a reader whose session has ended; coming again would be in vain."""


class Streams:
    """Runs answers that stay open; `resolve` asks who a credential belongs to now."""

    def __init__(
        self,
        resolve: Callable[[CredentialKey], Awaitable[Identity]],
        *,
        slots: StreamSlots,
        check_seconds: float,
    ) -> None:
        self._resolve = resolve
        self._slots = slots
        self._check_seconds = check_seconds
        self._watches: dict[tuple[object, ...], _Watch] = {}

    async def run(self, identity: Identity, work: Callable[[], Awaitable[None]]) -> bool:
        """Runs `work` until it ends or the right to watch does; TooManyStreams without a slot.

        A cut stream just ends; its reader resumes by the last event id if it still may. True when
        it may not: the session has ended.
        """
        with self._slots.hold(identity.principal.id):
            leash = asyncio.timeout(None)
            watch = self._join(identity, leash)
            try:
                async with leash:
                    await work()
            except TimeoutError:
                if not leash.expired():
                    raise
                return watch.is_signed_out
            finally:
                self._leave(identity, leash)
            return False

    def _join(self, identity: Identity, leash: asyncio.Timeout) -> "_Watch":
        watch = self._watches.get(_right(identity))
        if watch is None:
            watch = self._watches[_right(identity)] = _Watch()
            watch.task = asyncio.create_task(self._watch(identity, watch))
        watch.leashes.add(leash)
        return watch

    def _leave(self, identity: Identity, leash: asyncio.Timeout) -> None:
        watch = self._watches.get(_right(identity))
        if watch is None or leash not in watch.leashes:
            return
        watch.leashes.discard(leash)
        if not watch.leashes:
            del self._watches[_right(identity)]
            if watch.task is not None:
                watch.task.cancel()

    async def _watch(self, identity: Identity, watch: "_Watch") -> None:
        """Whatever ends this task, except the end of the streams themselves, ends them."""
        task = asyncio.current_task()
        try:
            watch.is_signed_out = await self._until_right_is_gone(identity)
        finally:
            if task is None or not task.cancelling():
                self._watches.pop(_right(identity), None)
                for leash in watch.leashes:
                    leash.reschedule(asyncio.get_running_loop().time())

    async def _until_right_is_gone(self, identity: Identity) -> bool:
        """Returns when it is; True when the credential is worth nothing any more."""
        failed = 0
        while failed < _MOST_FAILED_CHECKS:
            await asyncio.sleep(self._check_seconds)
            try:
                now = await self._resolve(identity.key)
            except Unavailable:
                failed += 1
            except AppError:
                return True
            else:
                failed = 0
                if not identity.is_same_right(now):
                    return False
        return False


class _Watch:
    """All streams of one credential with the same rights; they are asked about together."""

    __slots__ = ("is_signed_out", "leashes", "task")

    def __init__(self) -> None:
        self.leashes: set[asyncio.Timeout] = set()
        self.is_signed_out = False
        self.task: asyncio.Task[None] | None = None


def _right(identity: Identity) -> tuple[object, ...]:
    return identity.key, identity.principal.id, identity.principal.permissions

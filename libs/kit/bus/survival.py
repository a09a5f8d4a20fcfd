"""What a loop over Redis does while Redis is away, empty, full or read-only: it goes on."""

import asyncio
import random
from collections.abc import Iterable
from typing import Final

from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis, ResponseError

log = get_logger(__name__)

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0


class Backoff:
    """Pauses between attempts: short at first, never longer than two seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._failures = 0

    async def after(self, error: BaseException) -> None:
        """Wait before the next attempt; the first failure of a row is logged."""
        if self._failures == 0:
            log.warning(
                "Redis does not serve; going on when it does.",
                loop=self._what,
                reason=f"{type(error).__name__}: {error}"[:300],
            )
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 10))
        self._failures += 1
        await asyncio.sleep(pause * random.uniform(0.7, 1.0))  # noqa: S311  only spreads load

    def succeeded(self) -> None:
        """Start the next row of failures from the shortest pause."""
        if self._failures:
            log.info("Redis serves again.", loop=self._what)
        self._failures = 0


async def ensure_groups(redis: Redis, keys: Iterable[str], group: str) -> None:
    """Make the consumer group on each stream, from its first entry; existing ones stay."""
    for key in keys:
        try:
            await redis.xgroup_create(key, group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def lost_group(error: BaseException) -> bool:
    """Whether the failure says that stream or group is gone (FLUSHALL, DEL, XGROUP DESTROY)."""
    text = str(error)
    return isinstance(error, ResponseError) and ("NOGROUP" in text or "UNBLOCKED" in text)


__all__ = ["TROUBLE", "Backoff", "ensure_groups", "lost_group"]

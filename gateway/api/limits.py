"""How often: rates per user and address, and how many live streams one user may watch."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.storage.redis import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from gateway.api.errors import TooManyStreams
from gateway.api.settings import GatewaySettings
from libs.kit.errors import TooMany

_log = logging.getLogger(__name__)
_LARGEST_BLOCK: Final = 100
_MOST_KEYS: Final = 100_000
_REDIS_SECONDS: Final = 0.5


class RateCounter:
    """Counts in memory or in Redis; while Redis is away each process counts for itself."""

    def __init__(self, storage: Storage) -> None:
        self._limiter = FixedWindowRateLimiter(storage)
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._warned = False

    async def hit(self, item: RateLimitItem, key: str, *, cost: int) -> bool:
        """Counts `cost` requests; False if the window does not hold them any more."""
        try:
            return await self._limiter.hit(item, key, cost=cost)
        except StorageError:
            self._warn()
            return await self._alone.hit(item, key, cost=cost)

    async def is_free(self, item: RateLimitItem, key: str) -> bool:
        """Whether the window holds one more, without counting it."""
        try:
            return await self._limiter.test(item, key)
        except StorageError:
            self._warn()
            return await self._alone.test(item, key)

    async def seconds_left(self, item: RateLimitItem, key: str) -> int:
        """Until the window begins anew, at least 1."""
        try:
            window = await self._limiter.get_window_stats(item, key)
        except StorageError:
            window = await self._alone.get_window_stats(item, key)
        return max(1, ceil(window.reset_time - time.time()))

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("Rate limits are counted per process, Redis does not answer.")


class Rate:
    """One limit. Requests are counted in small blocks ahead, so that most cost one look-up.

    A block is at most a thousandth of the limit, so the limit is exact to 0.1 %, and small limits
    are exact.
    """

    def __init__(self, rate: str, *, name: str, counter: RateCounter) -> None:
        self._item = parse(rate)
        self._name = name
        self._counter = counter
        self._block = max(1, min(_LARGEST_BLOCK, self._item.amount // 1000))
        self._prepaid: dict[str, int] = {}

    def take(self, key: str) -> bool:
        """True if the request was counted already; else call `pay`."""
        left = self._prepaid.get(key, 0)
        if left <= 0:
            return False
        self._prepaid[key] = left - 1
        return True

    async def pay(self, key: str) -> None:
        """Counts a request, or raises TooMany with the seconds until the next window."""
        counted = f"{self._name}/{key}"
        if await self._counter.hit(self._item, counted, cost=self._block):
            if len(self._prepaid) >= _MOST_KEYS:
                self._prepaid.clear()
            self._prepaid[key] = self._block - 1
            return
        if self._block > 1 and await self._counter.hit(self._item, counted, cost=1):
            return
        raise await self._refusal(counted)

    async def count(self, key: str) -> None:
        """Counts without refusing, for things that `check` refuses later."""
        await self._counter.hit(self._item, f"{self._name}/{key}", cost=1)

    async def check(self, key: str) -> None:
        """Raises TooMany if the window is used up; counts nothing."""
        counted = f"{self._name}/{key}"
        if not await self._counter.is_free(self._item, counted):
            raise await self._refusal(counted)

    async def _refusal(self, counted: str) -> TooMany:
        return TooMany(retry_after=await self._counter.seconds_left(self._item, counted))


class Rates:
    """All limits of the gateway, over one counter."""

    def __init__(self, settings: GatewaySettings, *, redis_url: str | None = None) -> None:
        counter = RateCounter(_storage(settings, redis_url))
        self.users = Rate(settings.user_rate, name="user", counter=counter)
        self.addresses = Rate(settings.address_rate, name="address", counter=counter)
        self.logins = Rate(settings.login_rate, name="login", counter=counter)
        self.failures = Rate(settings.failure_rate, name="failure", counter=counter)


def _storage(settings: GatewaySettings, redis_url: str | None) -> Storage:
    if settings.rate_storage == "memory" or redis_url is None:
        return MemoryStorage()
    scheme, _, rest = redis_url.partition("://")
    uri = f"async+redis+unix://{rest}" if scheme == "unix" else f"async+{redis_url}"
    return RedisStorage(
        uri,
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="opsjob_rates",
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )


class StreamSlots:
    """Live streams per user in this process."""

    def __init__(self, per_user: int) -> None:
        self._per_user = per_user
        self._open: dict[int, int] = {}

    @property
    def total(self) -> int:
        """Streams open now."""
        return sum(self._open.values())

    @contextmanager
    def hold(self, user_id: int) -> Iterator[None]:
        """Holds one slot while a stream is open; TooManyStreams if the user has none left."""
        taken = self._open.get(user_id, 0)
        if taken >= self._per_user:
            raise TooManyStreams(retry_after=5, limit=self._per_user)
        self._open[user_id] = taken + 1
        try:
            yield
        finally:
            left = self._open[user_id] - 1
            if left:
                self._open[user_id] = left
            else:
                del self._open[user_id]

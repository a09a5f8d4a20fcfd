"""Streams of batches between gateways and services: many messages in one entry.

Redis is never the only copy of these: the sender repeats what was not acknowledged. So a stream
is bounded, and an entry that can never be handled is dropped with an error in the log.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from pydantic import SecretStr
from redis.asyncio.client import Pipeline

from libs.kit import clock
from libs.kit.bus.survival import TROUBLE, Backoff, ensure_groups, lost_group
from libs.kit.errors import Unavailable
from libs.kit.faults import fault
from libs.kit.logging import get_logger
from libs.kit.redis import Redis, blocking

COUNT: Final = 128
BLOCK_MILLISECONDS: Final = 1000
ORPHANED_MILLISECONDS: Final = 15_000
SWEEP_SECONDS: Final = 5.0
MAX_FAILURES: Final = 5

log = get_logger(__name__)

Message = dict[str, object]


class StreamMark:
    """Marks entries, so that whoever owns Redis can lose or repeat them, but not invent any."""

    def __init__(self, secret: SecretStr, *, accepted: Sequence[SecretStr] = ()) -> None:
        self._keys = [
            hashlib.sha256(b"opsjob/streams/v1\0" + one.get_secret_value().encode()).digest()
            for one in (secret, *accepted)
        ]

    def of(self, stream: str, gateway: str, batch: bytes) -> bytes:
        """The mark of an entry: it fits these bytes of this gateway on this stream alone."""
        return self._of(self._keys[0], stream, gateway, batch)

    def fits(self, mark: bytes, stream: str, gateway: str, batch: bytes) -> bool:
        """Whether an entry was made by somebody who holds the installation's secret."""
        return any(
            hmac.compare_digest(mark, self._of(key, stream, gateway, batch)) for key in self._keys
        )

    @staticmethod
    def _of(key: bytes, stream: str, gateway: str, batch: bytes) -> bytes:
        place = f"{stream}\0{gateway}\0".encode()
        digest = hashlib.blake2b(place, key=key, digest_size=16)
        digest.update(batch)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream: where it came from and the messages in it."""

    id: str
    messages: list[Message]
    gateway: str
    batch: bytes = b""
    mark: bytes = b""


Handle = Callable[[dict[str, list[Entry]]], Awaitable[None]]


class BatchStream:
    """Appending to and reading from streams of batches; field ``batch`` is a msgpack list.

    With ``mark`` every entry must carry a mark that fits; others are dropped, and ``forged`` is
    told their stream and the gateway that they name.
    """

    def __init__(
        self,
        mark: "StreamMark | None" = None,
        forged: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        self._mark = mark
        self._forged = forged

    @staticmethod
    def encoded(messages: Sequence[bytes | Mapping[str, object]]) -> bytes:
        """The value of the field ``batch``; bytes are messages that are msgpack already."""
        return msgspec.msgpack.encode(
            [msgspec.Raw(m) if isinstance(m, bytes) else m for m in messages]
        )

    @classmethod
    async def append(
        cls,
        redis: Redis,
        key: str,
        messages: Sequence[bytes | Mapping[str, object]],
        maxlen: int,
        gateway: str = "",
        mark: "StreamMark | None" = None,
    ) -> None:
        """Add one entry with these messages; about ``maxlen`` entries are kept."""
        batch = cls.encoded(messages)
        fields: dict[str, str | bytes] = {"batch": batch, "gateway": gateway}
        if mark is not None:
            fields["mark"] = mark.of(key, gateway, batch)
        await redis.xadd(key, fields, maxlen=maxlen, approximate=True)  # type: ignore[arg-type]  # invariant

    async def consume(
        self,
        redis: Redis,
        keys: Sequence[str],
        group: str,
        consumer: str,
        handle: Handle,
        *,
        remove: bool = False,
        count: int = COUNT,
    ) -> None:
        """Hand batches to ``handle`` for ever; what it has returned from is acknowledged.

        A batch has at most ``count`` entries, which bounds the memory that it takes.

        What it raises makes the entries come again, one by one, and after five failures an entry
        is dropped; Unavailable repeats without counting. ``remove`` deletes handled entries, for
        streams with one group.
        """
        reading = _Reading(redis, tuple(keys), group, consumer, handle, remove=remove, count=count)
        reading.sort = self._sorted
        backoff = Backoff(f"{group} on {', '.join(keys)}")
        async with blocking(redis) as reader:
            while True:
                try:
                    await ensure_groups(redis, keys, group)
                    await reading.resume()
                    while True:
                        await reading.step(reader)
                        backoff.succeeded()
                except TROUBLE as error:
                    if not lost_group(error):
                        await backoff.after(error)
                except Unavailable as error:
                    await backoff.after(error)

    async def _sorted(self, batch: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
        """The same entries; those that nobody honest made have no messages any more."""
        if self._mark is None:
            return batch
        forged: set[tuple[str, str]] = set()
        for key, entries in batch.items():
            for place, entry in enumerate(entries):
                if not entry.messages:
                    continue
                if self._mark.fits(entry.mark, key, entry.gateway, entry.batch):
                    entries[place] = replace(entry, batch=b"")  # it was needed for its mark only
                else:
                    forged.add((key, entry.gateway))
                    entries[place] = Entry(entry.id, [], "")
        for key, gateway in sorted(forged):
            log.error("An entry that none of us made was dropped.", stream=key, gateway=gateway)
            if self._forged is not None:
                await self._forged(key, gateway)
        return batch


class _Reading:
    """One consumer's way through its streams."""

    def __init__(
        self,
        redis: Redis,
        keys: tuple[str, ...],
        group: str,
        consumer: str,
        handle: Handle,
        *,
        remove: bool,
        count: int,
    ) -> None:
        self._redis = redis
        self._count = count
        self._keys = keys
        self._group = group
        self._consumer = consumer
        self._handle = handle
        self._remove = remove
        self.sort: Callable[[dict[str, list[Entry]]], Awaitable[dict[str, list[Entry]]]] = _as_is
        self._failures: dict[tuple[str, str], int] = {}
        self._handled: list[tuple[str, Sequence[str]]] = []
        """What is acknowledged together with the next question for more."""
        self._swept = clock.monotonic()

    async def resume(self) -> None:
        """Take up what this consumer had before it was interrupted."""
        if self._handled:
            await self._acknowledged()
        for key in self._keys:
            start: str = "0-0"
            while True:
                answer = await self._redis.xreadgroup(
                    self._group, self._consumer, {key: start}, count=self._count
                )
                entries = answer[0][1] if answer else []
                if not entries:
                    break
                await self._take({key: _decoded(entries)})
                start = entries[-1][0].decode()

    async def step(self, reader: Redis) -> None:
        """Orphans of dead consumers now and then, otherwise what is new."""
        if clock.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = clock.monotonic()
            await self._adopt()
        async with reader.pipeline(transaction=False) as pipe:
            self._acknowledge(pipe)
            pipe.xreadgroup(
                self._group,
                self._consumer,
                dict.fromkeys(self._keys, ">"),
                count=self._count,
                block=BLOCK_MILLISECONDS,
            )
            answer = (await pipe.execute())[-1]
        self._handled = []
        if answer:
            await self._take({key.decode(): _decoded(entries) for key, entries in answer})

    async def _adopt(self) -> None:
        for key in self._keys:
            answer = await self._redis.xautoclaim(
                key, self._group, self._consumer, ORPHANED_MILLISECONDS, count=self._count
            )
            if answer[1]:
                await self._take({key: _decoded(answer[1])})

    async def _take(self, batch: dict[str, list[Entry]]) -> None:
        batch = await self.sort(batch)
        try:
            await self._handle(batch)
        except (*TROUBLE, Unavailable):
            raise
        except Exception as error:
            log.warning("A batch failed; trying its entries one by one.", exc_info=error)
            await self._one_by_one(batch)
            return
        self._handled += [(key, [entry.id for entry in of]) for key, of in batch.items()]
        fault("batch.before_ack")

    async def _one_by_one(self, batch: dict[str, list[Entry]]) -> None:
        failed: Exception | None = None
        for key, entries in batch.items():
            for entry in entries:
                try:
                    await self._handle({key: [entry]})
                except (*TROUBLE, Unavailable):
                    raise
                except Exception as error:
                    if not self._give_up(key, entry, error):
                        failed = error
                        continue
                self._failures.pop((key, entry.id), None)
                self._handled.append((key, [entry.id]))
                await self._acknowledged()
        if failed is not None:
            raise Unavailable from failed  # a pause, then `resume` brings them again

    def _give_up(self, key: str, entry: Entry, error: Exception) -> bool:
        count = self._failures.get((key, entry.id), 0) + 1
        self._failures[key, entry.id] = count
        if count < MAX_FAILURES:
            return False
        log.error("An entry was dropped.", stream=key, entry=entry.id, exc_info=error)
        return True

    def _acknowledge(self, pipe: Pipeline) -> None:
        for key, ids in self._handled:
            pipe.xack(key, self._group, *ids)
            if self._remove:
                pipe.xdel(key, *ids)

    async def _acknowledged(self) -> None:
        fault("batch.before_ack")
        async with self._redis.pipeline(transaction=False) as pipe:
            self._acknowledge(pipe)
            await pipe.execute()
        self._handled = []


async def _as_is(batch: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    return batch


def _decoded(entries: Sequence[tuple[bytes, Mapping[bytes, bytes] | None]]) -> list[Entry]:
    found: list[Entry] = []
    for entry, fields in entries:
        fields = fields or {}  # an entry that was trimmed away while it was pending
        batch = fields.get(b"batch", b"\x90")
        try:
            messages = msgspec.msgpack.decode(batch, type=list[Message])
        except msgspec.DecodeError:
            log.error("An entry is not a batch.", entry=entry.decode())
            messages = []
        gateway = fields.get(b"gateway", b"").decode("utf-8", "replace")
        mark = fields.get(b"mark", b"")
        found.append(Entry(entry.decode(), messages, gateway, batch, mark))
    return found

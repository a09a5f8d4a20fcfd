"""Execution as agents see it: grants claims, acknowledges output and results; stores nothing."""

import asyncio
from collections import Counter, defaultdict
from types import TracebackType
from typing import Self, cast

import msgspec

from libs.contracts.agents import FIELD_BATCH, LOGS, RESULTS, STATUS, gateway_key
from libs.kit.redis import Redis, blocking
from tests.support.agent_work import Message

_unpack = msgspec.msgpack.Decoder(list[Message]).decode
_json = msgspec.json.Encoder().encode


class FakeExecution:
    """Reads the agents' streams from now on and answers like the real one, from memory.

    `claims`, `starts` and `results` count by (task, attempt); `output` keeps the bytes by task and
    stream, in order. `async with FakeExecution(redis) as execution:` and then `offer` orders.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._blocking = blocking(redis)
        self._where: dict[str, str] = {}
        self._orders: list[Message] = []
        self.claims: Counter[tuple[str, int]] = Counter()
        self.starts: Counter[tuple[str, int]] = Counter()
        self.results: Counter[tuple[str, int]] = Counter()
        self.chunks: dict[tuple[str, str], dict[int, bytes]] = defaultdict(dict)
        self.everything_in = asyncio.Event()
        self.expected = 0

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pending = {self._running}
        while pending:  # on Python 3.11 a wait that just came true swallows a cancellation
            self._running.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)
        await self._blocking.aclose()

    def output(self, task_id: str, stream: str = "stdout") -> bytes:
        """What is stored of one stream up to the first gap."""
        chunks = self.chunks[task_id, stream]
        return b"".join(chunks[seq] for seq in range(_floor(chunks)))

    def knows(self, agent_id: str) -> bool:
        """Whether it has heard where this agent is connected."""
        return agent_id in self._where

    async def offer(self, orders: list[Message]) -> None:
        """Offers orders to the gateways that hold their agents, one entry per gateway."""
        self._orders += orders
        await self._send(
            [(str(order["agent_id"]), {"type": "offer", "order": order}) for order in orders]
        )

    async def offer_again(self) -> None:
        """Offers what nobody claimed yet, as the real one does every few seconds."""
        late = [o for o in self._orders if not self.claims[_key(o)]]
        await self._send([(str(o["agent_id"]), {"type": "offer", "order": o}) for o in late])

    async def _run(self) -> None:
        positions: dict[str, bytes] = dict.fromkeys((STATUS, RESULTS, LOGS), b"0-0")
        while True:
            answer = await self._blocking.xread(dict(positions), count=256, block=1000)  # type: ignore[arg-type]  # keys are invariant
            replies: list[tuple[str, Message]] = []
            for key, entries in answer or ():
                positions[key.decode()] = entries[-1][0]
                for _, fields in entries:
                    for message in _unpack(fields[FIELD_BATCH.encode()]):
                        self._take(message, replies)
            await self._send(replies)

    def _take(self, message: Message, replies: list[tuple[str, Message]]) -> None:
        agent_id = str(message["agent_id"])
        kind = str(message["t"])
        if kind == "connected":
            self._where[agent_id] = str(message["gateway_id"])
        elif kind == "claim":
            self.claims[_key(message)] += 1
            replies.append(
                (agent_id, _reply(message, "grant", epoch=1, boot_id=message["boot_id"]))
            )
        elif kind == "started":
            self.starts[_key(message)] += 1
        elif kind == "output":
            self._store(message, replies)
        elif kind == "result":
            self.results[_key(message)] += 1
            replies.append((agent_id, _reply(message, "result_ack")))
            if len(self.results) >= self.expected:
                self.everything_in.set()

    def _store(self, message: Message, replies: list[tuple[str, Message]]) -> None:
        stream = str(message["stream"])
        chunks = self.chunks[str(message["task_id"]), stream]
        chunks[cast(int, message["seq"])] = cast(bytes, message["data"])
        floor = _floor(chunks)
        size = sum(len(chunks[seq]) for seq in range(floor))
        ack = _reply(message, "ack", stream=stream, seq=floor, offset=size)
        replies.append((str(message["agent_id"]), ack))

    async def _send(self, replies: list[tuple[str, Message]]) -> None:
        by_gateway: dict[str, list[Message]] = defaultdict(list)
        for agent_id, message in replies:
            gateway = self._where.get(agent_id)
            if gateway is not None:
                by_gateway[gateway].append({"to": agent_id, "frame": _json(message)})
        pipe = self._redis.pipeline(transaction=False)
        for gateway, orders in by_gateway.items():
            batch = msgspec.msgpack.encode(orders)
            pipe.xadd(gateway_key(gateway), {FIELD_BATCH: batch}, maxlen=20_000, approximate=True)
        if by_gateway:
            await pipe.execute()


def order_for(agent_id: str, number: int, *, script: str = "echo hello") -> Message:
    """A correct order."""
    return {
        "execution_id": "e1",
        "task_id": f"task{number}",
        "attempt": 1,
        "agent_id": agent_id,
        "host_name": f"host{number}",
        "script": script,
        "script_sha256": "0" * 64,
        "script_type": "shell",
        "args": [],
        "env": {},
        "run_as": None,
        "cwd": None,
        "timeout_seconds": 60,
        "not_after": "2100-01-01T00:00:00Z",
        "max_output_bytes": 0,
        "max_processes": None,
    }


def _key(message: Message) -> tuple[str, int]:
    return str(message["task_id"]), cast(int, message["attempt"])


def _reply(message: Message, kind: str, **fields: object) -> Message:
    return {"type": kind, "task_id": message["task_id"], "attempt": message["attempt"], **fields}


def _floor(chunks: dict[int, bytes]) -> int:
    floor = 0
    while floor in chunks:
        floor += 1
    return floor

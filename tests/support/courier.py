"""An agent gateway and its agents as the execution service sees them: on the streams."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from libs.contracts.agents import LOGS, RESULTS, STATUS, gateway_key, session_key
from libs.kit.bus import BatchStream, StreamMark
from libs.kit.redis import Redis
from tests.support.envelopes import opened
from tests.support.waiting import eventually

Message = dict[str, object]
STREAM_SECRET = SecretStr("for tests only: 0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass
class Agent:
    """A simulated agent: its identity, its key, and the tasks in its journal."""

    number: int
    boot_id: str = "boot-1"
    session_id: str = "session-1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    taken: set[tuple[object, object]] = field(default_factory=set)
    """Tasks and attempts that it has claimed."""

    @property
    def id(self) -> str:
        """The agent id."""
        return f"agent-{self.number}"

    def target(self) -> Message:
        """This agent's host as hosts would describe it."""
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        return {
            "host_id": self.number,
            "name": f"host-{self.number}",
            "ip_address": f"127.0.1.{self.number}",
            "agent_id": self.id,
            "agent_status": "online",
            "public_key": public,
            "identity_epoch": 1,
        }


class Courier:
    """An agent gateway and its agents, as the streams see them."""

    def __init__(self, redis: Redis, gateway_id: str = "gateway-1") -> None:
        self.redis = redis
        self.gateway_id = gateway_id
        self.mark: StreamMark | None = StreamMark(STREAM_SECRET)
        self.signed: list[Message] = []
        """Signed orders as they were sent."""
        self._last = "0-0"
        self._inbox: list[tuple[str, Message]] = []
        self._kept: dict[str, list[Mapping[str, object]]] | None = None

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Whatever is said inside goes out as one entry a stream when the block ends."""
        self._kept = {}
        yield
        kept, self._kept = self._kept, None
        for key, entries in kept.items():
            await self._append(key, entries)

    async def connect(self, agent: Agent, *tasks: Message, again: bool = False) -> None:
        """Announce a session of an agent whose journal holds these tasks."""
        await self.redis.set(session_key(agent.id), self.gateway_id, ex=45)
        entry: Message = {
            "t": "connected",
            "agent_id": agent.id,
            "gateway_id": self.gateway_id,
            "session_id": agent.session_id,
            "boot_id": agent.boot_id,
            "at": "2026-01-01T00:00:00Z",
            "hello": {},
            "tasks": list(tasks),
        }
        await self._append(STATUS, [entry | ({"again": True} if again else {})])

    async def say(self, agent: Agent, kind: str, task: Message, **fields: object) -> None:
        """A report of an agent about a task."""
        entry: Message = {
            "t": kind,
            "agent_id": agent.id,
            "boot_id": agent.boot_id,
            "session_id": agent.session_id,
            "task_id": task["task_id"],
            "attempt": task["attempt"],
        }
        await self._append(RESULTS, [entry | fields])

    async def output(
        self, agent: Agent, order: Message, *chunks: tuple[str, int, int, bytes]
    ) -> None:
        """Pieces of output: stream, seq, offset and bytes."""
        entries = [
            {
                "t": "output",
                "agent_id": agent.id,
                "execution_id": order["execution_id"],
                "task_id": order["task_id"],
                "attempt": order["attempt"],
                "stream": stream,
                "seq": seq,
                "offset": offset,
                "length": len(data),
                "data": data,
            }
            for stream, seq, offset, data in chunks
        ]
        await self._append(LOGS, entries)

    async def gap(self, agent: Agent, order: Message, **fields: object) -> None:
        """A gap that the agent declares."""
        entry = {
            "t": "gap",
            "agent_id": agent.id,
            "execution_id": order["execution_id"],
            "task_id": order["task_id"],
            "attempt": order["attempt"],
        }
        await self._append(LOGS, [entry | fields])

    async def result(
        self,
        agent: Agent,
        order: Message,
        *,
        stdout: bytes = b"",
        stderr: bytes = b"",
        key: Ed25519PrivateKey | None = None,
        **changes: object,
    ) -> None:
        """The signed result of a task; exit code 0 unless said otherwise."""
        payload = json.dumps(
            {
                "task_id": order["task_id"],
                "attempt": order["attempt"],
                "epoch": order.get("epoch", 1),
                "agent_id": agent.id,
                "outcome": "exited",
                "exit_code": 0,
                "signal": None,
                "reason": "",
                "duration_ms": 12,
                "started_at": None,
                "ended_at": None,
                "streams": {"stdout": _total(stdout), "stderr": _total(stderr)},
                "processes": {"found": 0, "signalled": 0, "left": 0},
            }
            | changes
        )
        signature = (key or agent.key).sign(b"opsjob/result/v1\0" + payload.encode())
        await self.say(
            agent,
            "result",
            order,
            execution_id=order["execution_id"],
            payload=payload,
            signature=base64.b64encode(signature).decode(),
        )

    async def handled(self, stream: str = STATUS) -> None:
        """Wait until the service has done with all that has been said on a stream so far."""
        last = (await self.redis.xinfo_stream(stream))["last-generated-id"]

        async def is_done() -> bool:
            groups = await self.redis.xinfo_groups(stream)
            read = all(_place(group["last-delivered-id"]) >= _place(last) for group in groups)
            return bool(groups) and read and not any(group["pending"] for group in groups)

        await eventually(is_done)

    async def expect(
        self, agent: Agent, *kinds: str, of: Message | None = None, seconds: float = 10
    ) -> Message:
        """The next message of these kinds to an agent, about this order only; others stay."""

        async def arrived() -> Message | None:
            await self._read()
            for place, (to, message) in enumerate(self._inbox):
                if to == agent.id and message["type"] in kinds and _is_about(message, of):
                    return self._inbox.pop(place)[1]
            return None

        found = await eventually(arrived, timeout=seconds)
        assert found is not None
        return found

    async def seen(self, agent: Agent, kind: str) -> list[Message]:
        """All messages of a kind to an agent that have arrived by now."""
        await self._read()
        return [
            message for to, message in self._inbox if to == agent.id and message["type"] == kind
        ]

    async def offered(self, agent: Agent) -> list[Message]:
        """Orders that an agent was offered and has not taken; an offer may come twice."""
        fresh: dict[tuple[object, object], Message] = {}
        for message in await self.seen(agent, "offer"):
            order = message["order"]
            assert isinstance(order, dict)
            if _attempt(order) not in agent.taken:
                fresh[_attempt(order)] = order
        return list(fresh.values())

    async def start(self, agent: Agent) -> Message:
        """Take an offer through claim and grant to running; the order with the grant's epoch.

        As an agent does: what it has taken already it does not take again, however often it is
        offered or granted, and an offer that was taken back is let go.
        """
        while True:
            order = (await eventually(lambda: self.offered(agent)))[0]
            agent.taken.add(_attempt(order))
            self._inbox = [one for one in self._inbox if not _is_offer(one, agent, order)]
            await self.say(agent, "claim", order)
            answer = await self.expect(agent, "grant", "refuse", of=order)
            if answer["type"] == "grant":
                words = {"pid": 99, "started_at": "2026-01-01T00:00:00Z"}
                await self.say(agent, "started", order, epoch=answer["epoch"], **words)
                return {**order, "epoch": answer["epoch"]}
            agent.taken.discard(_attempt(order))

    async def _append(self, key: str, entries: Iterable[Mapping[str, object]]) -> None:
        if self._kept is not None:
            self._kept.setdefault(key, []).extend(entries)
            return
        await BatchStream.append(self.redis, key, list(entries), 10_000, self.gateway_id, self.mark)

    async def _read(self) -> None:
        answer = await self.redis.xread({gateway_key(self.gateway_id): self._last}, count=1000)
        for _, entries in answer:
            for entry_id, fields in entries:
                self._last = entry_id.decode()
                for item in msgspec.msgpack.decode(fields[b"batch"]):
                    frame = json.loads(item["frame"])
                    if frame["type"] == "signed":
                        self.signed.append(frame)
                    self._inbox.append((item["to"], opened(frame)))


def _place(entry_id: bytes) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split(b"-")))


def _attempt(message: Message) -> tuple[object, object]:
    return message["task_id"], message["attempt"]


def _is_about(message: Message, order: Message | None) -> bool:
    return order is None or _attempt(message) == _attempt(order)


def _is_offer(sent: tuple[str, Message], agent: Agent, order: Message) -> bool:
    to, message = sent
    offer = message.get("order")
    return to == agent.id and isinstance(offer, dict) and _is_about(offer, order)


def _total(data: bytes) -> Message:
    return {"seq": 1, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

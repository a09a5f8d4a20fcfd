"""The execution service alone: real database and Valkey, small stand-ins for its neighbours.

`Rig` holds the service's app behind its HTTP door; `Courier` takes the place of an agent gateway
on the streams, and of the agents behind it with their real keys.
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from libs.contracts.agents import LOGS, RESULTS, STATUS, gateway_key, session_key
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.bus import BatchStream
from libs.kit.client import InProcess
from libs.kit.redis import Redis, connect
from libs.kit.service import Runtime, entering
from libs.kit.settings import Settings
from services.execution.app import service
from tests.support.waiting import eventually

SECRET = SecretStr("for tests only: 0123456789abcdefghijklmnopqrstuvwxyz")

Message = dict[str, object]


def operator(user_id: int = 7, *permissions: str) -> Principal:
    """A person who may run things, or exactly what is named."""
    held = permissions or ("executions:read", "executions:run", "executions:cancel")
    return Principal(
        id=user_id,
        username=f"user-{user_id}",
        roles=("operator",),
        permissions=frozenset(held),
        session_id=None,
        kind="user",
        service=None,
    )


@dataclass
class Agent:
    """A simulated agent: its identity, its key, and the tasks in its journal."""

    number: int
    boot_id: str = "boot-1"
    session_id: str = "session-1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

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


class Neighbours:
    """Auth and hosts as far as execution asks them; `down` makes one unreachable."""

    def __init__(self) -> None:
        self.hosts: dict[int, Message] = {}
        self.inactive: set[int] = set()
        self.down: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer /internal/users/active and /internal/hosts/resolve."""
        body = json.loads((await receive())["body"])
        status, content = 200, None
        if scope["path"] == "/internal/users/active":
            status, content = self._users(body["user_ids"])
        elif scope["path"] == "/internal/hosts/resolve":
            status, content = self._targets(body["host_ids"])
        answer = {"code": status, "message": "", "success": status == 200, "content": content}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _users(self, user_ids: list[int]) -> tuple[int, object]:
        if "auth" in self.down:
            return 503, {"error": "unavailable", "details": {}}
        return 200, [
            {
                "user_id": user_id,
                "username": f"user-{user_id}",
                "roles": ["operator"],
                "permissions": ["executions:run"],
                "is_active": True,
                "session_id": None,
            }
            for user_id in user_ids
            if user_id not in self.inactive
        ]

    def _targets(self, host_ids: list[int]) -> tuple[int, object]:
        missing = [host_id for host_id in host_ids if host_id not in self.hosts]
        if missing:
            return 404, {"error": "host_not_found", "details": {"missing": missing}}
        return 200, [self.hosts[host_id] for host_id in dict.fromkeys(host_ids)]


class Courier:
    """An agent gateway and its agents, as the streams see them."""

    def __init__(self, redis: Redis, gateway_id: str = "gateway-1") -> None:
        self.redis = redis
        self.gateway_id = gateway_id
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
                "epoch": 1,
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

    async def expect(self, agent: Agent, kind: str, seconds: float = 10) -> Message:
        """The next message of a kind to an agent; others stay for later."""

        async def arrived() -> Message | None:
            await self._read()
            for place, (to, message) in enumerate(self._inbox):
                if to == agent.id and message["type"] == kind:
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

    async def start(self, agent: Agent) -> Message:
        """Take an offer through claim and grant to running; returns the order."""
        order = (await self.expect(agent, "offer"))["order"]
        assert isinstance(order, dict)
        await self.say(agent, "claim", order)
        grant = await self.expect(agent, "grant")
        await self.say(
            agent, "started", order, epoch=grant["epoch"], pid=99, started_at="2026-01-01T00:00:00Z"
        )
        return order

    async def _append(self, key: str, entries: Iterable[Mapping[str, object]]) -> None:
        if self._kept is not None:
            self._kept.setdefault(key, []).extend(entries)
            return
        await BatchStream.append(self.redis, key, list(entries), 10_000, self.gateway_id)

    async def _read(self) -> None:
        answer = await self.redis.xread({gateway_key(self.gateway_id): self._last}, count=1000)
        for _, entries in answer:
            for entry_id, fields in entries:
                self._last = entry_id.decode()
                for item in msgspec.msgpack.decode(fields[b"batch"]):
                    self._inbox.append((item["to"], json.loads(item["frame"])))


def _total(data: bytes) -> Message:
    return {"seq": 1, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@dataclass
class Rig:
    """The execution service with everything that a test needs around it."""

    app: FastAPI
    http: httpx.AsyncClient
    tokens: InternalTokens
    neighbours: Neighbours
    courier: Courier
    folder: Path

    def headers(self, by: Principal | None = None, **more: str) -> dict[str, str]:
        """What the gateway would send for this person."""
        token = self.tokens.issue("execution", by or operator(), "gateway")
        return {"Authorization": f"Bearer {token}", **more}

    def agent(self, number: int = 1) -> Agent:
        """A new agent on a host of its own."""
        agent = Agent(number)
        self.neighbours.hosts[number] = agent.target()
        return agent

    async def run(self, *hosts: int, by: Principal | None = None, **body: object) -> str:
        """Run a script on hosts; returns the execution's id."""
        answer = await self.post(list(hosts), by=by, **body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"]["execution_id"])

    async def post(
        self,
        hosts: list[int],
        *,
        by: Principal | None = None,
        key: str | None = None,
        **body: object,
    ) -> httpx.Response:
        """POST a script."""
        request = {"script_content": "echo hello", "target_host_ids": hosts} | body
        more = {"Idempotency-Key": key} if key else {}
        return await self.http.post(
            "/api/quick/execute_script", json=request, headers=self.headers(by, **more)
        )

    async def show(self, execution_id: str) -> Message:
        """The detail of an execution."""
        answer = await self.http.get(
            f"/api/executor/execution-records/{execution_id}", headers=self.headers()
        )
        assert answer.status_code == 200, answer.text
        content: Message = answer.json()["content"]
        return content

    async def task(self, execution_id: str) -> Message:
        """The only task of an execution."""
        steps = (await self.show(execution_id))["steps"]
        assert isinstance(steps, list)
        (task,) = steps[0]["tasks"]
        return dict(task)

    async def until(self, execution_id: str, status: str, seconds: float = 10) -> Message:
        """Wait for a state of an execution; returns its detail."""

        async def reached() -> Message | None:
            shown = await self.show(execution_id)
            return shown if shown["status"] == status else None

        found = await eventually(reached, timeout=seconds)
        assert found is not None
        return found

    async def until_task(self, execution_id: str, **wanted: object) -> Message:
        """Wait until the only task of an execution has these values."""

        async def reached() -> Message | None:
            task = await self.task(execution_id)
            return task if all(task[k] == v for k, v in wanted.items()) else None

        found = await eventually(reached)
        assert found is not None
        return found


@asynccontextmanager
async def running(
    database_url: str, redis_url: str, folder: Path, neighbours: Neighbours | None = None
) -> AsyncIterator[Rig]:
    """The service on this database and Redis until the block ends."""
    neighbours = neighbours or Neighbours()
    network = InProcess()
    network.apps.update({"auth": neighbours, "hosts": neighbours})  # type: ignore[dict-item]  # ASGI
    redis = connect(redis_url)
    settings = Settings(
        database_url=database_url.replace(service.name, "{service}"),
        redis_url=redis_url,
        secret=SECRET,
        data_dir=folder,
        environment="test",
    )
    failures: list[BaseException] = []
    runtime = Runtime(
        settings=settings,
        redis=redis,
        http=httpx.AsyncClient(transport=network),
        internal_tokens=InternalTokens(SECRET),
        access_tokens=AccessTokens(SECRET),
        fatal=failures.append,
    )
    app = service.create_app(runtime)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    own = connect(redis_url)
    async with (
        own,
        redis,
        runtime.http,
        entering([app]),
        httpx.AsyncClient(transport=transport, base_url="http://execution") as http,
    ):
        yield Rig(app, http, runtime.internal_tokens, neighbours, Courier(own), folder)
    assert not failures, failures

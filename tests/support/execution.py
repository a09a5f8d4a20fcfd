"""The execution service alone: real database and Valkey, small stand-ins for its neighbours.

`Rig` holds the service's app behind its HTTP door; `Courier` takes the place of an agent gateway
on the streams, and of the agents behind it with their real keys.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Runtime, entering
from libs.kit.settings import Settings
from services.execution.app import service
from tests.support.access import Given
from tests.support.consents import Consulted
from tests.support.courier import STREAM_SECRET, Agent, Courier, Message
from tests.support.doors import FRESH
from tests.support.waiting import eventually

SECRET = STREAM_SECRET


RUNNING = ("executions:run", "executions:run_as_root")


def operator(user_id: int = 7, *permissions: str) -> Principal:
    """A person who may run things, or exactly what is named."""
    doing = (*RUNNING, "executions:cancel", "executions:operate")
    held = permissions or ("executions:read", *doing)
    return Principal(
        id=user_id,
        username=f"user-{user_id}",
        roles=("operator",),
        permissions=frozenset(held),
        session_id=None,
        kind="user",
        service=None,
        proved_until=FRESH,
    )


class Neighbours:
    """Auth and hosts as far as execution asks them; `down` makes one unreachable.

    Whoever is not in `given` may run everything; `lines` are the groups around hosts.
    """

    def __init__(self) -> None:
        self.given = Given()
        self.consulted = Consulted()
        self.lines: dict[int, list[int]] = {}
        self.hosts: dict[int, Message] = {}
        self.groups: dict[int, list[int]] = {}
        self.inactive: set[int] = set()
        self.quarantined: set[str] = set()
        self.down: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what execution and its signer ask."""
        body = json.loads((await receive())["body"])
        status, content = 200, None
        if scope["path"] == "/internal/users/active":
            status, content = self._users(body["user_ids"])
        elif scope["path"] == "/internal/access":
            status, content = self._access(body["users"])
        elif scope["path"] == "/internal/hosts/lineage":
            status, content = self._lineage(body["host_ids"], body["group_ids"])
        elif scope["path"] == "/internal/hosts/resolve":
            status, content = self._targets(body["host_ids"])
        elif scope["path"] == "/internal/hosts/resolve-groups":
            status, content = self._members(body["group_ids"])
        elif scope["path"] == "/internal/agents/identities":
            status, content = self._identities(body["agent_ids"])
        elif scope["path"].startswith("/internal/approvals"):
            status, content = self.consulted.answer(scope["path"], body)
        answer = {"code": status, "message": "", "success": status == 200, "content": content}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _access(self, users: list[dict[str, object]]) -> tuple[int, object]:
        if "auth" in self.down:
            return 503, {"error": "unavailable", "details": {}}
        for one in users:
            if one["user_id"] not in self.given.rows:
                self.given.permissions.setdefault(int(str(one["user_id"])), list(RUNNING))
        return 200, self.given.infos(one for one in users if one["user_id"] not in self.inactive)

    def _lineage(self, host_ids: list[int], group_ids: list[int]) -> tuple[int, object]:
        if "hosts" in self.down:
            return 503, {"error": "unavailable", "details": {}}
        hosts = {one: self.lines.get(one, []) for one in host_ids if one in self.hosts}
        return 200, {
            "hosts": hosts,
            "groups": {one: [one] for one in group_ids if one in self.groups},
        }

    def _users(self, user_ids: list[int]) -> tuple[int, object]:
        if "auth" in self.down:
            return 503, {"error": "unavailable", "details": {}}
        return 200, [
            {
                "user_id": user_id,
                "username": f"user-{user_id}",
                "roles": ["operator"],
                "permissions": list(RUNNING),
                "is_active": True,
                "session_id": None,
            }
            for user_id in user_ids
            if user_id not in self.inactive
        ]

    def _identities(self, agent_ids: list[str]) -> tuple[int, object]:
        if "hosts" in self.down:
            return 503, {"error": "unavailable", "details": {}}
        return 200, [
            {
                "agent_id": agent_id,
                "public_key": "",
                "identity_epoch": 1,
                "status": "quarantined" if agent_id in self.quarantined else "active",
            }
            for agent_id in agent_ids
        ]

    def _members(self, group_ids: list[int]) -> tuple[int, object]:
        missing = [group_id for group_id in group_ids if group_id not in self.groups]
        if missing:
            return 404, {"error": "group_not_found", "details": {"missing": missing}}
        found = {host_id for group_id in group_ids for host_id in self.groups[group_id]}
        return 200, [self._target(host_id) for host_id in sorted(found)]

    def _target(self, host_id: int) -> Message:
        return self.hosts[host_id] | {"groups": self.lines.get(host_id, [])}

    def _targets(self, host_ids: list[int]) -> tuple[int, object]:
        missing = [host_id for host_id in host_ids if host_id not in self.hosts]
        if missing:
            return 404, {"error": "host_not_found", "details": {"missing": missing}}
        return 200, [self._target(host_id) for host_id in dict.fromkeys(host_ids)]


@dataclass
class Rig:
    """The execution service with everything that a test needs around it."""

    app: FastAPI
    http: httpx.AsyncClient
    tokens: InternalTokens
    neighbours: Neighbours
    courier: Courier
    folder: Path

    def headers(
        self, by: Principal | None = None, more: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """What the gateway would send for this person, and what the person sends."""
        token = self.tokens.issue("execution", by or operator(), "gateway")
        return {"Authorization": f"Bearer {token}", **(more or {})}

    def agent(self, number: int = 1) -> Agent:
        """A new agent on a host of its own."""
        agent = Agent(number)
        self.neighbours.hosts[number] = agent.target()
        return agent

    async def run(self, *hosts: int, by: Principal | None = None, **body: object) -> str:
        """Run a script on hosts; returns the execution's id."""
        answer = await self.post(list(hosts), by=by, key=None, **body)
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
            "/api/quick/execute_script", json=request, headers=self.headers(by, more)
        )

    async def launch(self, *steps: Message, by: Principal | None = None, **body: object) -> str:
        """Run an execution of these steps; returns its id. A step without a kind is a script."""
        answer = await self.submit(*steps, by=by, more=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"]["execution_id"])

    async def submit(
        self,
        *steps: Message,
        by: Principal | None = None,
        path: str = "",
        more: Message | None = None,
        **body: object,
    ) -> httpx.Response:
        """POST an execution of these steps, or with `/preview` ask what it would do."""
        whole = [_step(number, step) for number, step in enumerate(steps, start=1)]
        return await self.http.post(
            f"/api/executor/execution-records{path}",
            json={"steps": whole} | body | (more or {}),
            headers=self.headers(by),
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

    async def until_stored(self, execution_id: str) -> None:
        """Wait until all that the hosts have written is stored, and known to be complete."""

        async def is_complete() -> bool:
            steps = (await self.show(execution_id))["steps"]
            assert isinstance(steps, list)
            tasks = [task for step in steps for task in step["tasks"]]
            return {task["log_status"] for task in tasks} == {"complete"}

        await eventually(is_complete)

    async def until_task(self, execution_id: str, **wanted: object) -> Message:
        """Wait until the only task of an execution has these values."""

        async def reached() -> Message | None:
            task = await self.task(execution_id)
            return task if all(task[k] == v for k, v in wanted.items()) else None

        found = await eventually(reached)
        assert found is not None
        return found


def _step(number: int, step: Message) -> Message:
    if step.get("kind", "script") == "script":
        step = {"script_content": f"echo {number}"} | step
    return {"name": f"step {number}"} | step


@asynccontextmanager
async def running(
    database_url: str, redis_url: str, folder: Path, neighbours: Neighbours | None = None
) -> AsyncIterator[Rig]:
    """The service on this database and Redis until the block ends."""
    neighbours = neighbours or Neighbours()
    network = InProcess()
    network.apps.update({"auth": neighbours, "hosts": neighbours})
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

"""What the client knows: every request before it is sent, every answer when it has come.

A request that got no answer is repeated with its key until it has one. What was answered with 2xx
is acknowledged, and the platform owes it; what was never answered it owes nothing, but may do once.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from tests.chaos.scripts import Plan

PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.25
RECORDS = "/api/executor/execution-records"


@dataclass
class Operation:
    """One execution as its client sees it."""

    key: str
    plan: Plan
    hosts: tuple[int, ...]
    sent_at: float
    body: dict[str, object]
    execution_id: str | None = None
    answered_ids: set[str] = field(default_factory=set)
    answers: list[int] = field(default_factory=list)
    is_cancelled: bool = False
    cancel_answered: bool = False
    seen: list[str] = field(default_factory=list)
    """States of the execution in the order in which the client saw them."""
    streamed: dict[tuple[int, str], bytes] | None = None
    """What a watcher of its live stream got, by host and stream."""


class History:
    """The client's own record, on disk before anything is sent."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self.operations: list[Operation] = []
        self.refused_rounds = 0

    def write(self, what: str, **details: object) -> None:
        """One line."""
        line = {"at": round(time.time(), 3), "what": what, **details}
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """The end of the run."""
        self._file.close()

    @property
    def acknowledged(self) -> list[Operation]:
        """What the platform owes."""
        return [each for each in self.operations if each.execution_id is not None]


class Client:
    """A program that uses the API through whatever happens."""

    def __init__(self, url: str, admin: dict[str, str], history: History) -> None:
        self.history = history
        self._admin = admin
        limits = httpx.Limits(max_connections=1000)
        self.http = httpx.AsyncClient(base_url=url, timeout=8, trust_env=False, limits=limits)

    async def log_in(self) -> None:
        """Get a token, however long that takes."""
        answer = await self.ask("POST", "/api/auth/login/", json=self._admin, renews=False)
        token = answer.json()["content"]["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def ask(
        self, method: str, path: str, *, renews: bool = True, **more: object
    ) -> httpx.Response:
        """Ask until there is an answer that is no refusal for now."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self.http.request(method, path, **more)  # type: ignore[arg-type]  # passed on
            except httpx.HTTPError as error:
                last = type(error).__name__
            else:
                if answer.status_code == 401 and renews:
                    await self.log_in()
                elif answer.status_code < 500 and answer.status_code != 429:
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
            self.history.refused_rounds += 1
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {path}: {last}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def submit(self, plan: Plan, hosts: tuple[int, ...]) -> Operation:
        """Run a script; the key is on disk before the first byte leaves."""
        body: dict[str, object] = {"target_host_ids": list(hosts), "name": f"chaos {plan.kind}"}
        script: dict[str, object] = {"script_content": plan.content, "timeout": plan.timeout}
        if plan.steps > 1 or plan.retries:
            step = {**script, "retries": plan.retries}
            body["steps"] = [{**step, "name": f"step {n}"} for n in range(1, plan.steps + 1)]
        else:
            body |= script
        operation = Operation(uuid4().hex, plan, hosts, time.time(), body)
        self.history.operations.append(operation)
        self.history.write("submit", key=operation.key, kind=plan.kind, hosts=hosts)
        await self.repeat(operation)
        return operation

    async def repeat(self, operation: Operation) -> None:
        """Send the same request (again) under its key."""
        answer = await self.ask(
            "POST",
            f"{RECORDS}/" if "steps" in operation.body else "/api/quick/execute_script/",
            json=operation.body,
            headers={"Idempotency-Key": operation.key},
        )
        operation.answers.append(answer.status_code)
        if answer.is_success:
            operation.execution_id = str(answer.json()["content"]["execution_id"])
            operation.answered_ids.add(operation.execution_id)
        self.history.write(
            "answer",
            key=operation.key,
            status=answer.status_code,
            execution=operation.execution_id,
            text="" if answer.is_success else answer.text[:300],
        )

    async def cancel(self, operation: Operation) -> None:
        """Ask to end it."""
        operation.is_cancelled = True
        self.history.write("cancel", key=operation.key)
        path = f"{RECORDS}/{operation.execution_id}/cancel/"
        answer = await self.ask("POST", path, json={})
        operation.cancel_answered = answer.is_success
        self.history.write("cancelled", key=operation.key, status=answer.status_code)

    async def pause(self, operation: Operation, seconds: float) -> None:
        """Start nothing more of it for a while."""
        for verb in ("pause", "resume"):
            answer = await self.ask("POST", f"{RECORDS}/{operation.execution_id}/{verb}/", json={})
            self.history.write(verb, key=operation.key, status=answer.status_code)
            await asyncio.sleep(seconds)

    async def record(self, operation: Operation) -> dict[str, object]:
        """The execution as the platform tells it."""
        answer = await self.ask("GET", f"{RECORDS}/{operation.execution_id}/")
        assert answer.status_code == 200, (operation.key, answer.text)
        content: dict[str, object] = answer.json()["content"]
        state = str(content["status"])
        if not operation.seen or operation.seen[-1] != state:
            operation.seen.append(state)
        return content

    async def close(self) -> None:
        """No more questions."""
        await self.http.aclose()

"""Controlling executions through the public door, in few words."""

from dataclasses import dataclass

import httpx

from libs.kit.auth import Principal
from tests.support.courier import Agent, Message
from tests.support.execution import Rig

RECORDS = "/api/executor/execution-records"


@dataclass
class Controls:
    """A rig with short words for executions of many steps and what is done to them."""

    rig: Rig

    async def run(
        self, hosts: list[int], *steps: Message, by: Principal | None = None, **body: object
    ) -> str:
        """Start an execution of these steps; a step needs only its name. Returns the id."""
        answer = await self.try_run(hosts, *steps, by=by, **body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"]["execution_id"])

    async def try_run(
        self, hosts: list[int], *steps: Message, by: Principal | None = None, **body: object
    ) -> httpx.Response:
        """The answer to an execution of these steps."""
        request = {
            "target_host_ids": hosts,
            "steps": [
                step if "kind" in step else {"script_content": "echo hello"} | step
                for step in steps
            ],
        }
        headers = self.rig.headers(by)
        return await self.rig.http.post(RECORDS, json=request | body, headers=headers)

    async def post(
        self,
        path: str,
        *,
        by: Principal | None = None,
        key: str | None = None,
        **body: object,
    ) -> httpx.Response:
        """POST to a path below the records."""
        more = {"Idempotency-Key": key} if key else {}
        return await self.rig.http.post(
            f"{RECORDS}/{path}", json=body, headers=self.rig.headers(by, more)
        )

    async def done(self, path: str, **body: object) -> Message:
        """POST that has to be accepted; its content."""
        answer = await self.post(path, **body)  # type: ignore[arg-type]  # words of the body
        assert answer.status_code in {200, 201, 202}, answer.text
        content: Message = answer.json()["content"]
        return content

    async def refused(self, path: str, status: int = 409, **body: object) -> str:
        """POST that has to be refused with this status; its code."""
        answer = await self.post(path, **body)  # type: ignore[arg-type]  # words of the body
        assert answer.status_code == status, answer.text
        assert answer.json()["success"] is False
        return str(answer.json()["content"]["error"])

    async def get(self, path: str) -> Message:
        """The content at a path below the records."""
        answer = await self.rig.http.get(f"{RECORDS}/{path}", headers=self.rig.headers())
        assert answer.status_code == 200, answer.text
        content: Message = answer.json()["content"]
        return content

    async def steps(self, execution_id: str) -> list[Message]:
        """The steps with their tasks."""
        steps = (await self.rig.show(execution_id))["steps"]
        assert isinstance(steps, list)
        return steps

    async def tasks(self, execution_id: str) -> list[Message]:
        """All tasks in the order of their steps."""
        found: list[Message] = []
        for step in await self.steps(execution_id):
            tasks = step["tasks"]
            assert isinstance(tasks, list)
            found += tasks
        return found

    async def states(self, execution_id: str) -> list[str]:
        """The states of all tasks."""
        return [str(task["status"]) for task in await self.tasks(execution_id)]

    async def start(self, agent: Agent) -> Message:
        """Take the agent's next offer to its start."""
        return await self.rig.courier.start(agent)

    async def finish(self, agent: Agent, exit_code: int = 0, **changes: object) -> Message:
        """Take the agent's next offer to its end; returns the order."""
        order = await self.start(agent)
        await self.end(agent, order, exit_code=exit_code, **changes)
        return order

    async def end(self, agent: Agent, order: Message, **changes: object) -> None:
        """Report the end of a task."""
        words = {"epoch": order.get("epoch", 1)} | changes
        await self.rig.courier.result(agent, order, **words)  # type: ignore[arg-type]  # words
        await self.rig.courier.expect(agent, "result_ack")

    async def actions(self, execution_id: str) -> list[str]:
        """The operation log, oldest first, as words."""
        page = await self.get(f"{execution_id}/operation_logs")
        results = page["results"]
        assert isinstance(results, list)
        return [str(one["action"]) for one in reversed(results)]

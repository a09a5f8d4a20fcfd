"""Asks hosts who agents are; look-ups that wait at the same moment share one call."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from gateway.agents.counting import LOOKUPS
from libs.contracts.hosts import AgentIdentity
from libs.kit.errors import AppError, Unavailable

Answers = dict[str, asyncio.Future[AgentIdentity | None]]
"""Agent id -> what everybody who asked about it waits for."""


class Registry(Protocol):
    """The question asked of hosts; HostsClient answers it."""

    async def agent_identities(self, agent_ids: list[str]) -> dict[str, AgentIdentity]:
        """The identities that exist among these ids."""


class Identities:
    """Bounds the calls under way to `calls`, each for at most `batch` agents.

    Answers are never kept: a session is checked against what hosts knows at that moment.
    """

    def __init__(self, hosts: Registry, *, calls: int, batch: int) -> None:
        self._hosts = hosts
        self._calls = calls
        self._batch = batch
        self._waiting: Answers = {}
        self._doorbell = asyncio.Event()
        self._is_over = False

    async def of(self, agent_id: str) -> AgentIdentity | None:
        """None when there is no such agent. Raises Unavailable when hosts does not answer, or `run`
        has ended.
        """
        if self._is_over:
            raise Unavailable
        answer = self._waiting.get(agent_id)
        if answer is None:
            answer = self._waiting[agent_id] = asyncio.get_running_loop().create_future()
            self._doorbell.set()
        return await asyncio.shield(answer)

    async def of_many(self, agent_ids: Iterable[str]) -> dict[str, AgentIdentity]:
        """Those that exist; for the regular comparison of all sessions with hosts."""
        wanted = list(agent_ids)
        found: dict[str, AgentIdentity] = {}
        for start in range(0, len(wanted), self._batch):
            found |= await self._hosts.agent_identities(wanted[start : start + self._batch])
        return found

    async def run(self) -> None:
        """Answers until it is cancelled; nobody waits for an answer after that."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._calls):
                    group.create_task(self._answer_for_ever())
        finally:
            self._is_over = True
            _refuse(self._waiting, Unavailable())

    async def _answer_for_ever(self) -> None:
        while True:
            await self._doorbell.wait()
            batch = dict(list(self._waiting.items())[: self._batch])
            for agent_id in batch:
                del self._waiting[agent_id]
            if not self._waiting:
                self._doorbell.clear()
            if batch:
                await self._answer(batch)

    async def _answer(self, batch: Answers) -> None:
        LOOKUPS.inc()
        try:
            found = await self._hosts.agent_identities(list(batch))
        except AppError as error:
            _refuse(batch, error if isinstance(error, Unavailable) else Unavailable())
            return
        except asyncio.CancelledError:
            _refuse(batch, Unavailable())
            raise
        for agent_id, answer in batch.items():
            answer.set_result(found.get(agent_id))


def _refuse(batch: Answers, why: Unavailable) -> None:
    for answer in batch.values():
        answer.set_exception(why)
        answer.exception()  # read once, so that an abandoned look-up is not reported

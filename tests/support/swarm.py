"""Many simulated agents in one process, for load: lean, real protocol, real signatures."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.support.agent_line import Ended, Refused
from tests.support.agent_work import Work
from tests.support.fake_agent import FakeAgent
from tests.support.identities import Identity


class Swarm:
    """`async with Swarm(host, port, identities) as swarm:` and all of them are connected.

    Each answers an offer with a claim and on grant sends started, its output and the result, and
    repeats what is not answered. `work` is what each of them does; `width` handshakes are under
    way at once. Sources rotate over 127.0.0.2 to .9, so that 28,000 ports are no limit.
    """

    def __init__(
        self,
        host: str,
        port: int,
        identities: Sequence[Identity],
        *,
        work: Work | None = None,
        width: int = 50,
        beats: bool = True,
    ) -> None:
        self._width = width
        is_loopback = host == "127.0.0.1"
        self.agents = [
            FakeAgent(
                host,
                port,
                identity,
                work=work or Work(),
                beats=beats,
                source=f"127.0.0.{2 + number % 8}" if is_loopback else None,
            )
            for number, identity in enumerate(identities)
        ]
        for agent in self.agents:
            agent.keeps_received = False
        self.connected_in = 0.0
        """Seconds that it took until all were welcome."""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connects all that are not connected, coming back later when the gateway says so."""
        began = time.perf_counter()
        gate = asyncio.Semaphore(self._width)

        async def one(agent: FakeAgent) -> None:
            while not agent.is_connected:
                wait = 0.0
                async with gate:
                    try:
                        await agent.connect(timeout=60)
                    except Refused as refused:
                        wait = float(refused.headers.get("retry-after", "1"))
                    except (Ended, OSError):
                        wait = 1.0
                await asyncio.sleep(wait)

        async with asyncio.TaskGroup() as group:
            for agent in self.agents:
                if not agent.is_connected:
                    group.create_task(one(agent))
        self.connected_in = time.perf_counter() - began

    async def close(self) -> None:
        """Cuts all connections."""
        for agent in self.agents:
            if agent.line is not None:
                agent.line.abort()
        for agent in self.agents:
            await agent.wait_ended()

    def count(self, kind: str) -> int:
        """How many messages of this type all agents received; `sent_result` and so on count too."""
        return sum(agent.counts[kind] for agent in self.agents)

    @property
    def finished(self) -> int:
        """Tasks whose result was acknowledged."""
        return sum(task.state == "done" for agent in self.agents for task in agent.tasks.values())

"""A real agent gateway on a random port, with a real Valkey and fake hosts, and its streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from gateway.agents.files import FileDesk
from gateway.agents.server import AgentGateway
from gateway.agents.settings import AgentGatewaySettings
from libs.contracts.agents import FIELD_BATCH, gateway_key, session_key
from libs.contracts.hosts import AgentState, HostsFact
from libs.kit.redis import Redis
from tests.gateway.agents.fake_hosts import FakeHosts
from tests.gateway.agents.raw import RawConnection
from tests.support.agents import FakeAgent, Identity, Message, Work
from tests.support.waiting import eventually


@dataclass
class Rig:
    """One gateway and everything around it."""

    gateway: AgentGateway
    hosts: FakeHosts
    redis: Redis
    agents: list[FakeAgent] = field(default_factory=list)
    raws: list[RawConnection] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where agents connect."""
        return self.gateway.port

    def agent(
        self,
        identity: Identity | None = None,
        *,
        work: Work | None = None,
        boot_id: str | None = None,
        beats: bool = False,
    ) -> FakeAgent:
        """An agent that hosts knows, not connected yet."""
        known = identity or self.hosts.know(Identity.fresh())
        agent = FakeAgent("127.0.0.1", self.port, known, work=work, boot_id=boot_id, beats=beats)
        self.agents.append(agent)
        return agent

    def raw(self) -> RawConnection:
        """A TCP connection, not open yet."""
        self.raws.append(RawConnection(self.port))
        return self.raws[-1]

    async def connected(self, work: Work | None = None, *, beats: bool = False) -> FakeAgent:
        """An agent with an open session."""
        agent = self.agent(work=work, beats=beats)
        await agent.connect()
        return agent

    async def stream(self, key: str) -> list[Message]:
        """All messages in a stream so far, in order."""
        found: list[Message] = []
        for _, fields in await self.redis.xrange(key):
            found += msgspec.msgpack.decode(fields[FIELD_BATCH.encode()], type=list[Message])
        return found

    async def messages(self, key: str, kind: str, count: int = 1) -> list[Message]:
        """The first `count` or more messages of a kind, once they are there."""

        async def probe() -> list[Message]:
            found = [m for m in await self.stream(key) if m["t"] == kind]
            return found if len(found) >= count else []

        return await eventually(probe)

    async def holder(self, agent: FakeAgent) -> str:
        """The gateway that Redis names for an agent, once it names one."""

        async def probe() -> str:
            found = await self.redis.get(session_key(agent.agent_id))
            return found.decode() if found else ""

        return await eventually(probe)

    async def send(self, *orders: Message) -> None:
        """Writes orders to the gateway's stream as execution does."""
        key = gateway_key(self.gateway.gateway_id)
        await self.redis.xadd(key, {FIELD_BATCH: msgspec.msgpack.encode(orders)})

    async def frame(self, agent: FakeAgent, message: Message) -> None:
        """Sends one protocol message to an agent."""
        await self.send({"to": agent.agent_id, "frame": msgspec.json.encode(message)})

    async def fact(self, fact: HostsFact) -> None:
        """Publishes a fact of hosts as the relay does."""
        body = fact.model_dump_json()
        await self.redis.xadd(f"facts:{fact.topic}", {"id": "1", "type": fact.type, "body": body})

    def revoke(self, agent: FakeAgent, status: AgentState = AgentState.DISABLED) -> None:
        """Changes the status at hosts without telling anybody."""
        self.hosts.know(agent.identity, status)


@asynccontextmanager
async def rig(
    redis: Redis, hosts: FakeHosts, *, files: FileDesk | None = None, **settings: object
) -> AsyncIterator[Rig]:
    """A gateway that is serving; the settings are those that tests need, unless named here."""
    chosen = AgentGatewaySettings.model_validate(
        {"port": 0, "heartbeat_seconds": 0.5, "stop_seconds": 1.0, **settings}
    )
    gateway = AgentGateway(chosen, redis=redis, hosts=hosts, files=files)
    serving = asyncio.create_task(gateway.run())
    try:
        await eventually(lambda: gateway.is_ready)
        opened = Rig(gateway, hosts, redis)
        yield opened
        for agent in opened.agents:
            await agent.drop()
        for raw in opened.raws:
            await raw.close()
    finally:
        gateway.stop()
        await serving

"""Hurts a running platform, one thing after the other, as a seed says; `heal` undoes all of it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from redis.exceptions import RedisError

from tests.chaos.agents import AgentHost
from tests.chaos.proxy import Proxy, Toxics, Trace
from tests.chaos.world import World, to_its_end

Deed = Callable[[], Awaitable[None]]

PLATFORM_POINTS = {
    "accept.before_commit": "exit",
    "accept.after_commit": "exit",
    "claim.after_cas": "exit",
    "offer.after_mark": "exit",
    "outbox.before_publish": "exit",
    "outbox.after_publish": "exit",
    "facts.before_ack": "exit",
    "batch.before_ack": "exit",
    "result.before_commit": "raise",
    "result.after_commit": "exit",
    "logs.after_append": "exit",
    "logs.after_commit": "exit",
    "downlink.send": "drop",
}
AGENT_POINTS = (
    "journal.received",
    "journal.granted",
    "journal.starting",
    "journal.launched",
    "journal.started",
    "journal.ended",
    "journal.exited",
    "result.acked",
)
BAD_LINES = (
    Toxics(duplicate=0.5, window=20),
    Toxics(drop=0.2),
    Toxics(duplicate=0.2, drop=0.1, window=8, replay=0.2),
    Toxics(cut=0.03, slice_bytes=7),
    Toxics(replay=0.5),
)
LIES = Toxics(spoil=0.03)
"""Only what agents say: what they are told is signed, but for floors, and those are believed."""
PLATFORM_CLOCK_SECONDS = (-45, -20, 20, 45)
HOST_CLOCK_SECONDS = (-86_400, -90, 90, 86_400)


@dataclass
class Nemesis:
    """The faults of one run; `done` counts what was done."""

    world: World
    agents: list[AgentHost]
    proxies: list[Proxy]
    trace: Trace
    seed: object
    pause_seconds: tuple[float, float] = (1.0, 4.0)

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.full_hosts: set[str] = set()

    async def run(self) -> None:
        """Until cancelled: faults of the platform beside faults of hosts and lines."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("platform", self._of_platform))
            group.create_task(self._loop("hosts", self._of_hosts))
            group.create_task(self._revive())

    async def heal(self) -> None:
        """Everything is as it should be; what died comes back."""
        self.world.resume_all()
        self.world.end_lies()
        for point in (*PLATFORM_POINTS, *AGENT_POINTS):
            self.world.faults.disarm(point)
            for agent in self.agents:
                agent.faults.disarm(point)
        for proxy in self.proxies:
            proxy.heal()
        for agent in self.agents:
            agent.resume()
            agent.end_lies()
        await self.bring_back()
        self.trace.write("healed", done=dict(self.done))

    async def bring_back(self) -> None:
        """Start what is dead."""
        await to_its_end(self.world.revive)
        for agent in self.agents:
            if not agent.is_running:
                await to_its_end(agent.start)

    async def _revive(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            await self.bring_back()
            self.world.measure()

    async def _loop(self, name: str, choices: Callable[[random.Random], list[Deed]]) -> None:
        rng = random.Random(f"{self.seed}/{name}")
        while True:
            await asyncio.sleep(rng.uniform(*self.pause_seconds))
            deed = rng.choice(choices(rng))
            await deed()

    def _note(self, what: str, **details: object) -> None:
        self.done[what] += 1
        self.trace.write(what, **details)

    # ---- the platform -------------------------------------------------------------------------

    def _of_platform(self, rng: random.Random) -> list[Deed]:
        parts = [part for part in self.world.parts if part != "valkey"]
        part, seconds = rng.choice(parts), rng.uniform(0.5, 4.0)
        point = rng.choice(sorted(PLATFORM_POINTS))
        return [
            lambda: self._kill(part),
            lambda: self._pause(part, seconds),
            lambda: self._arm(point),
            lambda: self._arm(point),
            lambda: self._kill_valkey(wiped=False),
            lambda: self._kill_valkey(wiped=True),
            lambda: self._pause("valkey", seconds),
            lambda: self._empty_redis(rng),
            lambda: self._hurt_database(rng, seconds),
            lambda: self._fill_disk(seconds),
            lambda: self._shift_clock(rng.choice(PLATFORM_CLOCK_SECONDS), seconds * 3),
        ]

    async def _kill(self, part: str) -> None:
        self._note(f"kill {part}", pid=self.world.kill(part))

    async def _pause(self, part: str, seconds: float) -> None:
        self._note(f"stop {part}", seconds=round(seconds, 2))
        self.world.pause(part)
        await asyncio.sleep(seconds)
        self.world.resume_all()

    async def _arm(self, point: str) -> None:
        self._note(f"arm {point}")
        self.world.faults.arm(point, PLATFORM_POINTS[point])

    async def _kill_valkey(self, *, wiped: bool) -> None:
        self._note("kill valkey, wiped" if wiped else "kill valkey")
        await to_its_end(partial(self.world.kill_valkey, wiped=wiped))

    async def _empty_redis(self, rng: random.Random) -> None:
        way = rng.choice(["flushall", "groups", "streams"])
        try:
            await to_its_end(empty_redis, self.world, way)
        except (RedisError, OSError):
            return
        self._note(f"redis {way}")

    async def _hurt_database(self, rng: random.Random, seconds: float) -> None:
        way = rng.choice(self.world.database_faults)
        self._note(f"database {way}", seconds=round(seconds, 2))
        await self.world.hurt_database(way, seconds)

    async def _fill_disk(self, seconds: float) -> None:
        if self.world.fill_disk():
            self._note("disk full", seconds=round(seconds, 2))
            await asyncio.sleep(seconds)
            self.world.end_lies()

    async def _shift_clock(self, by: int, seconds: float) -> None:
        if self.world.shift_clock(by):
            self._note("clock", by=by, seconds=round(seconds, 2))
            await asyncio.sleep(seconds)
            self.world.end_lies()

    # ---- hosts and lines ----------------------------------------------------------------------

    def _of_hosts(self, rng: random.Random) -> list[Deed]:
        agent, seconds = rng.choice(self.agents), rng.uniform(0.5, 4.0)
        point, companion = rng.choice(AGENT_POINTS), rng.choice(["spawner", "signer"])
        up, down = rng.choice(BAD_LINES), rng.choice(BAD_LINES)
        clock = rng.choice(HOST_CLOCK_SECONDS)
        return [
            lambda: self._kill_agent(agent),
            lambda: self._kill_companion(agent, companion),
            lambda: self._pause_agent(agent, seconds),
            lambda: self._arm_agent(agent, point),
            lambda: self._arm_agent(agent, point),
            lambda: self._cut(),
            lambda: self._freeze(seconds),
            lambda: self._spoil_lines(up, down, seconds * 2),
            lambda: self._spoil_lines(up, down, seconds * 2),
            lambda: self._spoil_lines(LIES, Toxics(), seconds),
            lambda: self._fill_spool(agent, seconds),
            lambda: self._shift_clock_of(agent, clock, seconds * 3),
        ]

    async def _kill_agent(self, agent: AgentHost) -> None:
        self._note("kill agent", agent=agent.name)
        agent.kill()

    async def _kill_companion(self, agent: AgentHost, name: str) -> None:
        if agent.is_running and agent.kill_companion(name):
            self._note(f"kill {name}", agent=agent.name)

    async def _pause_agent(self, agent: AgentHost, seconds: float) -> None:
        self._note("stop agent", agent=agent.name, seconds=round(seconds, 2))
        agent.pause()
        await asyncio.sleep(seconds)
        agent.resume()

    async def _arm_agent(self, agent: AgentHost, point: str) -> None:
        self._note(f"arm {point}", agent=agent.name)
        agent.faults.arm(point, "exit")

    async def _fill_spool(self, agent: AgentHost, seconds: float) -> None:
        if agent.fill_disk():
            self.full_hosts.add(agent.name)
            self._note("disk of a host full", agent=agent.name, seconds=round(seconds, 2))
            await asyncio.sleep(seconds)
            agent.end_lies()

    async def _shift_clock_of(self, agent: AgentHost, by: int, seconds: float) -> None:
        if agent.shift_clock(by):
            self._note("clock of a host", agent=agent.name, by=by, seconds=round(seconds, 2))
            await asyncio.sleep(seconds)
            agent.end_lies()

    async def _cut(self) -> None:
        self._note("cut lines")
        for proxy in self.proxies:
            proxy.cut_all()

    async def _freeze(self, seconds: float) -> None:
        self._note("freeze lines", seconds=round(seconds, 2))
        for proxy in self.proxies:
            proxy.freeze()
        await asyncio.sleep(seconds)
        for proxy in self.proxies:
            proxy.thaw()

    async def _spoil_lines(self, up: Toxics, down: Toxics, seconds: float) -> None:
        self._note("bad lines", up=repr(up), down=repr(down), seconds=round(seconds, 2))
        for proxy in self.proxies:
            proxy.mangle(up, down)
        await asyncio.sleep(seconds)
        for proxy in self.proxies:
            proxy.mangle()


def empty_redis(world: World, way: str) -> None:
    """FLUSHALL, or destroy every consumer group, or delete every stream."""
    with world.redis() as redis:
        if way == "flushall":
            redis.flushall()
            return
        for key in list(redis.scan_iter(_type="stream")):
            if way == "streams":
                redis.delete(key)
                continue
            for group in redis.xinfo_groups(key):
                redis.xgroup_destroy(key, group["name"])

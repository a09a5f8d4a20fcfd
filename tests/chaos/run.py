"""One run: a platform, hosts, clients and a nemesis for some seconds, then the reckoning."""

import asyncio
import contextlib
import random
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from tests.chaos.agents import AgentHost, processes_of, shims_of
from tests.chaos.history import RECORDS, Client, History, Operation
from tests.chaos.nemesis import Nemesis
from tests.chaos.proxy import Proxy, Trace
from tests.chaos.scripts import WEIGHTS, plan_for
from tests.chaos.watching import Collected, live
from tests.chaos.world import Embedded, Scaled, World, address_of
from tests.support.waiting import eventually

TERMINAL = frozenset({"success", "failed", "cancelled", "timeout", "lost", "expired"})
SETTLING_SECONDS = 180.0


@dataclass
class Site:
    """Everything that runs, and everything that was noted."""

    folder: Path
    world: World
    seed: int
    trace: Trace
    history: History
    proxies: list[Proxy] = field(default_factory=list)
    agents: list[AgentHost] = field(default_factory=list)
    hosts: dict[int, str] = field(default_factory=dict)
    """Host id -> name."""
    client: Client = field(init=False)
    watched: dict[str, Collected] = field(default_factory=dict)
    _watchers: list[asyncio.Task[None]] = field(default_factory=list)
    number: int = 0

    @property
    def markers(self) -> Path:
        """Where scripts say that they ran."""
        return self.folder / "markers"

    # ---- the client's side --------------------------------------------------------------------

    async def submit(self, kind: str, hosts: tuple[int, ...], rng: random.Random) -> Operation:
        """Run one script of a kind."""
        self.number += 1
        plan = plan_for(kind, self.markers, self.number, rng)
        return await self.client.submit(plan, hosts)

    def watch(self, operation: Operation) -> None:
        """Follow its output from now on; `wait_watchers` waits for the end."""

        async def follow() -> None:
            assert operation.execution_id
            self.watched[operation.execution_id] = await live(self.client, operation.execution_id)

        self._watchers.append(asyncio.create_task(follow()))

    async def work(self, seconds: float, *, per_second: float) -> None:
        """Submit scripts of all kinds until the time is over."""
        rng = random.Random(f"{self.seed}/work")
        end = time.monotonic() + seconds
        busy: set[asyncio.Task[None]] = set()
        while time.monotonic() < end:
            await asyncio.sleep(rng.expovariate(per_second))
            busy.add(asyncio.create_task(self._one(random.Random(rng.random()))))
            busy = {task for task in busy if not task.done() or task.result()}
        await asyncio.gather(*busy)

    async def _one(self, rng: random.Random) -> None:
        """One request to its end, or until patience ends: what was not answered is not owed."""
        try:
            await self._use(rng)
        except TimeoutError as error:
            self.history.write("gave_up", error=str(error)[:300])

    async def _use(self, rng: random.Random) -> None:
        count = rng.choice([1, 1, 2, len(self.hosts)])
        hosts = tuple(sorted(rng.sample(sorted(self.hosts), min(count, len(self.hosts)))))
        if rng.random() < 0.1:
            operation = await self.submit("stubborn", hosts[:1], rng)
            await asyncio.sleep(rng.uniform(0.0, 3.0))
            if operation.execution_id:
                await self.client.cancel(operation)
            return
        kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        operation = await self.submit(kind, hosts, rng)
        if operation.execution_id and rng.random() < 0.25:
            self.watch(operation)
        if operation.execution_id and rng.random() < 0.1:
            await self.client.pause(operation, rng.uniform(0.0, 2.0))

    async def settle(self, patience: float = SETTLING_SECONDS) -> float:
        """Until everything that was acknowledged has ended; the seconds that it took."""
        began = time.monotonic()
        open_ones = list(self.history.acknowledged)
        deadline = began + patience
        while open_ones and time.monotonic() < deadline:
            open_ones = [each for each in open_ones if not await self._is_settled(each)]
            await asyncio.sleep(0.3)
        took = time.monotonic() - began
        self.trace.write("settled", seconds=round(took, 1), open=len(open_ones))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.gather(*self._watchers)
        for watcher in self._watchers:
            watcher.cancel()
        return took

    async def _is_settled(self, operation: Operation) -> bool:
        record = await self.client.record(operation)
        steps = record["steps"]
        assert isinstance(steps, list)
        open_logs = [t for step in steps for t in step["tasks"] if t["log_status"] == "live"]
        return record["status"] in TERMINAL and not open_logs

    async def wait_online(self) -> None:
        """Until every host's agent is online."""

        async def online() -> bool:
            answer = await self.client.ask("GET", "/api/hosts/", params={"page_size": 200})
            rows = answer.json()["content"]["results"]
            self.hosts = {r["id"]: r["name"] for r in rows if r["agent_status"] == "online"}
            return len(self.hosts) == len(self.agents)

        await eventually(online, timeout=90)


@asynccontextmanager
async def site(
    folder: Path,
    *,
    db: str,
    seed: int,
    agents: int = 3,
    timers: dict[str, str] | None = None,
) -> AsyncIterator[Site]:
    """A platform with hosts that are online, behind lines that may be made bad."""
    world: World = Scaled(folder, timers) if db == "postgres" else Embedded(folder, timers)
    built = Site(
        folder, world, seed, Trace(folder / "trace.jsonl"), History(folder / "history.jsonl")
    )
    await asyncio.to_thread(built.markers.mkdir)
    async with AsyncExitStack() as stack:
        stack.callback(built.trace.close)
        stack.callback(built.history.close)
        stack.push_async_callback(asyncio.to_thread, world.stop)
        await asyncio.to_thread(world.start)
        for url in world.gateways:
            proxy = Proxy(*address_of(url), seed=seed, trace=built.trace)
            built.proxies.append(await stack.enter_async_context(proxy))
        built.client = Client(world.url, world.admin(), built.history)
        stack.push_async_callback(built.client.close)
        await built.client.log_in()
        stack.push_async_callback(asyncio.to_thread, _end_hosts, built)
        await _add_hosts(built, agents)
        await built.wait_online()
        yield built


async def _add_hosts(built: Site, count: int) -> None:
    run = uuid4().hex[:6]
    urls = [proxy.url for proxy in built.proxies]
    for number in range(count):
        turned = urls[number % len(urls) :] + urls[: number % len(urls)]
        host = AgentHost(f"chaos-{run}-{number}", built.folder, tuple(turned))
        built.agents.append(host)
        issued = await built.client.ask("POST", "/api/agents/enrolment_tokens/", json={})
        await asyncio.to_thread(host.enrol, issued.json()["content"]["token"])
        await asyncio.to_thread(host.start)


def _end_hosts(built: Site) -> None:
    for agent in built.agents:
        agent.stop()
        for shim in shims_of(agent.state):
            with contextlib.suppress(Exception):
                shim.kill()
    for process in processes_of([agent.name for agent in built.agents]):
        with contextlib.suppress(Exception):
            process.kill()


async def hurt(
    built: Site, *, seconds: float, per_second: float, pauses: tuple[float, float] = (1.0, 4.0)
) -> Nemesis:
    """Work under faults for some seconds, then heal and wait until everything has ended."""
    nemesis = Nemesis(
        built.world, built.agents, built.proxies, built.trace, built.seed, pause_seconds=pauses
    )
    faults = asyncio.create_task(nemesis.run())
    try:
        await built.work(seconds, per_second=per_second)
    finally:
        faults.cancel()
        await asyncio.gather(faults, return_exceptions=True)
        await nemesis.heal()
    await built.wait_online()
    await built.settle()
    return nemesis


def empty(folder: Path) -> Path:
    """A folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


__all__ = ["RECORDS", "Site", "empty", "hurt", "site"]

"""`echo hello` on many real agents, against the floor of the persistent-connection design.

The floor is a bare WebSocket hub with as many bare agents as processes: no identity, no storage,
no journal. Both are measured in turns in one run. `make bench ONLY=fanout [N=agents] [PEERS=1]`;
the limit is four times the floor, shell by shell: a script of ours that names no interpreter runs
in bash, which takes twice as long to start as `/bin/sh`, so both sides have a turn in each. With
PEERS=1 Salt's LocalClient takes its turn as well, with as many minions (10, 20 and 40 unless N is
given); we are to be eight times faster.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench import _salt
from bench._ground import agents, platform, watch
from bench.report import Figure

COMMAND = "echo hello"
LIMIT_FLOORS = 4.0
ROUNDS = 9
ROUNDS_WITH_PEERS = 5
SMALLER_WITH_PEERS = (10, 20)
BARE_AGENT = Path(__file__).with_name("_bare_agent.py")


class Floor:
    """The hub: hands a command to everybody and waits for every exit code."""

    def __init__(self) -> None:
        self._agents: list[ServerConnection] = []
        self._left = 0
        self._done = asyncio.Event()
        self._complete = asyncio.Event()
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self, count: int) -> None:
        """Listen, and start so many bare agents."""
        self._server = await serve(
            self._serve, "127.0.0.1", 0, compression=None, ping_interval=None
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self._left = count
        command = [sys.executable, str(BARE_AGENT), f"ws://127.0.0.1:{port}"]
        self._processes = [await asyncio.create_subprocess_exec(*command) for _ in range(count)]
        await self._complete.wait()

    async def _serve(self, agent: ServerConnection) -> None:
        self._agents.append(agent)
        if len(self._agents) == self._left:
            self._complete.set()
        with contextlib.suppress(ConnectionClosed):  # how an agent that is ended goes away
            async for message in agent:
                if "exit_code" in json.loads(message):
                    self._left -= 1
                    if not self._left:
                        self._done.set()

    async def run(self, command: str, count: int, shell: str = "/bin/sh") -> float:
        """Seconds until the first `count` agents have answered."""
        self._left = count
        self._done.clear()
        began = time.perf_counter()
        order = json.dumps({"command": command, "shell": shell})
        await asyncio.gather(*(agent.send(order) for agent in self._agents[:count]))
        await self._done.wait()
        return time.perf_counter() - began

    async def stop(self) -> None:
        """End the agents and the hub."""
        for process in self._processes:
            process.terminate()
        self._server.close()
        await self._server.wait_closed()
        for process in self._processes:
            await process.wait()


@dataclass
class Turns:
    """Seconds of every repetition, by who ran; `salt` is empty where Salt took no part."""

    ours: list[float] = field(default_factory=list)
    ours_in_sh: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bare_in_bash: list[float] = field(default_factory=list)
    salt: list[float] = field(default_factory=list)

    def newest(self) -> str:
        """The last turn of everybody, for people who wait."""
        sides = (
            *(("ours", self.ours), ("ours in sh", self.ours_in_sh)),
            *(("floor", self.bare), ("floor in bash", self.bare_in_bash)),
            ("Salt", self.salt),
        )
        return ", ".join(f"{name} {took[-1] * 1000:,.0f} ms" for name, took in sides if took)


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """Medians with `n` (default 40) agents; platform, floor and, if wanted, Salt in turns."""
    count = n or 40
    with (
        platform("--no-agent") as (running, client),
        agents(running, client, count) as hosts,
        asyncio.Runner() as runner,
        _salt.beside_us(peers) as salt,
    ):
        floor = Floor()
        runner.run(floor.start(count))
        try:
            smaller = SMALLER_WITH_PEERS if salt and n is None else ()
            for size in [*smaller, count]:
                if salt:
                    salt.grow(size)
                yield from figures(size, _in_turns(client, hosts[:size], runner, floor, salt))
        finally:
            runner.run(floor.stop())


def figures(count: int, turns: Turns) -> Iterator[Figure]:
    """What the turns on `count` agents say."""
    reference, ours = median(turns.bare), median(turns.ours)
    yield Figure("fanout_floor", round(reference * 1000, 1), "ms", count)
    limit = round(reference * 1000 * LIMIT_FLOORS, 1)
    yield Figure("fanout_hello", round(ours * 1000, 1), "ms", count, limit)
    yield Figure("fanout_floors", round(ours / reference, 2), "x", count, LIMIT_FLOORS)
    in_sh = median(turns.ours_in_sh)
    yield Figure("fanout_hello_in_sh", round(in_sh * 1000, 1), "ms", count, limit)
    yield Figure("fanout_floors_in_sh", round(in_sh / reference, 2), "x", count, LIMIT_FLOORS)
    bash = median(turns.bare_in_bash)
    yield Figure("fanout_floor_in_bash", round(bash * 1000, 1), "ms", count)
    yield Figure("fanout_floors_of_bash", round(ours / bash, 2), "x", count, LIMIT_FLOORS)
    if turns.salt:
        yield from _salt.figures(count, turns.ours, turns.salt)


def _in_turns(
    client: httpx.Client,
    hosts: list[int],
    runner: asyncio.Runner,
    floor: Floor,
    salt: _salt.Salt | None,
) -> Turns:
    turns = Turns()
    for number in range((ROUNDS_WITH_PEERS if salt else ROUNDS) + 2):
        seen = turns if number >= 2 else Turns()  # the first ones warm up
        with salt.resting() if salt else contextlib.nullcontext():
            seen.ours.append(_run(client, hosts, COMMAND))
            seen.ours_in_sh.append(_run(client, hosts, f"#!/bin/sh\n{COMMAND}"))
            seen.bare.append(runner.run(floor.run(COMMAND, len(hosts))))
            in_bash = floor.run(COMMAND, len(hosts), "/bin/bash")
            seen.bare_in_bash.append(runner.run(in_bash))
        if salt:
            seen.salt.append(salt.run())
            print(f"turn {number + 1} on {len(hosts)}: {seen.newest()}", flush=True)
            salt.settle()
    return turns


def _run(client: httpx.Client, hosts: list[int], script: str) -> float:
    body = {"script_content": script, "target_host_ids": hosts, "timeout": 60}
    began = time.perf_counter()
    answer = client.post("/api/quick/execute_script/", json=body)
    seen = watch(client, answer.json()["content"]["execution_id"], "logs")
    if seen.status != "success" or seen.lines != len(hosts):
        raise RuntimeError(f"a run ended as {seen.status} with {seen.lines} lines")
    return seen.ended - began

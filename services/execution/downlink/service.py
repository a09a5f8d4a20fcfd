"""Hands frames to gateways, and knows which gateway holds which agent."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from libs.contracts.agents import FIELD_BATCH, FIELD_MARK, gateway_key, session_key
from libs.kit.bus import StreamMark
from libs.kit.faults import fault
from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis, reachable

FRAMES_PER_ENTRY = 128
BYTES_PER_ENTRY = 512 * 1024
STREAM_LENGTH = 20_000
"""Entries kept for a gateway; older ones are repeated by the sweep when they still matter."""
COMPANY_SECONDS = 0.005
"""How long the floors of outputs wait for a result's answer to the same host."""
LATE_SECONDS = 0.25
"""How long what nobody waits for is kept back while many speak; an agent repeats a result only
after 3 s and output after 5 s."""

Frames = Sequence[tuple[str, bytes]]

log = get_logger(__name__)


class Downlink:
    """Hands frames to the gateways that hold the agents' connections."""

    def __init__(self, redis: Redis, mark: StreamMark | None = None) -> None:
        self._redis = redis
        self._mark = mark
        self._later: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        self._late: dict[str, dict[str, list[bytes]]] = defaultdict(dict)
        self._is_late = asyncio.Event()

    async def run(self) -> None:
        """Send what `send_late` was given, until cancelled."""
        while True:
            await self._is_late.wait()
            await asyncio.sleep(LATE_SECONDS)
            self._is_late.clear()
            late, self._late = self._late, defaultdict(dict)
            try:
                await self.send(
                    {
                        gateway_id: [
                            (to, frame) for to, frames in agents.items() for frame in frames
                        ]
                        for gateway_id, agents in late.items()
                    }
                )
            except TROUBLE as error:
                log.warning("Agents will say again what is stored.", error=type(error).__name__)

    async def is_reachable(self) -> bool:
        """Whether gateways and we could hear each other now."""
        return await reachable(self._redis)

    async def gateways(self, agent_ids: Iterable[str]) -> dict[str, str]:
        """Which gateway holds which agent; absent agents are missing. Raises kit.redis.TROUBLE."""
        wanted = sorted(set(agent_ids))
        if not wanted:
            return {}
        found = await self._redis.mget([session_key(agent_id) for agent_id in wanted])
        return {
            agent_id: gateway.decode() if isinstance(gateway, bytes) else gateway
            for agent_id, gateway in zip(wanted, found, strict=True)
            if gateway is not None
        }

    async def send(self, frames: Mapping[str, Frames]) -> None:
        """Send frames by gateway, pairs of agent and message. Raises kit.redis.TROUBLE."""
        if fault("downlink.send") == "drop":
            return
        later, self._later = self._later, defaultdict(list)
        frames = {
            gateway_id: [
                *later.get(gateway_id, ()),
                *self._taken_along(gateway_id, frames.get(gateway_id, ())),
            ]
            for gateway_id in {*later, *frames}
        }
        pipeline = self._redis.pipeline(transaction=False)
        for gateway_id, of_gateway in frames.items():
            for entry in _entries(of_gateway):
                key, batch = gateway_key(gateway_id), msgspec.msgpack.encode(entry)
                fields = {FIELD_BATCH: batch}
                if self._mark is not None:
                    fields[FIELD_MARK] = self._mark.of(key, "", batch)
                pipeline.xadd(
                    key,
                    fields,  # type: ignore[arg-type]  # invariant
                    maxlen=STREAM_LENGTH,
                    approximate=True,
                )
        if len(pipeline):
            await pipeline.execute()

    def _taken_along(self, gateway_id: str, frames: Frames) -> Frames:
        """These, and before them what is late for the same agents."""
        late = self._late.get(gateway_id)
        if not late:
            return frames
        own = [(to, frame) for to, _ in frames for frame in late.pop(to, ())]
        return [*own, *frames]

    async def send_soon(self, frames: Mapping[str, Frames]) -> None:
        """Send frames that can wait for others; an agent wakes once for what comes together."""
        for gateway_id, of_gateway in frames.items():
            self._later[gateway_id] += of_gateway
        await asyncio.sleep(COMPANY_SECONDS)
        if self._later:
            await self.send({})

    def send_late(self, frames: Mapping[str, Frames]) -> None:
        """Send frames that nobody waits for when the others have been served, each agent's at once.

        They tell agents what is stored, so that these can forget it. Whoever has not heard that
        says it again: what is lost here, with this process or with Redis, comes another time.
        """
        for gateway_id, of_gateway in frames.items():
            of_agents = self._late[gateway_id]
            for agent_id, frame in of_gateway:
                of_agents.setdefault(agent_id, []).append(frame)
        if frames:
            self._is_late.set()

    async def send_to_agents(self, frames: Frames) -> None:
        """Send frames to agents wherever they are connected; absent ones get nothing."""
        gateways = await self.gateways(agent_id for agent_id, _ in frames)
        by_gateway: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for agent_id, frame in frames:
            if agent_id in gateways:
                by_gateway[gateways[agent_id]].append((agent_id, frame))
        await self.send(by_gateway)


def _entries(frames: Frames) -> Iterable[list[dict[str, object]]]:
    entry: list[dict[str, object]] = []
    size = 0
    for agent_id, frame in frames:
        if entry and (len(entry) >= FRAMES_PER_ENTRY or size + len(frame) > BYTES_PER_ENTRY):
            yield entry
            entry, size = [], 0
        entry.append({"to": agent_id, "frame": frame})
        size += len(frame)
    if entry:
        yield entry

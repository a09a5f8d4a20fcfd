"""Hands frames to gateways, and knows which gateway holds which agent."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from libs.contracts.agents import FIELD_BATCH, FIELD_MARK, gateway_key, session_key
from libs.kit.bus import StreamMark
from libs.kit.faults import fault
from libs.kit.redis import Redis, reachable

FRAMES_PER_ENTRY = 128
BYTES_PER_ENTRY = 512 * 1024
STREAM_LENGTH = 20_000
"""Entries kept for a gateway; older ones are repeated by the sweep when they still matter."""
COMPANY_SECONDS = 0.005
"""How long the floors of outputs wait for a result's answer to the same host."""

Frames = Sequence[tuple[str, bytes]]


class Downlink:
    """Hands frames to the gateways that hold the agents' connections."""

    def __init__(self, redis: Redis, mark: StreamMark | None = None) -> None:
        self._redis = redis
        self._mark = mark
        self._later: dict[str, list[tuple[str, bytes]]] = defaultdict(list)

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
            gateway_id: [*later.get(gateway_id, ()), *frames.get(gateway_id, ())]
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

    async def send_soon(self, frames: Mapping[str, Frames]) -> None:
        """Send frames that can wait for others; an agent wakes once for what comes together."""
        for gateway_id, of_gateway in frames.items():
            self._later[gateway_id] += of_gateway
        await asyncio.sleep(COMPANY_SECONDS)
        if self._later:
            await self.send({})

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

"""Correct messages of agents, to be spoilt by tests, and a check that others are still served."""

from libs.contracts.agents import RESULTS
from tests.gateway.agents.rig import Rig
from tests.support.agents import FakeAgent, Message
from tests.support.waiting import eventually

CLAIM: Message = {"type": "claim", "task_id": "t1", "attempt": 1}
OUTPUT: Message = {
    "type": "output",
    "execution_id": "e1",
    "task_id": "t1",
    "attempt": 1,
    "stream": "stdout",
    "seq": 0,
    "offset": 0,
    "length": 3,
    "data": b"abc",
}
PROGRESS: Message = {
    "type": "progress",
    "task_id": "t1",
    "attempt": 1,
    "files": [
        {
            "path": "a",
            "state": "running",
            "done": 1,
            "size": 2,
            "bytes_per_second": 3,
            "seconds_left": 0.5,
        }
    ],
}
RESULT: Message = {
    "type": "result",
    "execution_id": "e1",
    "task_id": "t1",
    "attempt": 1,
    "payload": "{}",
    "signature": "A" * 86 + "==",
}


async def assert_serves_others(gate: Rig) -> None:
    """Whatever one agent did, the next one works."""
    other = await gate.connected()
    other.send(CLAIM)
    await eventually_claim(gate, other)


async def eventually_claim(gate: Rig, agent: FakeAgent) -> None:
    async def probe() -> bool:
        found = await gate.stream(RESULTS)
        return any(m["t"] == "claim" and m["agent_id"] == agent.agent_id for m in found)

    await eventually(probe)

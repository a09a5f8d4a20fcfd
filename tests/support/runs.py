"""Agents of the execution service's tests that take one task after another."""

from tests.support.courier import Agent, Message
from tests.support.execution import Rig
from tests.support.waiting import eventually


async def fleet(rig: Rig, count: int) -> list[Agent]:
    """So many connected agents."""
    agents = [rig.agent(number) for number in range(1, count + 1)]
    for agent in agents:
        await rig.courier.connect(agent)
    return agents


async def offered(rig: Rig, agent: Agent) -> list[Message]:
    """Orders that an agent was offered and has not taken; an offer may come twice."""
    fresh: dict[tuple[object, object], Message] = {}
    for message in await rig.courier.seen(agent, "offer"):
        order = message["order"]
        assert isinstance(order, dict)
        if (order["task_id"], order["attempt"]) not in agent.taken:
            fresh[order["task_id"], order["attempt"]] = order
    return list(fresh.values())


async def start(rig: Rig, agent: Agent) -> tuple[Message, object]:
    """Take the next offer of an agent to running; returns the order and the granted epoch."""
    found = await eventually(lambda: offered(rig, agent))
    order = found[0]
    agent.taken.add((order["task_id"], order["attempt"]))
    await rig.courier.say(agent, "claim", order)
    grant = await rig.courier.expect(agent, "grant")
    started = "2026-01-01T00:00:00Z"
    epoch = grant["epoch"]
    await rig.courier.say(agent, "started", order, epoch=epoch, pid=99, started_at=started)
    return order, epoch


async def work(
    rig: Rig, agent: Agent, exit_code: int = 0, outputs: dict[str, str] | None = None
) -> Message:
    """Take the next offer of an agent to its end; returns the order."""
    order, epoch = await start(rig, agent)
    passed = outputs or {}
    await rig.courier.result(agent, order, epoch=epoch, exit_code=exit_code, outputs=passed)
    return order


def steps_of(shown: Message) -> dict[str, Message]:
    """The steps of a detail by name."""
    return {str(step["name"]): step for step in listed(shown["steps"])}


def tasks_of(shown: Message) -> list[Message]:
    """All tasks of a detail, in the order of steps and hosts."""
    return [task for step in steps_of(shown).values() for task in listed(step["tasks"])]


def listed(value: object) -> list[Message]:
    """A list in an answer."""
    assert isinstance(value, list)
    return value


def waits(task: Message) -> str | None:
    """The code of why a task waits."""
    why = task["waits_for"]
    return str(why["code"]) if isinstance(why, dict) else None

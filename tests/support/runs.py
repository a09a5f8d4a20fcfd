"""Agents of the execution service's tests that take one task after another."""

from tests.support.courier import Agent, Message
from tests.support.execution import Rig


async def fleet(rig: Rig, count: int) -> list[Agent]:
    """So many connected agents."""
    agents = [rig.agent(number) for number in range(1, count + 1)]
    for agent in agents:
        await rig.courier.connect(agent)
    return agents


async def offered(rig: Rig, agent: Agent) -> list[Message]:
    """Orders that an agent was offered and has not taken."""
    return await rig.courier.offered(agent)


async def start(rig: Rig, agent: Agent) -> tuple[Message, object]:
    """Take the next offer of an agent to running; returns the order and the granted epoch."""
    order = await rig.courier.start(agent)
    return order, order["epoch"]


async def work(
    rig: Rig, agent: Agent, exit_code: int = 0, outputs: dict[str, str] | None = None
) -> Message:
    """Take the next offer of an agent to its end; returns the order."""
    order = await rig.courier.start(agent)
    passed = outputs or {}
    await rig.courier.result(agent, order, exit_code=exit_code, outputs=passed)
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

"""Repeating an execution as a new record, and the chain that both form."""

import asyncio

import pytest

from tests.support.controls import Controls
from tests.support.courier import Agent, Message
from tests.support.execution import Rig, operator

pytestmark = pytest.mark.anyio

UNKNOWN = "019a0000-0000-7000-8000-00000000dead"


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return Controls(rig)


async def connected(rig: Rig, *numbers: int) -> list[Agent]:
    agents = [rig.agent(number) for number in numbers]
    for agent in agents:
        await rig.courier.connect(agent)
    return agents


async def failed(rig: Rig, controls: Controls, **body: object) -> tuple[str, list[Agent]]:
    """Two steps on two hosts; the second host fails at the first step."""
    agents = await connected(rig, 1, 2)
    steps: list[Message] = [{"name": "one", "args": ["a"], "timeout": 77}, {"name": "two"}]
    execution_id = await controls.run([1, 2], *steps, by=None, **body)
    await controls.finish(agents[0])
    await controls.finish(agents[1], exit_code=1)
    await rig.until(execution_id, "failed")
    return execution_id, agents


async def test_everything_is_repeated_as_a_new_record(rig: Rig, controls: Controls) -> None:
    execution_id, agents = await failed(rig, controls, variables={"A": "1"}, priority=3)

    made = await controls.done(f"{execution_id}/retry", reason="network is back")
    order = await controls.finish(agents[0])
    await controls.finish(agents[1])
    for agent in agents:
        await controls.finish(agent)

    assert made["execution_id"] != execution_id
    assert (made["parent_id"], made["root_id"], made["retry_count"]) == (
        execution_id,
        execution_id,
        1,
    )
    assert (order["args"], order["timeout_seconds"], order["attempt"]) == (["a"], 77, 1)
    env = order["env"]
    assert isinstance(env, dict)
    assert env["A"] == "1"
    await rig.until(str(made["execution_id"]), "success")
    assert (await rig.show(execution_id))["status"] == "failed"  # the record stays as it was
    assert await controls.actions(execution_id) == ["retry"]


async def test_only_the_failed_hosts_are_repeated(rig: Rig, controls: Controls) -> None:
    execution_id, agents = await failed(rig, controls)

    made = await controls.done(f"{execution_id}/retry", retry_type="failed_only")
    for _ in range(2):
        await controls.finish(agents[1])

    new = str(made["execution_id"])
    await rig.until(new, "success")
    assert [task["host_id"] for task in await controls.tasks(new)] == [2, 2]


async def test_one_step_is_repeated_alone(rig: Rig, controls: Controls) -> None:
    execution_id, agents = await failed(rig, controls)
    two = (await controls.steps(execution_id))[1]

    made = await controls.done(f"{execution_id}/retry", retry_type="step", step_id=two["id"])
    for agent in agents:
        await controls.finish(agent)

    new = str(made["execution_id"])
    await rig.until(new, "success")
    assert [step["name"] for step in await controls.steps(new)] == ["two"]


async def test_the_chain_knows_its_first_and_its_newest(rig: Rig, controls: Controls) -> None:
    execution_id, agents = await failed(rig, controls)
    second = await controls.done(f"{execution_id}/retry", reason="first try")
    await controls.finish(agents[0], exit_code=1)
    await controls.finish(agents[1], exit_code=1)
    await rig.until(str(second["execution_id"]), "failed")
    third = await controls.done(f"{second['execution_id']}/retry")

    history = await controls.get(f"{second['execution_id']}/retry_history")
    trace = await controls.get(f"{third['execution_id']}/trace")

    chain = history["results"]
    assert isinstance(chain, list)
    ids = [execution_id, second["execution_id"], third["execution_id"]]
    assert [one["execution_id"] for one in chain] == ids
    assert [one["is_latest"] for one in chain] == [False, False, True]
    assert [one["retry_count"] for one in chain] == [0, 1, 2]
    assert [one["parent_id"] for one in chain] == [None, *ids[:2]]
    assert chain[1]["retry_reason"] == "first try"
    assert history["root_id"] == execution_id
    assert (trace["trigger"], trace["username"], trace["root_id"]) == (
        "retry",
        "user-7",
        execution_id,
    )
    recent = trace["recent"]
    assert isinstance(recent, list)
    assert [one["execution_id"] for one in recent] == ids[1::-1]


async def test_secrets_come_along_sealed_for_the_new_record(rig: Rig, controls: Controls) -> None:
    secret: Message = {"P": {"type": "secret", "value": "hunter2-correct-horse"}}
    agent = rig.agent(1)
    key = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
    rig.neighbours.hosts[1] = agent.target() | {"sealing_key": key}
    await rig.courier.connect(agent)
    execution_id = await controls.run([1], {"name": "one"}, variables=secret)
    first = await controls.finish(agent, exit_code=1)
    await rig.until(execution_id, "failed")

    await controls.done(f"{execution_id}/retry")
    second = await controls.start(agent)

    assert [one["name"] for one in listed(first["secrets"])] == ["P"]
    assert [one["name"] for one in listed(second["secrets"])] == ["P"]
    assert first["secrets"] != second["secrets"]


async def test_a_key_makes_one_record_of_many_requests(rig: Rig, controls: Controls) -> None:
    execution_id, _ = await failed(rig, controls)

    answers = await asyncio.gather(
        *(controls.post(f"{execution_id}/retry", key="again") for _ in range(6))
    )

    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert len({answer.json()["content"]["execution_id"] for answer in answers}) == 1
    assert (await controls.get(f"{execution_id}/retry_history"))["total"] == 2
    other = await controls.refused(f"{execution_id}/retry", key="again", retry_type="failed_only")
    assert other == "idempotency_key_reused"


async def test_only_so_many_repetitions_at_once(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    await controls.finish(agent, exit_code=1)
    await rig.until(execution_id, "failed")
    rig.neighbours.hosts[1] = rig.agent(1).target()

    answers = [await controls.post(f"{execution_id}/retry") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert answers[-1].json()["content"]["error"] == "too_many_retries"
    assert (await controls.get(f"{execution_id}/retry_history"))["total"] == 11


async def test_what_cannot_be_repeated_is_refused(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    path = f"{execution_id}/retry"

    assert await controls.refused(path) == "execution_not_finished"
    await controls.finish(agent)
    await rig.until(execution_id, "success")
    assert await controls.refused(path, retry_type="failed_only") == "nothing_to_retry"
    wrong = await controls.refused(path, 404, retry_type="step", step_id=UNKNOWN)
    assert wrong == "step_not_found"
    assert await controls.refused(path, 422, retry_type="step") == "invalid"
    assert await controls.refused(f"{UNKNOWN}/retry", 404) == "execution_not_found"
    who = operator(8, "executions:read", "executions:operate", "executions:cancel")
    assert (await controls.post(path, by=who)).status_code == 403
    del rig.neighbours.hosts[1]
    assert await controls.refused(path, 404) == "host_not_found"
    for view in ("retry_history", "trace"):
        answer = await rig.http.get(
            f"/api/executor/execution-records/{UNKNOWN}/{view}", headers=rig.headers()
        )
        assert answer.json()["content"]["error"] == "execution_not_found"


def listed(value: object) -> list[Message]:
    assert isinstance(value, list)
    return value

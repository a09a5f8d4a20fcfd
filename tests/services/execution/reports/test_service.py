"""Reports as a whole: what they leave in a task."""

from tests.support.execution import Rig


async def test_a_result_tells_the_start_of_a_script_that_was_over_at_once(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    await rig.courier.say(agent, "claim", order)
    await rig.courier.expect(agent, "grant")

    await rig.courier.result(agent, order, exit_code=0, started_at="2026-01-01T00:00:00.500000Z")

    task = await rig.until_task(execution_id, status="success")
    assert task["started_at"] == "2026-01-01T00:00:00.500000Z"

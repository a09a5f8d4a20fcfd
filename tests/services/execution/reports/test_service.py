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


async def test_reports_that_arrive_together_are_applied_together(rig: Rig) -> None:
    agents = [rig.agent(number) for number in range(1, 6)]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await rig.run(1, 2, 3, 4, 5)
    orders = []
    for agent in agents:
        order = (await rig.courier.expect(agent, "offer"))["order"]
        assert isinstance(order, dict)
        orders.append(order)

    async with rig.courier.together():
        for agent, order in zip(agents, orders, strict=True):
            await rig.courier.say(agent, "claim", order)
    for agent in agents:
        await rig.courier.expect(agent, "grant")
    async with rig.courier.together():
        for agent, order in zip(agents, orders, strict=True):
            await rig.courier.say(
                agent, "started", order, epoch=1, pid=7, started_at="2026-01-01T00:00:00Z"
            )
    async with rig.courier.together():
        for agent, order in zip(agents, orders, strict=True):
            await rig.courier.output(agent, order, ("stdout", 0, 0, b"hello\n"))
            await rig.courier.result(agent, order, stdout=b"hello\n", exit_code=agent.number % 2)

    shown = await rig.until(execution_id, "failed")
    assert shown["counts"] == {"success": 2, "failed": 3}
    for agent in agents:
        await rig.courier.expect(agent, "result_ack")
    async with rig.courier.together():
        for agent, order in zip(agents, orders, strict=True):
            await rig.courier.result(agent, order, exit_code=9)
    for agent in agents:
        await rig.courier.expect(agent, "result_ack")

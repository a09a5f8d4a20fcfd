"""What a step was given and what came of it, as people look at it."""

import pytest

from tests.support.controls import RECORDS, Controls
from tests.support.courier import Message
from tests.support.execution import Rig

pytestmark = pytest.mark.anyio

SECRET = "hunter2-correct-horse"
KEY = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
UNKNOWN = "019a0000-0000-7000-8000-00000000dead"


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return Controls(rig)


async def test_content_shows_what_a_host_is_given_with_secrets_masked(
    rig: Rig, controls: Controls
) -> None:
    agent = rig.agent(1)
    rig.neighbours.hosts[1] = agent.target() | {"sealing_key": KEY}
    step: Message = {
        "name": "deploy",
        "script_content": "echo {{A}} {{OPSJOB_HOST}}",
        "args": ["${A}"],
        "env": {"DSN": "app:${P}@db"},
    }
    variables = {"A": "1", "P": {"type": "secret", "value": SECRET}}
    execution_id = await controls.run([1], step, variables=variables)
    step_id = (await controls.steps(execution_id))[0]["id"]

    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/steps/{step_id}/content?host_id=1", headers=rig.headers()
    )

    content = answer.json()["content"]
    assert SECRET not in answer.text
    assert content["script_content"] == "echo {{A}} {{OPSJOB_HOST}}"
    assert content["rendered_script"] == "echo 1 host-1"
    assert content["rendered_args"] == ["1"]
    assert content["rendered_env"]["DSN"] == "app:******@db"
    assert content["rendered_env"]["P"] == "******"
    assert content["rendered_env"]["OPSJOB_HOST"] == "host-1"
    assert (content["secrets"], content["problem"]) == (["P"], None)


async def test_content_says_why_it_cannot_be_filled_in(rig: Rig, controls: Controls) -> None:
    rig.agent(1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two", "args": ["${NOPE}"]})
    step_id = (await controls.steps(execution_id))[1]["id"]

    content = await controls.get(f"{execution_id}/steps/{step_id}/content")

    assert (content["problem"], content["rendered_args"]) == ("variable_unknown", None)
    assert content["args"] == ["${NOPE}"]


async def test_a_result_counts_hosts_codes_processes_and_values(
    rig: Rig, controls: Controls
) -> None:
    agents = [rig.agent(number) for number in (1, 2, 3)]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await controls.run([1, 2, 3], {"name": "one"}, {"name": "two"})
    left = {"found": 2, "signalled": 2, "left": 0}
    await controls.finish(agents[0], outputs={"VERSION": "7", "COLOUR": "red"})
    await controls.finish(agents[1], outputs={"VERSION": "7", "COLOUR": "blue"}, processes=left)
    await controls.finish(agents[2], exit_code=4, duration_ms=100, processes=left)
    await rig.until(execution_id, "failed")
    step_id = (await controls.steps(execution_id))[0]["id"]
    path = f"{execution_id}/steps/{step_id}/result"

    result = await controls.get(path)
    failed = await controls.get(f"{path}?status=failed")

    assert result["status"] == "failed"
    assert result["counts"] == {"success": 2, "failed": 1}
    assert result["exit_codes"] == {"0": 2, "4": 1}
    assert (result["shortest_ms"], result["longest_ms"]) == (12, 100)
    assert result["processes"] == {"found": 4, "signalled": 4, "left": 0}
    assert result["outputs"] == {"VERSION": "7"}
    hosts = failed["hosts"]
    assert isinstance(hosts, dict)
    assert hosts["total"] == 1
    assert hosts["results"][0]["host_name"] == "host-3"
    assert hosts["results"][0]["processes"] == left


async def test_variables_show_where_values_came_from(rig: Rig, controls: Controls) -> None:
    (agent,) = [rig.agent(1)]
    rig.neighbours.hosts[1] = agent.target() | {"sealing_key": KEY}
    await rig.courier.connect(agent)
    variables = {
        "A": "1",
        "D": {"default": "d"},
        "H": [1],
        "P": {"type": "secret", "value": SECRET},
    }
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"}, variables=variables)
    await controls.finish(agent, outputs={"LEFT": "over"})
    await controls.finish(agent)
    await rig.until(execution_id, "success")

    answer = await rig.http.get(f"{RECORDS}/{execution_id}/variables", headers=rig.headers())

    assert SECRET not in answer.text
    found = {one["name"]: one for one in answer.json()["content"]["variables"]}
    assert (found["A"]["source"], found["A"]["value"]) == ("launch", "1")
    assert (found["D"]["source"], found["D"]["value"]) == ("default", "d")
    assert (found["H"]["value"], found["H"]["host_ids"]) == ("host-1", [1])
    assert (found["P"]["is_secret"], found["P"]["value"]) == (True, None)
    assert (found["LEFT"]["source"], found["LEFT"]["step"]) == ("step", "one")
    assert found["OPSJOB_EXECUTION_ID"]["value"] == execution_id


@pytest.mark.parametrize("path", ["steps/{step}/content", "steps/{step}/result", "variables"])
async def test_what_is_not_there_is_not_found(rig: Rig, path: str) -> None:
    rig.agent(1)
    execution_id = await rig.run(1)

    gone = await rig.http.get(
        f"{RECORDS}/{UNKNOWN}/{path.format(step=UNKNOWN)}", headers=rig.headers()
    )
    wrong = await rig.http.get(
        f"{RECORDS}/{execution_id}/{path.format(step=UNKNOWN)}", headers=rig.headers()
    )

    assert (gone.status_code, gone.json()["content"]["error"]) == (404, "execution_not_found")
    if "{step}" in path:
        assert (wrong.status_code, wrong.json()["content"]["error"]) == (404, "step_not_found")

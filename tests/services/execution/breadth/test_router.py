"""Many hosts at once: a number that has to be right, and as root a proof that is fresh."""

from dataclasses import replace

import httpx
import pytest

from tests.support.controls import RECORDS, Controls
from tests.support.courier import Message
from tests.support.execution import Rig, operator

LONG_AGO = replace(operator(), proved_until=0)
PROGRAM = replace(operator(), session_id="token:1")
"""With the scope that waives being asked, which counts for all but this."""
ROOT_HOSTS = 2


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the rig is made."""
    monkeypatch.setenv("OPSJOB_EXECUTION_STEP_UP_ROOT_HOSTS", str(ROOT_HOSTS))
    monkeypatch.setenv("OPSJOB_EXECUTION_TYPED_COUNT_ABOVE", "3")


@pytest.fixture
def controls(limits: None, rig: Rig) -> Controls:
    """Five hosts; their agents never come."""
    for number in range(1, 6):
        rig.agent(number)
    rig.neighbours.groups[9] = [1, 2, 3]
    return Controls(rig)


def error_in(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["content"].get("error", "")


async def test_as_root_on_many_hosts_a_proof_has_to_be_fresh(rig: Rig, controls: Controls) -> None:
    assert (await rig.post([1, 2], by=LONG_AGO)).status_code == 201, "not more than the limit"
    assert (await rig.post([1, 2, 3], by=LONG_AGO, run_as="app")).status_code == 201, "not root"

    for more in ({}, {"run_as": "root"}, {"target_group_ids": [9]}):
        hosts = [] if "target_group_ids" in more else [1, 2, 3]
        answer = await rig.post(hosts, by=LONG_AGO, **more)
        assert error_in(answer) == (403, "step_up_required")
        assert (await rig.post(hosts, **more)).status_code == 201


async def test_hosts_of_all_steps_count_together(rig: Rig, controls: Controls) -> None:
    steps: tuple[Message, ...] = (
        {"name": "one", "target_host_ids": [1, 2]},
        {"name": "two", "target_host_ids": [2, 3]},
    )
    refused = await controls.try_run([1], *steps, by=LONG_AGO)
    assert error_in(refused) == (403, "step_up_required")
    assert (await controls.try_run([1], *steps)).status_code == 201


async def test_a_program_never_runs_as_root_on_many_hosts(rig: Rig, controls: Controls) -> None:
    answer = await rig.post([1, 2, 3], by=PROGRAM)

    assert error_in(answer) == (403, "too_many_hosts_for_token")
    assert (await rig.post([1, 2], by=PROGRAM)).status_code == 201
    assert (await rig.post([1, 2, 3], by=PROGRAM, run_as="app")).status_code == 201


async def test_a_run_on_many_hosts_needs_their_number(rig: Rig, controls: Controls) -> None:
    assert (await rig.post([1, 2, 3])).status_code == 201

    answer = await rig.post([1, 2, 3, 4], key="a-key")
    assert error_in(answer) == (409, "count_unconfirmed")
    details = answer.json()["content"]["details"]
    assert details == {"count": 4, "field": "confirmed_host_count"}
    wrong = await rig.post([1, 2, 3, 4], confirmed_host_count=5)
    assert error_in(wrong) == (409, "count_unconfirmed")

    typed = await rig.post([1, 2, 3, 4], key="a-key", confirmed_host_count=4)
    assert typed.status_code == 201, typed.text
    again = await rig.post([1, 2, 3, 4], key="a-key")
    assert again.status_code == 200, "the number is no part of what was asked for"


async def test_a_number_that_is_given_has_to_be_right_for_few_hosts_too(
    rig: Rig, controls: Controls
) -> None:
    """A group that has grown since somebody looked is noticed."""
    answer = await rig.post([], target_group_ids=[9], confirmed_host_count=2)

    assert error_in(answer) == (409, "count_unconfirmed")
    assert (await rig.post([], target_group_ids=[9], confirmed_host_count=3)).status_code == 201


async def test_repeating_a_run_asks_as_the_run_did(rig: Rig, controls: Controls) -> None:
    execution_id = await rig.run(1, 2, 3, 4, confirmed_host_count=4)
    await controls.done(f"{execution_id}/cancel")
    path = f"{execution_id}/retry"

    assert await controls.refused(path) == "count_unconfirmed"
    refused = await controls.post(path, by=LONG_AGO, confirmed_host_count=4)
    assert error_in(refused) == (403, "step_up_required")
    await controls.done(path, confirmed_host_count=4)


async def test_trying_a_step_again_asks_and_begins_nothing_before(
    rig: Rig, controls: Controls
) -> None:
    execution_id = await rig.run(1, 2, 3, 4, confirmed_host_count=4)
    await controls.done(f"{execution_id}/cancel")
    (step,) = await controls.steps(execution_id)
    path, step_id = f"{execution_id}/retry_step", str(step["id"])

    unconfirmed = await controls.post(path, step_id=step_id, retry_type="all")
    assert error_in(unconfirmed) == (409, "count_unconfirmed")
    refused = await controls.post(
        path, by=LONG_AGO, step_id=step_id, retry_type="all", confirmed_host_count=4
    )
    assert error_in(refused) == (403, "step_up_required")
    assert set(await controls.states(execution_id)) == {"cancelled"}
    done = await controls.done(path, step_id=step_id, retry_type="all", confirmed_host_count=4)
    assert done["tasks"] == 4


async def test_stopping_many_executions_needs_their_number(rig: Rig, controls: Controls) -> None:
    ids = [await rig.run(1) for _ in range(4)]

    answer = await controls.post("bulk_stop", execution_ids=ids)
    assert error_in(answer) == (409, "count_unconfirmed")
    details = answer.json()["content"]["details"]
    assert details == {"count": 4, "field": "confirmed_execution_count"}

    done = await controls.done("bulk_stop", execution_ids=ids, confirmed_execution_count=4)
    assert done["stopped"] == 4
    few = [await rig.run(1) for _ in range(3)]
    assert (await controls.done("bulk_stop", execution_ids=few))["stopped"] == 3


async def test_files_and_previews(rig: Rig, controls: Controls) -> None:
    """Fetching files counts as a run; a preview starts nothing, so it asks for nothing."""
    body: Message = {"paths": ["/etc/hosts"], "target_host_ids": [1, 2, 3, 4]}
    headers = rig.headers(LONG_AGO)
    unconfirmed = await rig.http.post("/api/quick/collect_files", json=body, headers=headers)
    assert error_in(unconfirmed) == (409, "count_unconfirmed")
    body["confirmed_host_count"] = 4
    refused = await rig.http.post("/api/quick/collect_files", json=body, headers=headers)
    assert error_in(refused) == (403, "step_up_required")

    step = {"name": "one", "script_content": "true", "target_host_ids": [1, 2, 3, 4]}
    preview = await rig.http.post(f"{RECORDS}/preview", json={"steps": [step]}, headers=headers)
    assert preview.status_code == 200, preview.text

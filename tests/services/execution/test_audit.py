"""What execution accounts for: runs, what people do to them, and what leaves the platform."""

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from libs.contracts.audit import Audited
from libs.kit.clock import now
from services.execution.files.service import Files
from services.execution.models import File
from tests.support.accounting import accounts
from tests.support.controls import RECORDS, Controls
from tests.support.execution import Rig, operator
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

CONTENT = b"what is in the file"
UNKNOWN = "019a0000-0000-7000-8000-00000000dead"
FROM = {"x-forwarded-for": "192.0.2.44", "user-agent": "curl/8"}


async def told(rig: Rig, *actions: str) -> list[Audited]:
    return await accounts(rig.app.state.database, *actions)


def state(text: str | None) -> dict[str, object]:
    assert text is not None
    found: dict[str, object] = json.loads(text)
    return found


async def test_a_run_is_one_record_with_what_where_and_as_whom(rig: Rig) -> None:
    for number in range(1, 31):
        rig.agent(number)
    secret = {"PASS": {"type": "secret", "value": "canary-secret"}}
    execution_id = await rig.run(
        *range(1, 31),
        name="Deploy",
        script_content="echo canary-script",
        run_as="deploy",
        variables=secret,
    )

    [run] = await told(rig, "execution.run")

    assert (run.action, run.object_id, run.object_name) == (
        *("execution.run", execution_id),
        "Deploy",
    )
    assert (run.actor_id, run.actor_name, run.actor_kind) == (7, "user-7", "user")
    after = state(run.after)
    assert (after["tasks"], after["host_count"]) == (30, 30)
    assert isinstance(after["hosts"], list)
    assert len(after["hosts"]) == 20
    assert after["steps"] == [
        {
            "name": "Deploy",
            "kind": "script",
            "script_type": "shell",
            "script_sha256": hashlib.sha256(b"echo canary-script").hexdigest(),
            "run_as": "deploy",
        }
    ]
    assert after["secret_names"] == ["PASS"]
    assert "canary" not in run.model_dump_json()


async def test_a_repeated_request_is_recorded_once(rig: Rig) -> None:
    rig.agent(1)
    await rig.post([1], key="same")
    await rig.post([1], key="same")

    assert len(await told(rig, "execution.run")) == 1


async def test_a_refused_run_is_recorded_as_denied(rig: Rig) -> None:
    rig.agent(1)
    answer = await rig.post([1], by=operator(9, "executions:read"))
    assert answer.status_code == 403

    [found] = await eventually(lambda: told(rig, "access.denied"))

    assert (found.actor_id, found.outcome) == (9, "denied")
    assert found.detail == "forbidden: POST /api/quick/execute_script"
    assert await told(rig, "execution.run") == []


async def test_operations_are_recorded_with_reason_and_effect_and_once(rig: Rig) -> None:
    rig.agent(1)
    controls = Controls(rig)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    await controls.done(f"{execution_id}/pause", reason="look first")
    await controls.done(f"{execution_id}/pause", reason="again")
    await controls.done(f"{execution_id}/resume")
    await controls.done(f"{execution_id}/cancel", reason="enough")

    names = ("execution.pause", "execution.resume", "execution.stop")
    pause, resume, stop = await told(rig, *names)

    assert (pause.action, resume.action, stop.action) == names
    assert pause.object_id == execution_id
    assert pause.object_name
    assert state(pause.after)["reason"] == "look first"
    assert state(stop.after)["reason"] == "enough"
    assert state(stop.after)["cancelled"] == 2


async def test_a_confirmation_is_recorded_with_the_answer(rig: Rig) -> None:
    rig.agent(1)
    execution_id = await rig.launch({"kind": "confirm", "confirm": {}}, {}, target_host_ids=[1])
    await rig.until(execution_id, "paused")
    steps = (await rig.show(execution_id))["steps"]
    assert isinstance(steps, list)
    path = f"{RECORDS}/{execution_id}/steps/{steps[0]['id']}/confirm"
    answer = await rig.http.post(path, json={"approve": True}, headers=rig.headers(more=FROM))
    assert answer.status_code == 202, answer.text

    [found] = await told(rig, "execution.confirm")

    assert state(found.after)["approve"] is True
    assert found.address == "192.0.2.44"


async def uploaded(rig: Rig) -> str:
    body = {
        "name": "app.tar",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    begun = await rig.http.post("/api/files/uploads", json=body, headers=rig.headers())
    path = f"/api/files/uploads/{begun.json()['content']['upload_id']}"
    kind = {"content-type": "application/octet-stream"}
    await rig.http.put(path, content=CONTENT, headers=rig.headers(more=kind), params={"offset": 0})
    done = await rig.http.post(f"{path}/complete", headers=rig.headers())
    assert done.status_code == 201, done.text
    return str(done.json()["content"]["id"])


async def test_a_file_from_its_upload_to_its_end(rig: Rig) -> None:
    file_id = await uploaded(rig)
    await rig.http.get(f"/api/files/{file_id}/content", headers=rig.headers())
    later = {"range": "bytes=5-"}
    await rig.http.get(f"/api/files/{file_id}/content", headers=rig.headers(more=later))
    await rig.http.delete(f"/api/files/{file_id}", headers=rig.headers())

    upload, download, delete = await told(rig, "file.upload", "file.download", "file.delete")

    assert [one.action for one in (upload, download, delete)] == [
        *("file.upload", "file.download", "file.delete")
    ]
    for one in (upload, download, delete):
        assert (one.object_id, one.object_name, one.actor_id) == (file_id, "app.tar", 7)
    assert state(delete.before)["sha256"] == hashlib.sha256(CONTENT).hexdigest()


async def test_files_that_expire_are_recorded_as_the_systems_doing(rig: Rig) -> None:
    file_id = await uploaded(rig)
    database = rig.app.state.database
    old = update(File).values(expires_at=now() - timedelta(days=1))
    await database.write(lambda tx: tx.execute(old))
    await rig.app.state.provided[Files].sweep()

    [found] = await told(rig, "file.expire")

    assert (found.actor_kind, found.actor_name) == ("system", "system")
    assert state(found.before) == {"count": 1, "names": [f"app.tar ({file_id})"]}


async def test_a_downloaded_log_is_recorded(rig: Rig) -> None:
    rig.agent(1)
    execution_id = await rig.run(1, name="Deploy")
    path = f"{RECORDS}/{execution_id}/logs/download"
    answer = await rig.http.get(path, params={"format": "zip"}, headers=rig.headers())
    assert answer.status_code == 200

    [found] = await told(rig, "execution.download_log")

    assert (found.object_id, found.object_name) == (execution_id, "Deploy")
    assert state(found.after) == {"format": "zip"}


async def test_a_hidden_execution_is_missing_to_the_caller_and_a_denial_to_the_log(
    rig: Rig,
) -> None:
    rig.agent(1)
    execution_id = await rig.run(1)
    stranger = rig.headers(operator(9, "hosts:read"))
    hidden = await rig.http.get(f"{RECORDS}/{execution_id}", headers=stranger)
    missing = await rig.http.get(f"{RECORDS}/{UNKNOWN}", headers=stranger)

    [found] = await eventually(lambda: told(rig, "access.denied"))

    assert hidden.status_code == missing.status_code == 404
    assert (found.object_type, found.object_id, found.actor_id) == ("execution", execution_id, 9)

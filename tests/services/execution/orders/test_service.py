"""Values on their way from the request to the order, through the public door and the streams."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select, update

from libs.kit import clock
from libs.kit.db import Database
from libs.protocol.sealing import NONCE_BYTES, PUBLIC_BYTES, PURPOSE, VERSION, sealed_place
from services.execution.models import Execution, ExecutionSecret, IdempotencyKey
from services.execution.plans.schemas import ExecutionIn
from services.execution.plans.service import RequestKey
from services.execution.variables.service import Variables
from tests.support.controls import RECORDS, Controls
from tests.support.courier import Agent, Message
from tests.support.execution import Rig
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

SECRET = "hunter2-correct-horse"


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return Controls(rig)


async def connected(rig: Rig, *numbers: int) -> list[Agent]:
    agents = [rig.agent(number) for number in numbers]
    for agent in agents:
        await rig.courier.connect(agent)
    return agents


def give_key(rig: Rig, agent: Agent) -> X25519PrivateKey:
    """A key to which the server may seal secrets for this agent."""
    key = X25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    rig.neighbours.hosts[agent.number] = agent.target() | {"sealing_key": public}
    return key


def opened(key: X25519PrivateKey, order: Message) -> dict[str, str]:
    """The secrets of an order as its agent reads them."""
    secrets = order["secrets"]
    assert isinstance(secrets, list)
    found: dict[str, str] = {}
    for secret in secrets:
        raw = base64.b64decode(secret["sealed"])
        assert raw[0] == VERSION
        sender, rest = raw[1 : 1 + PUBLIC_BYTES], raw[1 + PUBLIC_BYTES :]
        shared = key.exchange(X25519PublicKey.from_public_bytes(sender))
        salt = sender + key.public_key().public_bytes_raw()
        cipher = AESGCM(HKDF(SHA256(), 32, salt=salt, info=PURPOSE).derive(shared))
        place = sealed_place(str(order["task_id"]), int(str(order["attempt"])), secret["name"])
        plain = cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place)
        found[secret["name"]] = plain.decode()
    return found


def environment(order: Message) -> dict[str, str]:
    env = order["env"]
    assert isinstance(env, dict)
    return env


async def test_variables_arrive_as_environment_and_where_they_are_named(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    step: Message = {
        "name": "deploy",
        "script_content": "echo $VERSION {{VERSION}} {{NOTE|quote}} ${SHELL_OWN}",
        "args": ["--version=${VERSION}", "{{NOTE}}"],
        "env": {"LABEL": "v${VERSION}"},
    }
    note = "it's; $(reboot) ${VERSION}"
    await controls.run([1], step, variables={"VERSION": "1.2", "NOTE": note, "COUNT": 3})

    order = await controls.start(agent)

    assert order["script"] == ("echo $VERSION 1.2 'it'\"'\"'s; $(reboot) ${VERSION}' ${SHELL_OWN}")
    assert order["args"] == ["--version=1.2", note]
    env = environment(order)
    assert {name: env[name] for name in ("VERSION", "NOTE", "COUNT", "LABEL")} == {
        "VERSION": "1.2",
        "NOTE": note,
        "COUNT": "3",
        "LABEL": "v1.2",
    }
    assert (env["OPSJOB_STEP"], env["OPSJOB_HOST_IP"], env["OPSJOB_EXECUTOR"]) == (
        "deploy",
        "127.0.1.1",
        "user-7",
    )


@pytest.mark.parametrize(
    ("step", "variables", "code"),
    [
        ({"script_content": "echo {{VERSOIN}}"}, {"VERSION": "1"}, "variable_unknown"),
        ({"args": ["${VERSOIN}"]}, {"VERSION": "1"}, "variable_unknown"),
        ({"script_content": "echo {{A}}"}, {"A": "x; reboot"}, "variable_needs_quoting"),
        ({"script_content": "echo {{A|loud}}"}, {"A": "x"}, "variable_form_unknown"),
        ({"args": ["${P}"]}, {"P": {"type": "secret", "value": SECRET}}, "secret_in_text"),
        ({"cwd": "/srv/${A}"}, {"A": "../etc"}, "variable_invalid"),
        ({}, {"PATH": "/evil"}, "invalid"),
        ({}, {"OPSJOB_HOST": "x"}, "invalid"),
        ({}, {"N": {"type": "number", "value": "many"}}, "invalid"),
        ({}, {"C": {"type": "choice", "value": "c", "choices": ["a"]}}, "invalid"),
    ],
)
async def test_what_cannot_be_filled_in_is_refused_before_anything_is_stored(
    rig: Rig, controls: Controls, step: Message, variables: Message, code: str
) -> None:
    rig.agent()

    answer = await controls.try_run([1], {"name": "one"} | step, variables=variables)

    assert answer.status_code == 422, answer.text
    assert answer.json()["content"]["error"] == code
    assert SECRET not in answer.text
    listed = await rig.http.get(RECORDS, headers=rig.headers())
    assert listed.json()["content"]["total"] == 0


async def test_values_pass_from_step_to_step(rig: Rig, controls: Controls) -> None:
    """Each host keeps its own; where all agree, it is the execution's; hosts are by result."""
    one, two, three = await connected(rig, 1, 2, 3)
    last: Message = {"name": "last", "target_host_ids": [3], "args": ["${VERSION}"]}
    last["script_content"] = "echo $OPSJOB_HOSTS_SUCCEEDED {{OPSJOB_TARGETS|count}}"
    execution_id = await controls.run(
        [1, 2], {"name": "build"}, {"name": "use", "args": ["${COLOUR}", "${VERSION}"]}, last
    )

    for agent, colour in ((one, "red"), (two, "blue")):
        values = {"COLOUR": colour, "VERSION": "7", "PATH": "/evil"}
        order = await controls.finish(agent, outputs=values)
        assert order["outputs"] is True
    orders = [await controls.finish(agent) for agent in (one, two)]
    final = await controls.finish(three)

    assert [order["args"] for order in orders] == [["red", "7"], ["blue", "7"]]
    assert "PATH" not in environment(orders[0])
    assert environment(orders[1])["COLOUR"] == "blue"
    assert final["args"] == ["7"]
    assert final["script"] == "echo $OPSJOB_HOSTS_SUCCEEDED 1"
    assert environment(final)["OPSJOB_HOSTS_SUCCEEDED"] == "host-1,host-2"
    assert "COLOUR" not in environment(final)
    await rig.until(execution_id, "success")


async def test_a_value_that_no_step_left_ends_the_task_with_its_reason(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two", "args": ["${LATER}"]})
    await controls.finish(agent)

    shown = await rig.until(execution_id, "failed")

    task = (await controls.tasks(execution_id))[1]
    assert (task["status"], task["reason"]) == ("rejected", "variable_unknown")
    assert "LATER" in str(task["detail"])
    assert shown["status"] == "failed"


async def test_what_is_given_at_launch_is_stronger_than_what_steps_leave(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    await controls.run(
        [1],
        {"name": "one"},
        {"name": "two", "args": ["${A}", "${B}"]},
        variables={"A": "launch", "B": {"default": "default"}},
    )
    await controls.finish(agent, outputs={"A": "step", "B": "step"})

    order = await controls.start(agent)

    assert order["args"] == ["launch", "step"]


# ---- secrets -------------------------------------------------------------------------------


async def test_a_secret_is_readable_by_its_agent_alone(rig: Rig, controls: Controls) -> None:
    """S21, S22, S25: ciphertext on the wire and at rest; no answer of the API has it."""
    agent, other = rig.agent(1), rig.agent(2)
    key, foreign = give_key(rig, agent), give_key(rig, other)
    await rig.courier.connect(agent)
    execution_id = await controls.run(
        [1],
        {"name": "one", "env": {"DSN": "postgres://app:${PASSWORD}@db"}},
        variables={"PASSWORD": {"type": "secret", "value": SECRET}, "A": "plain"},
    )

    order = await controls.start(agent)

    assert opened(key, order) == {
        "PASSWORD": SECRET,
        "DSN": f"postgres://app:{SECRET}@db",
    }
    assert SECRET not in json.dumps(order)
    with pytest.raises(InvalidTag):
        opened(foreign, order)
    for path in ("", "/tasks", "/operation_logs"):
        answer = await rig.http.get(f"{RECORDS}/{execution_id}{path}", headers=rig.headers())
        assert answer.status_code == 200
        assert SECRET not in answer.text
    for file in rig.folder.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()


async def test_nothing_that_is_kept_of_a_request_tells_its_secret(
    rig: Rig, controls: Controls
) -> None:
    """A plain hash of the body could be found by trying secrets; what is kept is keyed."""
    rig.agent(1)
    body = {
        "target_host_ids": [1],
        "steps": [{"name": "one", "script_content": "true"}],
        "variables": {"P": {"type": "secret", "value": SECRET}},
    }
    headers = rig.headers(None, {"Idempotency-Key": "with-a-secret"})
    first = await rig.http.post(RECORDS, json=body, headers=headers)
    again = await rig.http.post(RECORDS, json=body, headers=headers)
    other = body | {"variables": {"P": {"type": "secret", "value": "another"}}}
    reused = await rig.http.post(RECORDS, json=other, headers=headers)

    assert (first.status_code, again.status_code, reused.status_code) == (201, 200, 409)
    request = ExecutionIn.model_validate(body)
    key = RequestKey.of(request, "with-a-secret")
    assert key is not None
    rows = await rig.app.state.database.read(
        lambda tx: tx.scalars(select(IdempotencyKey.body_sha256)).all()
    )
    assert len(rows) == 1
    assert rows[0] != key.body_sha256


async def test_secrets_are_dropped_some_time_after_the_end(rig: Rig, controls: Controls) -> None:
    """S25: they are kept for retries, and then forgotten; a retry says so."""
    agent = rig.agent(1)
    give_key(rig, agent)
    await rig.courier.connect(agent)
    variables = {"P": {"type": "secret", "value": SECRET}}
    ended = await controls.run([1], {"name": "one"}, variables=variables)
    await controls.finish(agent, exit_code=1)
    await rig.until(ended, "failed")
    waiting = await controls.run([1], {"name": "one"}, variables=variables)
    database: Database = rig.app.state.database
    variables_of = rig.app.state.provided[Variables]

    await variables_of.forget_old()
    assert await kept(database) == {ended, waiting}
    long_ago = clock.now() - timedelta(days=2)
    await database.write(
        lambda tx: tx.execute(
            update(Execution).where(Execution.id == ended).values(finished_at=long_ago)
        )
    )
    await variables_of.forget_old()

    assert await kept(database) == {waiting}
    step = (await controls.steps(ended))[0]["id"]
    retry = await controls.refused(f"{ended}/retry_step", step_id=step)
    assert (retry, await controls.refused(f"{ended}/retry")) == ("secrets_forgotten",) * 2


async def kept(database: Database) -> set[str]:
    rows = await database.read(lambda tx: tx.scalars(select(ExecutionSecret.execution_id)).all())
    return set(rows)


async def test_another_attempt_is_sealed_anew_for_itself(rig: Rig, controls: Controls) -> None:
    agent = rig.agent(1)
    key = give_key(rig, agent)
    await rig.courier.connect(agent)
    execution_id = await controls.run(
        [1], {"name": "one"}, variables={"P": {"type": "secret", "value": SECRET}}
    )
    first = await controls.finish(agent, exit_code=1)
    await rig.until(execution_id, "failed")
    step = (await controls.steps(execution_id))[0]

    await controls.done(f"{execution_id}/retry_step", step_id=step["id"])
    second = await controls.start(agent)

    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert opened(key, second) == {"P": SECRET}


async def test_an_agent_that_cannot_receive_secrets_is_told_so(
    rig: Rig, controls: Controls
) -> None:
    """At once, also when it is away; so is a run of a single script."""
    rig.agent(1)
    secret = {"P": {"type": "secret", "value": SECRET}}
    plain = await rig.run(1, variables=secret)
    execution_id = await controls.run([1], {"name": "one"}, variables=secret)

    assert (await rig.show(plain))["status"] == "failed"
    assert (await rig.show(execution_id))["status"] == "failed"
    task = await rig.task(execution_id)
    assert (task["status"], task["reason"]) == ("rejected", "agent_cannot_receive_secrets")
    assert "enrol" in str(task["detail"])


async def test_a_preview_shows_scripts_with_their_values(rig: Rig, controls: Controls) -> None:
    rig.agent(1)
    answer = await rig.http.post(
        f"{RECORDS}/preview",
        json={
            "target_host_ids": [1],
            "steps": [{"name": "one", "script_content": "echo {{A}} {{OPSJOB_HOST}}"}],
            "variables": {"A": "1", "P": {"type": "secret", "value": SECRET}},
        },
        headers=rig.headers(),
    )

    assert answer.json()["content"]["steps"][0]["script"] == "echo 1 host-1"
    assert SECRET not in answer.text


async def test_a_plain_script_is_offered_byte_for_byte(rig: Rig) -> None:
    (agent,) = await connected(rig, 1)
    script = "docker ps --format '{{.Names}}' | grep ${X:-y} # $$ ${A}\r\n"
    await rig.run(1, script_content=script)

    order = (await rig.courier.expect(agent, "offer"))["order"]

    assert isinstance(order, dict)
    assert order["script"] == script
    assert "secrets" not in order


async def test_waiting_is_not_needed_for_nothing(rig: Rig, controls: Controls) -> None:
    """The tasks of a step that nobody can fill in end at once, not when their time is over."""
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run(
        [1], {"name": "one"}, {"name": "two", "script_content": "echo {{NOPE}}"}
    )
    await controls.finish(agent)

    async def ended() -> bool:
        return (await controls.states(execution_id))[1] == "rejected"

    await eventually(ended, timeout=5)

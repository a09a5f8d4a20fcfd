"""A secret by reference on its way: named in a request, fetched for the order, stored nowhere."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from libs.kit.db.tables import outbox
from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.models import ExecutionSecret
from tests.services.execution.orders.test_service import connected, give_key, opened
from tests.services.execution.references.vault import FakeVault
from tests.support.controls import Controls
from tests.support.courier import Message
from tests.support.database import Declared
from tests.support.execution import RUNNING, Rig, operator, running

pytestmark = pytest.mark.anyio

MAY_REFER = (*RUNNING, "executions:read", "secrets:reference")
ANN = operator(7, *MAY_REFER)
PLAIN = "hunter2-correct-horse"
REFERENCE = "vault:kv/apps/web#password"


@pytest.fixture
async def vault() -> AsyncIterator[FakeVault]:
    async with FakeVault("s.the-token").running() as made:
        made.secrets["apps/web"] = {"password": PLAIN}
        yield made


@pytest.fixture
async def rig(
    vault: FakeVault,
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Rig]:
    """The service with this Vault, and one variable that may be referred to."""
    for name, value in {
        "OPSJOB_SECRETS_ENV_NAMES": "DEPLOY_KEY",
        "OPSJOB_SECRETS_VAULT_URL": vault.url,
        "OPSJOB_SECRETS_VAULT_TOKEN": vault.token,
        "OPSJOB_SECRETS_VAULT_PATHS": "kv/apps",
        "OPSJOB_OUTBOUND_NETWORKS": "127.0.0.1/32",
        "OPSJOB_OUTBOUND_PORTS": str(vault.port),
        "OPSJOB_OUTBOUND_ALLOW_HTTP": "true",
        "DEPLOY_KEY": "from-the-environment",
    }.items():
        monkeypatch.setenv(name, value)
    async with running(database_url(service), redis_url, tmp_path) as made:
        made.neighbours.given.permissions[ANN.id] = list(MAY_REFER)
        yield made


def secret(reference: str) -> Message:
    return {"type": "secret", "reference": reference}


async def test_it_is_fetched_for_the_order_and_stored_nowhere(rig: Rig, vault: FakeVault) -> None:
    controls = Controls(rig)
    (agent,) = await connected(rig, 1)
    key = give_key(rig, agent)

    execution_id = await controls.run(
        [1],
        {"name": "one", "env": {"DSN": "postgres://app:${PASSWORD}@db"}},
        by=ANN,
        variables={"PASSWORD": secret(REFERENCE), "KEY": secret("env:DEPLOY_KEY")},
    )
    order = await controls.finish(agent)

    assert opened(key, order) == {
        "PASSWORD": PLAIN,
        "KEY": "from-the-environment",
        "DSN": f"postgres://app:{PLAIN}@db",
    }
    db = rig.app.state.database
    mine = select(ExecutionSecret.sealed).where(ExecutionSecret.name == "PASSWORD")
    sealed = await db.read(lambda tx: tx.session.scalar(mine))
    place = f"executions/{execution_id}/variables/PASSWORD"
    assert rig.app.state.runtime.seal("execution").open(sealed, place=place) == REFERENCE
    for file in rig.folder.rglob("*"):
        assert not file.is_file() or PLAIN.encode() not in file.read_bytes()
    shown = await rig.show(execution_id)
    assert PLAIN not in str(shown)


async def test_its_use_is_audited_without_its_value(rig: Rig) -> None:
    controls = Controls(rig)
    (agent,) = await connected(rig, 1)
    give_key(rig, agent)

    execution_id = await controls.run(
        [1], {"name": "one"}, by=ANN, variables={"P": secret(REFERENCE)}
    )
    await controls.finish(agent)

    db = rig.app.state.database
    rows = await db.read(lambda tx: tx.session.execute(select(outbox.c.body)).scalars().all())
    (told,) = [body for body in rows if '"secret.use"' in body]
    assert execution_id in told
    assert f"P = {REFERENCE}" in told
    assert not any(PLAIN in body for body in rows)


@pytest.mark.parametrize(
    ("reference", "status"),
    [("env:PATH", 422), ("file:/etc/passwd", 422), ("vault:kv/other#x", 422), ("what:x", 422)],
)
async def test_one_that_is_not_allowed_is_refused_before_anything_is_stored(
    rig: Rig, reference: str, status: int
) -> None:
    rig.agent()

    wanted = {"P": secret(reference)}
    answer = await Controls(rig).try_run([1], {"name": "one"}, by=ANN, variables=wanted)

    assert answer.status_code == status, answer.text
    assert answer.json()["content"]["error"] in ("secret_reference_not_allowed", "invalid")
    db = rig.app.state.database
    assert not await db.read(lambda tx: tx.session.execute(select(ExecutionSecret.name)).all())


async def test_one_that_cannot_be_had_is_the_reason_of_its_tasks(
    rig: Rig, vault: FakeVault
) -> None:
    controls = Controls(rig)
    (agent,) = await connected(rig, 1)
    give_key(rig, agent)
    vault.broken = (503, b"sealed")

    execution_id = await controls.run(
        [1], {"name": "one"}, by=ANN, variables={"P": secret(REFERENCE)}
    )
    await rig.until(execution_id, "failed")

    (task,) = await controls.tasks(execution_id)
    assert (task["status"], task["reason"]) == ("rejected", "secret_source_unavailable")


async def test_who_may_run_may_not_for_that_name_secrets(rig: Rig, vault: FakeVault) -> None:
    rig.agent()
    wanted = {"P": secret(REFERENCE), "OWN": {"type": "secret", "value": "typed-in"}}

    answer = await Controls(rig).try_run([1], {"name": "one"}, variables=wanted)

    assert answer.status_code == 403, answer.text
    content = answer.json()["content"]
    assert content["error"] == "secret_reference_forbidden"
    assert content["details"] == {"variables": ["P"], "permission": "secrets:reference"}
    db = rig.app.state.database
    assert not await db.read(lambda tx: tx.session.execute(select(ExecutionSecret.name)).all())


async def test_nobody_else_gets_a_secret_by_running_it_again(rig: Rig) -> None:
    controls = Controls(rig)
    (agent,) = await connected(rig, 1)
    give_key(rig, agent)
    execution_id = await controls.run(
        [1], {"name": "one"}, by=ANN, variables={"P": secret(REFERENCE)}
    )
    await controls.finish(agent)
    await rig.until(execution_id, "success")

    answer = await controls.post(f"{execution_id}/retry", by=operator(8), retry_type="full")

    assert answer.status_code == 403, answer.text
    assert answer.json()["content"]["error"] == "secret_reference_forbidden"


async def test_the_signer_hands_out_no_secret_to_who_lost_the_right(rig: Rig) -> None:
    controls = Controls(rig)
    (agent,) = await connected(rig, 1)
    give_key(rig, agent)
    rig.neighbours.given.permissions[ANN.id] = list(RUNNING)

    execution_id = await controls.run(
        [1], {"name": "one"}, by=ANN, variables={"P": secret(REFERENCE)}
    )
    await rig.until(execution_id, "failed")

    (task,) = await controls.tasks(execution_id)
    assert task["status"] == "rejected", task

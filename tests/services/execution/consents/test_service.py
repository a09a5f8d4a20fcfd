"""The signer looks at rules and approvals itself, so who writes into the rows starts nothing."""

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from libs.kit.db import Database, Transaction
from services.execution.app import service
from services.execution.consents.domain import digest
from services.execution.consents.repository import ConsentRepository
from services.execution.guards import CommandRule, Consent
from services.execution.models import Execution, Step, Task
from tests.support.database import Declared
from tests.support.execution import Rig, operator
from tests.support.waiting import eventually

RULES = "/api/executor/command_rules"
SCRIPT = "make coffee"
CALM = {"pause_reason": None, "paused_at": None, "status": "pending"}

Change = Callable[[Transaction], object]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is looked at again after a moment."""
    monkeypatch.setenv("OPSJOB_EXECUTION_APPROVAL_LOOK_SECONDS", "0.1")
    monkeypatch.setenv("OPSJOB_EXECUTION_SWEEP_SECONDS", "0.1")


@pytest.fixture
async def db(database_url: Callable[[Declared], str], rig: Rig) -> AsyncIterator[Database]:
    """The service's database, for what an intruder or a service that lies might write into it."""
    db = Database(database_url(service), name="intruder")
    await db.open()
    yield db
    await db.close()


async def rule(rig: Rig, **values: object) -> None:
    """A rule by which bob has to approve coffee."""
    whole = {"name": "Coffee", "pattern": "coffee", "action": "approve", "approver_ids": [11]}
    keeper = rig.headers(operator(8, "rules:read", "rules:write"))
    answer = await rig.http.post(RULES, json=whole | values, headers=keeper)
    assert answer.status_code == 201, answer.text


async def approved(rig: Rig) -> str:
    """An execution that was approved and waits for its host alone."""
    await rule(rig)
    execution_id = await rig.run(1, script_content=SCRIPT, args=["black"], env={"CUP": "big"})
    approval = await eventually(lambda: rig.neighbours.consulted.of(execution_id))
    assert approval is not None
    rig.neighbours.consulted.say(approval)
    await rig.until(execution_id, "pending")
    return execution_id


async def refused(rig: Rig, execution_id: str, reason: str) -> None:
    """The task ended without an order, and there is a security event that says why."""
    agent_id = (await rig.task(execution_id))["agent_id"]
    task = await rig.until_task(execution_id, status="rejected")
    assert task["reason"] == reason
    headers = rig.headers(operator(7, "agents:read"))

    async def told() -> list[dict[str, Any]]:
        answer = await rig.http.get(
            "/api/executor/security_events", headers=headers, params={"reason": f"order_{reason}"}
        )
        rows: list[dict[str, Any]] = answer.json()["content"]["results"]
        return rows

    events = await eventually(told)
    assert events[0]["task_id"] == task["id"], agent_id


def _script(tx: Transaction) -> None:
    text = SCRIPT + " "
    changed = {"script": text, "script_sha256": hashlib.sha256(text.encode()).hexdigest()}
    tx.execute(update(Step).values(**changed))


def _own_hash(tx: Transaction) -> None:
    """Changes the script and, as a service could that lies, what was approved with it."""
    _script(tx)
    (execution_id,) = tx.scalars(_ids()).all()
    content, _ = ConsentRepository(tx).content(execution_id)
    tx.execute(update(Consent).values(subject_hash=digest(content)))


def _ids() -> Any:
    return Execution.__table__.select().with_only_columns(Execution.id)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_script, "approval_void"),
        (lambda tx: tx.execute(update(Step).values(args=["blacK"])), "approval_void"),
        (lambda tx: tx.execute(update(Step).values(env={"CUP": "bigg"})), "approval_void"),
        (lambda tx: tx.execute(update(Step).values(run_as="postgres")), "approval_void"),
        (lambda tx: tx.execute(update(Execution).values(username="root")), "approval_void"),
        (lambda tx: tx.execute(update(Task).values(ip_address="10.9.9.9")), "approval_void"),
        (_own_hash, "approval_missing"),
        (lambda tx: tx.execute(delete(Consent)), "approval_missing"),
        (lambda tx: tx.execute(update(Consent).values(approver_ids=[12])), "approval_missing"),
    ],
)
async def test_s41_one_byte_changed_after_the_approval_voids_it(
    rig: Rig, db: Database, change: Change, reason: str
) -> None:
    agent = rig.agent(1)
    execution_id = await approved(rig)
    await db.write(lambda tx: (change(tx), None)[1])

    await rig.courier.connect(agent)

    await refused(rig, execution_id, reason)
    assert not await rig.courier.seen(agent, "offer")


async def test_s41_an_untouched_one_is_signed(rig: Rig) -> None:
    agent = rig.agent(1)
    await approved(rig)

    await rig.courier.connect(agent)

    assert (await rig.courier.start(agent))["args"] == ["black"]


@pytest.mark.parametrize("lie", ["approved", "own_vote", "no_rows", "no_rules"])
async def test_s41_a_service_that_lies_about_an_approval_starts_nothing(
    rig: Rig, db: Database, lie: str
) -> None:
    agent = rig.agent(1)
    await rule(rig)
    execution_id = await rig.run(1, script_content=SCRIPT)
    approval = await eventually(lambda: rig.neighbours.consulted.of(execution_id))
    assert approval is not None
    if lie == "own_vote":
        rig.neighbours.consulted.say(approval, user_id=7)

    def write(tx: Transaction) -> None:
        if lie == "no_rows":
            tx.execute(delete(Consent))
        if lie == "no_rules":
            tx.execute(delete(CommandRule))
        tx.execute(update(Consent).values(state="approved"))
        tx.execute(update(Execution).values(**CALM))
        tx.execute(update(Step).values(status="running", batch_no=1))
        tx.execute(update(Task).values(status="queued"))

    await db.write(write)
    await rig.courier.connect(agent)

    await refused(rig, execution_id, "approval_missing")
    assert not await rig.courier.seen(agent, "offer")


async def test_s16_the_signer_judges_the_text_that_each_host_is_given(rig: Rig) -> None:
    one, two = rig.agent(1), rig.agent(2)
    await rule(rig, name="Host 2", pattern="host-2", action="block", approver_ids=[])

    execution_id = await rig.run(1, 2, script_content="echo {{OPSJOB_HOST}}")
    for agent in (one, two):
        await rig.courier.connect(agent)

    assert (await rig.courier.start(one))["script"] == "echo host-1"

    async def ended() -> bool:
        steps: Any = (await rig.show(execution_id))["steps"]
        task = steps[0]["tasks"][1]
        return (task["status"], task["reason"]) == ("rejected", "command_blocked")

    await eventually(ended)
    assert not await rig.courier.seen(two, "offer")


async def test_s41_the_signer_looks_at_the_groups_of_hosts_itself(rig: Rig) -> None:
    """A host that was put into a protected group after the run was accepted."""
    agent = rig.agent(1)
    rig.neighbours.groups[5] = [1]
    await rule(rig, pattern_kind="anything", pattern="", host_group_ids=[5])
    execution_id = await rig.run(1, script_content="true")
    rig.neighbours.lines[1] = [5]

    await rig.courier.connect(agent)

    await refused(rig, execution_id, "approval_missing")


async def test_while_auth_is_silent_nothing_that_needs_approval_is_signed(rig: Rig) -> None:
    agent = rig.agent(1)
    execution_id = await approved(rig)
    rig.neighbours.consulted.down = True
    await rig.courier.connect(agent)

    async def was_offered() -> bool:
        return (await rig.task(execution_id))["status"] == "offered"

    await eventually(was_offered)
    assert not await rig.courier.seen(agent, "offer")
    rig.neighbours.consulted.down = False
    await rig.courier.connect(agent, again=True)
    await rig.courier.start(agent)

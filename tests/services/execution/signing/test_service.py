"""The signer: what it refuses, what forged reports change (nothing), and what they leave behind."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import SecretStr
from sqlalchemy import delete, update

from libs.contracts.agents import LOGS, RESULTS, STATUS
from libs.contracts.hosts import HostsClient
from libs.contracts.trust import checked, statement
from libs.kit import clock
from libs.kit.bus import BatchStream, StreamMark
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from services.execution.access.service import Actors
from services.execution.app import service
from services.execution.models import Step, Task
from services.execution.signing.domain import Asked, Expected, Pace, Signable
from services.execution.signing.repository import Counters, DecisionLog, check_log
from services.execution.signing.service import STANDING_SECONDS, Signing, Standing
from tests.support.courier import Agent, Message
from tests.support.database import Declared
from tests.support.execution import Rig, operator
from tests.support.waiting import eventually, later


async def events(rig: Rig, **query: str) -> list[dict[str, Any]]:
    """Security events, as somebody who may see agents sees them."""
    headers = rig.headers(operator(7, "agents:read"))
    answer = await rig.http.get("/api/executor/security_events", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["content"]["results"]
    return rows


async def event(rig: Rig, reason: str) -> dict[str, Any]:
    """The first event of a reason, once there is one."""
    found: list[dict[str, Any]] = await eventually(lambda: events(rig, reason=reason))
    return found[0]


async def status(rig: Rig, execution_id: str) -> str:
    """The state of an execution's only task."""
    return str((await rig.task(execution_id))["status"])


@pytest.fixture
async def db(database_url: Callable[[Declared], str], rig: Rig) -> AsyncIterator[Database]:
    """The service's database, for what an intruder might write into it."""
    db = Database(database_url(service), name="intruder")
    await db.open()
    yield db
    await db.close()


def signer_of(rig: Rig) -> Signing:
    """The signer of a service that signs by itself."""
    return cast("Signing", rig.app.state.provided[Signing])


# ---- what is signed -------------------------------------------------------------------------


async def test_an_order_a_grant_and_a_cancel_are_signed_by_a_certified_key(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    path = f"/api/executor/execution-records/{execution_id}/cancel"
    assert (await rig.http.post(path, headers=rig.headers())).status_code == 202
    await rig.courier.expect(agent, "cancel")

    said = checked((rig.folder / "trust" / "bundle.json").read_text())
    seen = rig.courier.signed
    assert {one["purpose"] for one in seen} == {"task.run", "task.grant", "task.cancel"}
    for one in seen:
        certificate = said.certificate(str(one["kid"]))
        assert certificate is not None
        key = base64.b64decode(certificate.public_key)
        payload = base64.b64decode(str(one["payload"]))
        content = json.loads(payload)
        assert (content["purpose"], content["agent_id"]) == (one["purpose"], agent.id)
        assert (content["task_id"], content["attempt"]) == (order["task_id"], 1)
        public = Ed25519PublicKey.from_public_bytes(key)
        public.verify(base64.b64decode(str(one["sig"])), statement(str(one["purpose"]), payload))


async def test_s7_nothing_is_signed_for_what_the_rows_do_not_say(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    task, invented = str(order["task_id"]), "00000000-0000-7000-8000-000000000000"
    signer = signer_of(rig)

    for asked, why in (
        (Asked(invented, 1), "unknown_task"),
        (Asked(task, 2), "unknown_task"),
    ):
        for do in (signer.orders, signer.grants, signer.cancels):
            batch = await do([asked])
            assert (dict(batch.frames), batch.refused[asked.task_id][0]) == ({}, why)
    assert (await signer.grants([Asked(task, 1)])).refused[task][0] == "other_state"
    assert (await signer.cancels([Asked(task, 1)])).refused[task][0] == "other_state"
    assert (await signer.orders([Asked(task, 1)])).frames.keys() == {task}


async def test_s7_an_edited_script_is_not_signed_and_the_task_ends(rig: Rig, db: Database) -> None:
    agent = rig.agent()
    execution_id = await rig.run(1)
    await db.write(lambda tx: tx.execute(update(Step).values(script="rm -rf /")))

    await rig.courier.connect(agent)

    task = await rig.until_task(execution_id, status="rejected")
    assert task["reason"] == "script_changed"
    assert not await rig.courier.seen(agent, "offer")


async def test_s35_the_signer_asks_about_the_person_itself(rig: Rig) -> None:
    agent = rig.agent()
    execution_id = await rig.run(1)
    rig.neighbours.inactive.add(7)

    with later(seconds=STANDING_SECONDS):
        await rig.courier.connect(agent)
        task = await rig.until_task(execution_id, status="rejected")

    assert task["reason"] == "actor_not_allowed"
    assert not await rig.courier.seen(agent, "offer")


class Forgetful:
    """Knows what it was told for one look at each pair, as if the answer grew old right then."""

    def __init__(self) -> None:
        self.told: set[tuple[int, int]] = set()

    def may(
        self, user_id: int, host_id: int, kind: str, run_as: str | None, *, refers: bool = False
    ) -> bool | None:
        """True once after every question."""
        pair = (user_id, host_id)
        known = pair in self.told
        self.told.discard(pair)
        return True if known else None

    async def ask(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Learn about these."""
        self.told |= set(pairs)


class Vouching(StandingClock):
    """Knows no agent, and says so after two seconds of its own time."""

    asked = 0

    async def agent_identities(self, agent_ids: Sequence[str]) -> dict[str, object]:
        """Nobody."""
        self.asked += 1
        self.advance(timedelta(seconds=2))
        return {}


async def test_an_answer_that_grows_old_meanwhile_is_no_refusal() -> None:
    standing = Standing(cast("Actors", Forgetful()), cast("HostsClient", Vouching(_moment(2026))))
    whose = {"user_id": 1, "agent_id": "a", "step_id": "s"}
    tasks = [cast("Signable", SimpleNamespace(id=f"t{n}", host_id=n, **whose)) for n in range(3)]
    steps = {"s": cast("Step", SimpleNamespace(kind="script", run_as=None))}

    assert await standing.check(tasks, steps) == {"t0": True, "t1": True, "t2": True}


async def test_an_answer_about_an_agent_is_as_old_as_its_question() -> None:
    hosts = Vouching(_moment(2026))
    standing = Standing(cast("Actors", Forgetful()), cast("HostsClient", hosts))
    before = clock.use(hosts)
    for _ in range(2):
        await standing.expect(Expected([], ["a"]))
        hosts.advance(timedelta(seconds=STANDING_SECONDS - 1))
    clock.use(before)
    assert hosts.asked == 2


async def test_an_agent_in_quarantine_gets_no_order(rig: Rig) -> None:
    agent = rig.agent()
    execution_id = await rig.run(1)
    rig.neighbours.quarantined.add(agent.id)

    with later(seconds=STANDING_SECONDS):
        await rig.courier.connect(agent)
        task = await rig.until_task(execution_id, status="rejected")

    assert task["reason"] == "agent_not_active"


@pytest.mark.parametrize("down", ["auth", "hosts"])
async def test_s58_while_nobody_vouches_nothing_is_signed(rig: Rig, down: str) -> None:
    agent = rig.agent()
    rig.neighbours.hosts[1] = agent.target() | {"agent_status": "offline"}
    execution_id = await rig.run(1)
    rig.neighbours.down.add(down)
    with later(seconds=STANDING_SECONDS):
        await rig.courier.connect(agent)
        signer = signer_of(rig)
        await eventually(lambda: _is_offered(rig, execution_id))
        assert not await rig.courier.seen(agent, "offer")

        rig.neighbours.down.clear()
        task_id = str((await rig.task(execution_id))["id"])
        assert (await signer.orders([Asked(task_id, 1)])).frames


async def _is_offered(rig: Rig, execution_id: str) -> bool:
    return await status(rig, execution_id) == "offered"


# ---- forged reports -------------------------------------------------------------------------


async def running(rig: Rig) -> tuple[Agent, str, Message]:
    """An agent with a running task."""
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")
    return agent, execution_id, order


async def test_s8_a_result_with_another_key_changes_nothing_and_is_reported(rig: Rig) -> None:
    agent, execution_id, order = await running(rig)

    await rig.courier.result(agent, order, key=Ed25519PrivateKey.generate())

    found = await event(rig, "result_bad_signature")
    assert (found["agent_id"], found["task_id"]) == (agent.id, order["task_id"])
    assert await status(rig, execution_id) == "running"
    await rig.courier.result(agent, order)
    await rig.until_task(execution_id, status="success")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agent_id": "agent-9"}, "result_not_its_agent"),
        ({"task_id": "another"}, "result_not_its_task"),
        ({"attempt": 2}, "result_not_its_task"),
        ({"outcome": "perfect"}, "result_bad_payload"),
    ],
)
async def test_s8_a_signed_result_about_something_else_changes_nothing(
    rig: Rig, changes: dict[str, Any], reason: str
) -> None:
    agent, execution_id, order = await running(rig)

    await rig.courier.result(agent, order, **changes)

    await event(rig, reason)
    assert await status(rig, execution_id) == "running"


async def test_s10_reports_about_the_task_of_another_agent_change_nothing(rig: Rig) -> None:
    _, execution_id, order = await running(rig)
    other = rig.agent(2)
    await rig.courier.connect(other)

    await rig.courier.say(other, "reject", order, reason="cancelled", detail="")
    await rig.courier.say(other, "claim", order)
    await rig.courier.result(other, order)

    found = await event(rig, "report_for_other_agent")
    await event(rig, "result_not_its_task")
    assert found["agent_id"] == other.id
    assert await status(rig, execution_id) == "running"


@pytest.mark.parametrize("stream", [RESULTS, LOGS, STATUS])
async def test_whoever_owns_redis_can_invent_nothing(rig: Rig, stream: str) -> None:
    """Rejections, claims, empty journals and output without a mark: nothing moves."""
    agent, execution_id, order = await running(rig)
    about = {key: order[key] for key in ("task_id", "attempt", "execution_id")}
    session = {"agent_id": agent.id, "boot_id": "boot-9", "session_id": "session-9"}
    forged: dict[str, list[Message]] = {
        RESULTS: [
            {**about, **session, "t": "reject", "reason": "cancelled", "detail": ""},
            {**about, **session, "t": "claim"},
        ],
        STATUS: [{**session, "t": "connected", "gateway_id": "g", "hello": {}, "tasks": []}],
        LOGS: [
            {**about, "agent_id": agent.id, "t": "output", "stream": "stdout", "seq": 0}
            | {"offset": 0, "length": 4, "data": b"evil"}
        ],
    }

    for mark in (None, StreamMark(SecretStr("another secret: 0123456789abcdefghijklmnop"))):
        await BatchStream.append(rig.courier.redis, stream, forged[stream], 1000, "gateway-1", mark)

    found = await event(rig, "stream_entry_forged")
    assert stream in found["detail"]
    assert await status(rig, execution_id) == "running"
    assert not await rig.courier.seen(agent, "ack")
    await rig.courier.result(agent, order)
    await rig.until_task(execution_id, status="success")


async def test_what_an_agent_refused_is_stored_and_bounded(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)

    async with rig.courier.together():
        for number in range(150):
            await rig.courier.say(
                agent,
                "security",
                {"task_id": "t", "attempt": 1},
                detail=str(number),
                reason="bad_signature",
                count=3,
            )

    found = await event(rig, "bad_signature")
    assert (found["source"], found["count"], found["agent_id"]) == ("agent", 3, agent.id)
    assert len(await events(rig, page_size="200")) == 100


async def test_security_events_need_the_right_to_see_agents(rig: Rig) -> None:
    answer = await rig.http.get("/api/executor/security_events", headers=rig.headers())

    assert answer.status_code == 403


# ---- keys and the log ------------------------------------------------------------------------


def test_control_orders_are_numbered_upwards_also_after_a_restart(tmp_path: Path) -> None:
    first = Counters(tmp_path / "counter")
    before = [first.next(_moment(2026)) for _ in range(3)]

    again = Counters(tmp_path / "counter")
    after = [again.next(_moment(2025)) for _ in range(3)]

    assert before == sorted(set(before))
    assert after == sorted(set(after))
    assert min(after) > max(before)


def _moment(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("change", ["edit", "drop", "swap", "insert"])
def test_the_log_of_decisions_shows_every_change(tmp_path: Path, change: str) -> None:
    path = tmp_path / "decisions.log"
    for number in range(3):
        DecisionLog(path).add({"number": number})
    DecisionLog(path).add({"number": 3})
    assert check_log(path) == (4, None)
    lines = path.read_text().splitlines()
    changed = {
        "edit": [lines[0], lines[1].replace('"number":1', '"number":7'), *lines[2:]],
        "drop": [lines[0], *lines[2:]],
        "swap": [lines[0], lines[2], lines[1], lines[3]],
        "insert": [lines[0], lines[0], *lines[1:]],
    }[change]

    path.write_text("\n".join(changed) + "\n")

    assert check_log(path)[1] == f"{path}:2"


def test_so_many_a_minute_are_signed() -> None:
    pace = Pace(10)
    pace.took(7, 0.0)

    assert pace.room(30.0) == 3
    assert pace.room(60.0) == 10
    assert Pace(0).room(0.0) > 10**6


async def test_a_deleted_row_is_no_row(rig: Rig, db: Database) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    await db.write(lambda tx: tx.execute(delete(Task)))

    batch = await signer_of(rig).orders([Asked(str(order["task_id"]), 1)])

    assert not batch.frames

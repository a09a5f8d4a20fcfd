"""What accounting costs: the record of a run, a refusal, a link of the chain, and its proof.

`make bench ONLY=audit`. A run has one record, whatever the number of its hosts; it is made and
stored with the run's own transaction. Chain and proof are on SQLite in a temporary folder.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, insert

from bench.report import Figure
from libs.contracts.audit import Audited, audited
from libs.contracts.hosts import AgentPresence, HostTarget
from libs.kit.acting import arrived, left, recognised
from libs.kit.db import Database, Transaction
from libs.kit.db.tables import outbox
from libs.kit.refusals import Refusal, Refusals
from services.auth.audit.service import AuditLog, Inspection
from services.auth.models import Base
from services.execution.plans.domain import Plan, StepPlan, accounted

RUNS = 2_000
RECORDS = 2_000
ROUNDS = 5
HOSTS = 50


def _host(number: int) -> HostTarget:
    return HostTarget(
        host_id=number,
        name=f"web-{number}",
        ip_address="192.0.2.1",
        agent_id=f"{number:032x}",
        agent_status=AgentPresence.ONLINE,
        public_key="A" * 44,
        identity_epoch=1,
    )


def _plan() -> Plan:
    hosts = [_host(number) for number in range(HOSTS)]
    return Plan("Deploy the shop", [StepPlan("deploy", script="echo hello\n" * 50, hosts=hosts)])


def _run_fact(plan: Plan) -> Audited:
    return audited(
        "execution.run",
        kind="execution",
        id="0198a4be-0000-7000-8000-000000000001",
        name=plan.name,
        after=accounted(plan),
    ).stamped("trace")


def _row(fact: Audited, tx: Transaction) -> dict[str, object]:
    return {
        "event_id": fact.event_id,
        "topic": fact.topic,
        "type": fact.type,
        "body": fact.model_dump_json(),
        "created_at": tx.now,
    }


def _microseconds(work: Callable[[], object], count: int) -> float:
    times: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            work()
        times.append((time.process_time() - began) / count * 1_000_000)
    return median(times)


async def _stored(folder: Path, count: int) -> tuple[float, float, float]:
    """Microseconds for an outbox row of a run; records a second into the chain and through it."""
    file = folder / "auth.db"
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    engine.dispose()
    db = Database(f"sqlite:///{file}", name="auth")
    await db.open()
    try:
        plan = _plan()

        def emit(tx: Transaction) -> float:
            rows = [_row(_run_fact(plan), tx) for _ in range(count)]
            began = time.process_time()
            for row in rows:
                tx.execute(insert(outbox), [row])
            return (time.process_time() - began) / count * 1_000_000

        row = await db.write(emit)
        records = AuditLog(db)
        facts = [_run_fact(plan) for _ in range(count)]
        began = time.perf_counter()
        for fact in facts:
            await records.record(fact)
        appended = count / (time.perf_counter() - began)
        began = time.perf_counter()
        found = await Inspection(db).verify([], None, complete=True)
        if found.finding is not None or found.count != count:
            raise RuntimeError("the chain is not whole")
        return row, appended, count / (time.perf_counter() - began)
    finally:
        await db.close()


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """`n` is how many records; there are no peers here."""
    count = n or RECORDS
    plan = _plan()
    token = arrived("execution", "192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64)")
    recognised(7, "mia", "user")
    made = _microseconds(lambda: _run_fact(plan).model_dump_json(), n or RUNS)
    refusals = Refusals()
    noted = _microseconds(lambda: refusals.note(Refusal("access.denied", "forbidden")), n or RUNS)
    with tempfile.TemporaryDirectory() as folder:
        row, appended, proved = asyncio.run(_stored(Path(folder), count))
    left(token)
    yield Figure("audit_record_of_a_run", round(made, 1), "us/run", (n or RUNS) * ROUNDS)
    yield Figure("audit_outbox_row", round(row, 1), "us/run", count)
    yield Figure("audit_refusal_noted", round(noted, 2), "us/refusal", (n or RUNS) * ROUNDS)
    yield Figure("audit_chain_append", round(appended), "records/s", count)
    yield Figure("audit_chain_verify", round(proved), "records/s", count)

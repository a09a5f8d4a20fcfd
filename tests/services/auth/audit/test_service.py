"""The audit log in the database: one chain, and whatever somebody does to its rows is found."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from libs.contracts.audit import Audited, audited
from libs.kit.clock import StandingClock
from libs.kit.db import Database, Transaction
from services.auth.audit.domain import Finding
from services.auth.audit.repository import CheckpointFile, audit_head, audit_records
from services.auth.audit.schemas import AuditListQuery
from services.auth.audit.service import AuditLog, Checkpoints, Inspection, Retention
from services.auth.settings import AuditSettings
from tests.services.auth.conftest import time as time

__all__ = ["time"]


def fact(number: int = 0) -> Audited:
    said = audited("host.update", kind="host", id=number, name=f"web-{number}", after={"n": number})
    return said.stamped("trace")


async def fill(records: AuditLog, count: int) -> None:
    for number in range(count):
        await records.record(fact(number))


async def finding(
    inspection: Inspection, file: CheckpointFile, *, complete: bool = True
) -> Finding | None:
    found = await inspection.verify(file.read(), file.public_key(), complete=complete)
    return found.finding


async def test_records_are_linked_in_the_order_in_which_they_come(
    records: AuditLog, inspection: Inspection
) -> None:
    await fill(records, 12)

    found = await inspection.verify([], None, complete=True)

    assert found.finding is None
    assert (found.count, found.first_seq, found.last_seq) == (12, 1, 12)
    shown, _ = await records.page(AuditListQuery())
    assert [one.object_id for one in shown] == [str(n) for n in reversed(range(12))]


async def test_a_fact_that_comes_twice_is_recorded_once(
    records: AuditLog, inspection: Inspection
) -> None:
    one = fact()
    await records.record(one)
    await fill(records, 2)
    await records.record(one)

    assert (await inspection.verify([], None, complete=True)).count == 3


async def test_writers_at_the_same_moment_make_one_chain(
    records: AuditLog, inspection: Inspection
) -> None:
    await asyncio.gather(*(records.record(fact(number)) for number in range(40)))

    found = await inspection.verify([], None, complete=True)

    assert found.finding is None
    assert found.last_seq == 40


async def test_texts_beyond_their_columns_are_cut_and_verify(
    records: AuditLog, inspection: Inspection
) -> None:
    long = fact().model_copy(update={"action": "a" * 300, "object_name": "\N{SNOWMAN}" * 500})
    await records.record(long)

    assert (await inspection.verify([], None, complete=True)).finding is None
    assert len((await records.one(1)).action) == 64


def _change(tx: Transaction) -> None:
    tx.execute(update(audit_records).where(audit_records.c.seq == 4).values(actor_name="nobody"))


def _remove(tx: Transaction) -> None:
    tx.execute(delete(audit_records).where(audit_records.c.seq == 4))


def _remove_first(tx: Transaction) -> None:
    tx.execute(delete(audit_records).where(audit_records.c.seq == 1))


def _truncate(tx: Transaction) -> None:
    tx.execute(delete(audit_records).where(audit_records.c.seq > 6))


def _swap(tx: Transaction) -> None:
    move = update(audit_records)
    tx.execute(move.where(audit_records.c.seq == 4).values(seq=1000))
    tx.execute(move.where(audit_records.c.seq == 5).values(seq=4))
    tx.execute(move.where(audit_records.c.seq == 1000).values(seq=5))


def _insert(tx: Transaction) -> None:
    row = tx.execute(select(audit_records).where(audit_records.c.seq == 8)).one()._asdict()
    tx.execute(insert(audit_records).values({**row, "seq": 9, "event_id": "forged"}))


def _empty(tx: Transaction) -> None:
    tx.execute(delete(audit_records))


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        *((_change, 4), (_remove, 4), (_remove_first, 1), (_truncate, 7)),
        *((_swap, 4), (_insert, 9), (_empty, 1)),
    ],
)
async def test_what_is_done_to_the_rows_is_found_at_the_first_bad_record(
    db: Database, records: AuditLog, inspection: Inspection, tamper: object, seq: int
) -> None:
    await fill(records, 8)
    await db.write(tamper)  # type: ignore[arg-type]  # one of the functions above

    found = await inspection.verify([], None, complete=True)

    assert found.finding is not None
    assert found.finding.seq == seq


async def test_a_cut_that_also_moves_the_head_is_found_by_the_checkpoint(
    db: Database,
    records: AuditLog,
    checkpoints: Checkpoints,
    file: CheckpointFile,
    inspection: Inspection,
) -> None:
    await fill(records, 8)
    await checkpoints.write()

    def cut(tx: Transaction) -> None:
        _truncate(tx)
        last = tx.execute(select(audit_records.c.hash).where(audit_records.c.seq == 6)).scalar()
        tx.execute(update(audit_head).values(seq=6, hash=last, checkpoint_seq=0))

    await db.write(cut)

    assert (await inspection.verify([], None, complete=True)).finding is None
    assert await finding(inspection, file) == Finding(7, "it is missing")


async def test_a_deleted_file_of_checkpoints_is_missed(
    records: AuditLog, checkpoints: Checkpoints, file: CheckpointFile, inspection: Inspection
) -> None:
    await fill(records, 3)
    await checkpoints.write()
    file.path.unlink()

    found = await finding(inspection, file)

    assert found == Finding(0, "there was a checkpoint of record 3; it is missing")


async def test_checkpoints_are_due_by_number_and_by_time(
    records: AuditLog,
    checkpoints: Checkpoints,
    file: CheckpointFile,
    inspection: Inspection,
    time: StandingClock,
) -> None:
    assert await checkpoints.write_due() is None, "an empty chain has nothing to sign"
    await fill(records, 1)
    assert await checkpoints.write_due() is not None
    assert await checkpoints.write_due() is None, "nothing is new"
    await fill(records, 4)
    assert await checkpoints.write_due() is None
    await fill(records, 1)
    assert await checkpoints.write_due() is not None
    await fill(records, 1)
    time.advance(timedelta(seconds=61))
    assert await checkpoints.write_due() is not None

    assert [one.seq for one in file.read()] == [1, 6, 7]
    assert await finding(inspection, file) is None


async def test_one_replica_writes_checkpoints(
    db: Database,
    records: AuditLog,
    checkpoints: Checkpoints,
    file: CheckpointFile,
    audit_settings: AuditSettings,
) -> None:
    other = Checkpoints(db, file=file, settings=audit_settings, holder="two")
    await fill(records, 1)

    assert await checkpoints.write() is not None
    assert await other.write() is None


async def test_the_signing_key_is_for_its_owner_alone(
    records: AuditLog, checkpoints: Checkpoints, file: CheckpointFile
) -> None:
    await fill(records, 1)
    await checkpoints.write()

    private = file.path.parent / "checkpoints.key"
    assert private.stat().st_mode & 0o777 == 0o600
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert (
        file.key().private_bytes_raw() == CheckpointFile(file.path.parent).key().private_bytes_raw()
    )


async def test_old_records_go_and_the_rest_still_verifies(
    db: Database,
    records: AuditLog,
    retention: Retention,
    checkpoints: Checkpoints,
    file: CheckpointFile,
    inspection: Inspection,
    time: StandingClock,
) -> None:
    await fill(records, 6)
    await checkpoints.write()
    assert await retention.prune() == 0
    time.advance(timedelta(days=31))
    await fill(records, 3)

    assert await retention.prune() == 6
    assert await retention.prune() == 0

    found = await inspection.verify(file.read(), file.public_key(), complete=True)
    assert found.finding is None
    assert (found.first_seq, found.last_seq, found.count) == (7, 10, 4)
    assert (await records.one(10)).action == "audit.prune"
    assert file.read()[-1].seq == 10

    await db.write(lambda tx: tx.execute(delete(audit_records).where(audit_records.c.seq == 7)))
    assert (await finding(inspection, file)) is not None


async def test_pruning_everything_leaves_the_record_that_says_so(
    db: Database,
    records: AuditLog,
    retention: Retention,
    inspection: Inspection,
    time: StandingClock,
    file: CheckpointFile,
) -> None:
    await fill(records, 4)
    time.advance(timedelta(days=31))

    assert await retention.prune() == 4

    count = select(func.count()).select_from(audit_records)
    assert await db.read(lambda tx: tx.scalar(count)) == 1
    assert await finding(inspection, file) is None

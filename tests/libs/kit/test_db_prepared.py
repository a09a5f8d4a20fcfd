"""Statements that are made once: the same values there and back, undone and seen like others."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, func, insert, select, update

from libs.kit.db import Database, Prepared, Transaction
from libs.kit.db.tables import dead_letters, inbox
from libs.kit.errors import Conflict
from libs.kit.ids import new_id
from tests.libs.kit.things import Thing, Things

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
REMEMBER = Prepared(insert(inbox))
MOMENTS = Prepared(
    select(inbox.c.event_id, inbox.c.handled_at, func.length(inbox.c.consumer))
    .where(inbox.c.consumer == bindparam("who"))
    .order_by(inbox.c.event_id)
)
BURY = Prepared(insert(dead_letters))
BURIED = Prepared(select(dead_letters.c.event_id, dead_letters.c.replayed_at))
RENAME = Prepared(
    update(Thing).where(Thing.id == bindparam("thing")).values(name=bindparam("new_name"))
)
NAMED = Prepared(
    lambda among: select(Thing.id, Thing.name).where(among(Thing.name, "names")).order_by(Thing.id)
)


def remembered(who: str, *events: str, at: datetime = AT) -> list[dict[str, object]]:
    return [{"consumer": who, "event_id": event, "handled_at": at} for event in events]


async def names(db: Database, *wanted: str) -> list[str]:
    rows = await db.read(lambda tx: tx.rows(NAMED, {"names": list(wanted)}))
    return [row.name for row in rows]


async def test_values_come_back_as_the_columns_mean_them(db: Database) -> None:
    await db.write(lambda tx: tx.run(REMEMBER, remembered("it's me", "a", "b")))
    await db.write(lambda tx: tx.run(REMEMBER, remembered("it's me", "c")))
    await db.write(lambda tx: tx.run(REMEMBER, []))

    rows = await db.read(lambda tx: tx.rows(MOMENTS, {"who": "it's me"}))

    assert [tuple(row) for row in rows] == [("a", AT, 7), ("b", AT, 7), ("c", AT, 7)]
    assert rows[0].handled_at == AT
    assert await db.read(lambda tx: tx.first(MOMENTS, {"who": "nobody"})) is None


async def test_each_of_many_rows_has_its_own_values(db: Database) -> None:
    later = AT + timedelta(hours=1)
    rows = [row for at in (AT, later, AT) for row in remembered("me", new_id(), at=at)]
    await db.write(lambda tx: tx.run(REMEMBER, rows))

    found = await db.read(lambda tx: tx.rows(MOMENTS, {"who": "me"}))

    assert [row[:2] for row in found] == [(row["event_id"], row["handled_at"]) for row in rows]


async def test_nothing_is_told_from_an_empty_text(db: Database) -> None:
    row = {"consumer": "c", "topic": "t", "type": "x", "body": "", "reason": "", "deliveries": 5}
    more = {"created_at": AT, "event_id": "e", "replayed_at": None}
    await db.write(lambda tx: tx.run(BURY, [row | more]))

    found = await db.read(lambda tx: tx.first(BURIED, {}))

    assert (found.event_id, found.replayed_at) == ("e", None)


async def test_a_list_may_have_any_length(db: Database, things: Things) -> None:
    for name in ("a", 'b"', "c"):
        await things.make(name)

    assert await names(db) == []
    assert await names(db, 'b"') == ['b"']
    assert await names(db, "c", "a", "a", "z") == ["a", "c"]


async def test_it_shares_the_transaction_with_everything_else(db: Database, things: Things) -> None:
    thing = await things.make("a")

    def both(tx: Transaction) -> list[str]:
        tx.run(RENAME, [{"thing": thing.id, "new_name": "b"}])
        seen = [row.name for row in tx.session.execute(select(Thing.name))]
        tx.add(Thing(name="c"))
        tx.flush()
        return [*seen, *(row.name for row in tx.rows(NAMED, {"names": ["b", "c"]}))]

    assert await db.write(both) == ["b", "b", "c"]
    assert await names(db, "a", "b", "c") == ["b", "c"]


@pytest.mark.parametrize("others", [0, 3])
async def test_what_raises_undoes_its_own_statements_alone(
    db: Database, things: Things, others: int
) -> None:
    thing = await things.make("a")

    def wrong(tx: Transaction) -> None:
        tx.run(RENAME, [{"thing": thing.id, "new_name": "wrong"}])
        tx.run(REMEMBER, remembered("wrong", "same", "same"))

    def right(number: int) -> Callable[[Transaction], None]:
        return lambda tx: tx.run(REMEMBER, remembered("right", str(number)))

    results = await asyncio.gather(
        *(db.write(right(number)) for number in range(others)),
        db.write(wrong),
        *(db.write(right(others + number)) for number in range(others)),
        return_exceptions=True,
    )

    assert [type(one) for one in results if one is not None] == [Conflict]
    assert await names(db, "a", "wrong") == ["a"]
    assert len(await db.read(lambda tx: tx.rows(MOMENTS, {"who": "right"}))) == 2 * others
    assert await db.read(lambda tx: tx.rows(MOMENTS, {"who": "wrong"})) == []

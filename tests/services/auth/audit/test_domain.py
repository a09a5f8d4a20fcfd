"""The chain as arithmetic: whatever is done to it afterwards is found, and the untouched passes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.auth.audit.domain import (
    GENESIS,
    Checkpoint,
    Finding,
    Head,
    Record,
    Unreadable,
    Verification,
    checkpoint_of,
    read_checkpoints,
)

AT = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()


def record(seq: int, prev_hash: str, **changes: object) -> Record:
    bare = Record(
        seq=seq,
        prev_hash=prev_hash,
        event_id=f"event-{seq}",
        occurred_at=AT + timedelta(seconds=seq),
        recorded_at=AT + timedelta(seconds=seq, milliseconds=1),
        actor_id=seq % 3,
        actor_name=f"user-{seq % 3}",
        actor_kind="user",
        action="host.update",
        object_type="host",
        object_id=str(seq),
        object_name=f"web-{seq}",
        outcome="success",
        address="192.0.2.1",
        user_agent="curl",
        request_id=f"request-{seq}",
        trace_id="",
        detail="",
        before='{"port":22}',
        after='{"port":2222}',
        repeats=1,
    )
    linked = replace(bare, **changes)  # type: ignore[arg-type]  # whatever a test changes
    return replace(linked, hash=linked.digest())


def chain(length: int, *, first: int = 1, prev_hash: str = GENESIS) -> list[Record]:
    records: list[Record] = []
    for seq in range(first, first + length):
        records.append(record(seq, prev_hash))
        prev_hash = records[-1].hash
    return records


def head_of(records: list[Record], *, checkpoint_seq: int = 0) -> Head:
    last = records[-1]
    return Head("chain-1", last.seq, last.hash, checkpoint_seq, None)


def signed(records: list[Record], *, key: Ed25519PrivateKey = KEY) -> Checkpoint:
    return checkpoint_of(head_of(records), key, AT)


def verified(
    records: list[Record],
    head: Head | None,
    checkpoints: list[Checkpoint] | None = None,
    *,
    complete: bool = True,
) -> Finding | None:
    found = Verification(checkpoints or [], KEY.public_key(), complete=complete)
    found.begin(head)
    for one in records:
        if not found.feed(one):
            break
    return found.end(head)


def test_an_untouched_chain_passes() -> None:
    records = chain(20)

    assert verified(records, head_of(records)) is None
    assert verified([], None) is None


_CHANGES: list[dict[str, object]] = [
    {"actor_id": 99},
    {"actor_name": "nobody"},
    {"action": "host.read"},
    {"object_id": "77"},
    {"outcome": "denied"},
    {"address": "192.0.2.9"},
    {"request_id": ""},
    {"before": None},
    {"after": "{}"},
    {"detail": "x"},
    {"repeats": 2},
    {"occurred_at": AT},
    {"recorded_at": AT},
    {"event_id": "other"},
    {"trace_id": "t"},
    {"user_agent": "x"},
    {"object_name": "x"},
    {"object_type": "x"},
    {"actor_kind": "x"},
]


@pytest.mark.parametrize("change", _CHANGES, ids=lambda change: next(iter(change)))
def test_every_field_of_a_record_is_covered(change: dict[str, object]) -> None:
    records = chain(9)
    head = head_of(records)
    records[4] = replace(records[4], **change)  # type: ignore[arg-type]  # as above

    assert verified(records, head) == Finding(5, "its content is not what was recorded")


@given(st.integers(2, 12), st.data())
def test_whatever_is_done_to_one_place_is_found(length: int, data: st.DataObject) -> None:
    records = chain(length)
    head = head_of(records)
    at = data.draw(st.integers(0, length - 1))
    how = data.draw(st.sampled_from(["delete", "insert", "swap", "rehash", "truncate"]))
    if how == "delete":
        del records[at]
    elif how == "insert":
        forged = record(records[at].seq + 1, records[at].hash, action="forged")
        records.insert(at + 1, forged)
    elif how == "swap":
        with_next = min(at, length - 2)
        one, two = records[with_next], records[with_next + 1]
        records[with_next] = replace(two, seq=one.seq)
        records[with_next + 1] = replace(one, seq=two.seq)
    elif how == "rehash":
        changed = replace(records[at], action="forged")
        records[at] = replace(changed, hash=changed.digest())
    else:
        del records[at:]

    assert verified(records, head) is not None


@given(st.integers(3, 12), st.data())
def test_a_chain_that_was_rewritten_as_a_whole_is_found_by_a_checkpoint(
    length: int, data: st.DataObject
) -> None:
    records = chain(length)
    checkpoint = signed(records[: data.draw(st.integers(2, length))])
    at = data.draw(st.integers(0, checkpoint.seq - 1))
    forged = records[:at]
    for old in records[at:]:
        prev_hash = forged[-1].hash if forged else GENESIS
        changed = replace(old, prev_hash=prev_hash, actor_name="nobody")
        forged.append(replace(changed, hash=changed.digest()))

    assert verified(forged, head_of(forged)) is None, "without checkpoints nobody can tell"
    assert verified(forged, head_of(forged), [checkpoint]) == Finding(
        checkpoint.seq, "it differs from the signed checkpoint"
    )


def test_a_tail_cut_together_with_the_head_is_found_by_a_checkpoint() -> None:
    records = chain(8)
    checkpoint = signed(records)
    cut = records[:5]

    assert verified(cut, head_of(cut), [checkpoint]) == Finding(6, "it is missing")
    assert verified([], None, [checkpoint]) == Finding(1, "it is missing")


def test_checkpoints_that_were_taken_away_are_missed() -> None:
    records = chain(4)

    found = verified(records, head_of(records, checkpoint_seq=4), [])
    exported = verified(records, head_of(records, checkpoint_seq=4), [], complete=False)

    assert found == Finding(0, "there was a checkpoint of record 4; it is missing")
    assert exported is None


def changed(text: str) -> str:
    """Another text of the same length, whatever its characters are."""
    return text[:-5] + ("1" if text[-5] == "0" else "0") + text[-4:]


@pytest.mark.parametrize("field", ["seq", "hash", "at", "chain", "sig", "key"])
def test_a_checkpoint_that_was_changed_is_refused(field: str) -> None:
    records = chain(4)
    good = signed(records)
    value: object = 3 if field == "seq" else changed(getattr(good, field))
    bad = replace(good, **{field: value})  # type: ignore[arg-type]  # as above
    if field == "chain":
        bad = replace(good, chain="chain-2")

    found = verified(records, head_of(records), [bad])

    assert found is not None
    assert found.seq == 0


def test_a_checkpoint_signed_by_another_key_is_refused() -> None:
    records = chain(4)

    found = verified(records, head_of(records), [signed(records, key=OTHER)])

    assert found == Finding(0, "the checkpoint of record 4 is signed by another key")


def test_what_is_left_after_pruning_verifies_from_its_anchor() -> None:
    records = chain(6)
    anchor = record(
        7,
        records[-1].hash,
        action="audit.prune",
        after=json.dumps({"through": 4, "digest": records[3].hash}),
    )
    left = [*records[4:], anchor]

    assert verified(left, head_of(left), [signed(records[:3])]) is None
    assert verified(left[:2], head_of(left[:2])) == Finding(
        4, "it is missing, and no record says that it was removed"
    )
    assert verified(left[1:], head_of(left)) == Finding(
        5, "it is missing, and no record says that it was removed"
    )


def test_checkpoints_survive_their_file() -> None:
    made = [signed(chain(3)), signed(chain(5))]

    assert read_checkpoints([made[0].line(), "", made[1].line()]) == made


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"seq":1}', '{"chain":1,"seq":1,"hash":"","at":"","key":"","sig":""}', "1"]
)
def test_a_line_that_is_no_checkpoint_is_refused(line: str) -> None:
    with pytest.raises(Unreadable, match="line 1"):
        read_checkpoints([line])

"""Content appears whole or not at all, and only under its own checksum."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from pydantic import SecretStr

from libs.kit.artifacts import (
    BlobMissing,
    DiskStore,
    DraftBusy,
    Drafts,
    FileTickets,
    Ticket,
    WrongOffset,
)
from libs.kit.errors import Unauthenticated

CONTENT = b"content of a file " * 5_000
SHA = hashlib.sha256(CONTENT).hexdigest()
SECRET = SecretStr("a secret of the platform with 32 characters")


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    return Drafts(tmp_path / "drafts")


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "blobs")


def filled(drafts: Drafts, name: str = "one") -> Path:
    with drafts.append_at(name, 0) as draft:
        draft.write(CONTENT)
    return drafts.path(name)


def test_what_is_kept_is_found_by_its_checksum(drafts: Drafts, store: DiskStore) -> None:
    store.keep(filled(drafts), SHA)

    with store.open(SHA) as blob:
        assert blob.size == len(CONTENT)
        assert blob.read(10, 20) == CONTENT[10:30]
    assert store.size_of(SHA) == len(CONTENT)


def test_keeping_the_same_content_twice_is_the_same_as_once(
    drafts: Drafts, store: DiskStore
) -> None:
    store.keep(filled(drafts, "one"), SHA)
    store.keep(filled(drafts, "two"), SHA)
    drafts.discard("one")
    drafts.discard("two")

    assert store.size_of(SHA) == len(CONTENT)


def test_content_that_is_removed_is_gone_for_new_readers_only(
    drafts: Drafts, store: DiskStore
) -> None:
    store.keep(filled(drafts), SHA)
    drafts.discard("one")
    with store.open(SHA) as blob:
        store.remove(SHA)
        store.remove(SHA)

        assert blob.read(0, 7) == CONTENT[:7]
    assert store.size_of(SHA) is None
    with pytest.raises(BlobMissing):
        store.open(SHA)


@pytest.mark.parametrize("name", ["../x", "", "A" * 64, "a" * 63, "a" * 63 + "/", "..%00/x", "."])
def test_only_a_checksum_names_content(store: DiskStore, name: str) -> None:
    """B103: nothing that a person wrote is a path of the server."""
    with pytest.raises(BlobMissing):
        store.open(name)
    with pytest.raises(BlobMissing):
        store.size_of(name)


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "a\0b", "a" * 129])
def test_only_names_of_ours_are_drafts(drafts: Drafts, name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the name itself is the message
        drafts.append_at(name, 0)


@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_a_draft_is_hashed_on_the_way(drafts: Drafts, pieces: int) -> None:
    step = len(CONTENT) // pieces + 1
    for offset in range(0, len(CONTENT), step):
        with drafts.append_at("one", offset) as draft:
            draft.write(CONTENT[offset : offset + step])

    assert drafts.digests_of("one") == [SHA]


@pytest.mark.parametrize("is_other", [False, True])
def test_a_draft_has_several_checksums_at_once(tmp_path: Path, is_other: bool) -> None:
    """Made on the way, or by reading what another process wrote."""
    kinds = (hashlib.sha256, hashlib.blake2b)
    drafts = Drafts(tmp_path / "drafts", kinds)
    with drafts.append_at("one", 0) as draft:
        draft.write(CONTENT[:1000])
    if is_other:
        drafts = Drafts(tmp_path / "drafts", kinds)
    with drafts.append_at("one", 1000) as draft:
        draft.write(CONTENT[1000:])

    assert drafts.digests_of("one") == [SHA, hashlib.blake2b(CONTENT).hexdigest()]


def test_a_draft_that_another_process_wrote_is_read_for_its_checksum(
    drafts: Drafts, tmp_path: Path
) -> None:
    with drafts.append_at("one", 0) as draft:
        draft.write(CONTENT[:1000])
    other = Drafts(tmp_path / "drafts")
    with other.append_at("one", 1000) as draft:
        draft.write(CONTENT[1000:])

    assert drafts.digests_of("one") == [SHA]
    assert other.digests_of("one") == [SHA]


def test_a_piece_must_begin_where_the_draft_ends(drafts: Drafts) -> None:
    """B105: a wrong offset, an overlap, a hole."""
    filled(drafts)

    for offset in (0, 5, len(CONTENT) + 1):
        with pytest.raises(WrongOffset) as refused:
            drafts.append_at("one", offset)
        assert refused.value.offset == len(CONTENT)


def test_two_do_not_write_to_one_draft(drafts: Drafts) -> None:
    """F60: two clients with the same upload."""
    with drafts.append_at("one", 0), pytest.raises(DraftBusy):
        drafts.append_at("one", 0)


def test_kept_content_cannot_be_written_through_its_draft(drafts: Drafts, store: DiskStore) -> None:
    store.keep(filled(drafts), SHA)

    with pytest.raises(DraftBusy):
        drafts.append_at("one", len(CONTENT))


def test_stale_drafts_are_found(drafts: Drafts) -> None:
    path = filled(drafts)
    os.utime(path, (1_000, 1_000))

    assert list(drafts.stale(before=2_000)) == ["one"]
    assert list(drafts.stale(before=500)) == []


TICKET = Ticket("fetch", "task-1", 1, "agent-1", 2_000_000_000, sha256=SHA, bytes_per_second=5)


def test_a_ticket_says_what_was_put_into_it() -> None:
    tickets = FileTickets(SECRET)

    assert tickets.read(tickets.issue(TICKET)) == TICKET


def test_a_ticket_ends() -> None:
    tickets = FileTickets(SECRET)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        short = Ticket("fetch", "task-1", 1, "agent-1", int(now.timestamp()) + 10, sha256=SHA)
        text = tickets.issue(short)
        assert tickets.read(text) == short

    with (
        time_machine.travel(now + timedelta(seconds=10), tick=False),
        pytest.raises(Unauthenticated),
    ):
        tickets.read(text)


def test_tickets_of_a_former_secret_are_read_while_it_changes() -> None:
    new = SecretStr("another secret of 32 characters and more")
    ticket = FileTickets(SECRET).issue(TICKET)

    assert FileTickets(new, accepted=[SECRET]).read(ticket) == TICKET
    assert FileTickets(SECRET, accepted=[new]).read(FileTickets(new).issue(TICKET)) == TICKET


def test_a_changed_ticket_is_no_ticket() -> None:
    tickets = FileTickets(SECRET)
    text = tickets.issue(TICKET)
    other = FileTickets(SecretStr("another secret of 32 characters and more"))

    for place in (0, 10, text.index(".") + 1, len(text) - 2):
        letter = "A" if text[place] != "A" else "B"
        with pytest.raises(Unauthenticated):
            tickets.read(text[:place] + letter + text[place + 1 :])
    for wrong in ("", ".", "x" * 5000, text + "A", text.partition(".")[0], other.issue(TICKET)):
        with pytest.raises(Unauthenticated):
            tickets.read(wrong)

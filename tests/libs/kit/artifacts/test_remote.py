"""Content in a bucket: verified, resumed, given out while it comes, and bounded on this disk."""

import hashlib
import os
from pathlib import Path

import pytest

from libs.kit.artifacts import BlobMissing, ContentDamaged, DiskStore, Store, store_of
from libs.kit.artifacts.remote import ComingBlob
from libs.kit.objects import StoreUnavailable
from tests.support.s3 import Objects, S3Line, wipe
from tests.support.waiting import eventually_sync

CONTENT = os.urandom(3_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
NAME = f"blobs/{SHA[:2]}/{SHA}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def store(folder: Path, s3_bucket: Objects, s3_line: S3Line) -> Store:
    return store_of(folder, lambda: s3_bucket.settings(s3_line))


def kept(store: Store, folder: Path, content: bytes = CONTENT) -> str:
    path, sha256 = folder / "draft", hashlib.sha256(content).hexdigest()
    folder.mkdir(exist_ok=True)
    path.write_bytes(content)
    store.keep(path, sha256)
    path.unlink()
    return sha256


def test_what_is_kept_lies_in_the_bucket_under_its_checksum(
    store: Store, folder: Path, s3_bucket: Objects
) -> None:
    kept(store, folder)
    kept(store, folder)

    assert s3_bucket.names() == [NAME]
    assert s3_bucket.get(NAME) == CONTENT
    assert store.size_of(SHA) == len(CONTENT)
    assert not list(folder.glob("blobs/*/*"))
    store.remove(SHA)
    assert s3_bucket.names() == []
    assert store.size_of(SHA) is None
    with pytest.raises(BlobMissing):
        store.open(SHA)


def test_the_same_content_is_sent_once(store: Store, folder: Path, s3_line: S3Line) -> None:
    kept(store, folder)
    s3_line.sent = 0

    kept(store, folder)

    assert s3_line.sent < len(CONTENT) // 10


def test_it_is_read_again_from_a_wiped_disk_also_when_the_line_breaks(
    store: Store, folder: Path, s3_line: S3Line
) -> None:
    kept(store, folder)
    wipe(folder)
    s3_line.is_refusing = True  # so that connections which are open are of no use either
    with pytest.raises(StoreUnavailable):
        store.size_of(SHA)
    s3_line.is_refusing = False
    eventually_sync(lambda: _size(store))
    s3_line.down_limits = [10_000_000, 700_000, 900_000]

    with store.open(SHA) as blob:
        assert blob.size == len(CONTENT)
        assert blob.read(2_999_990, 100) == CONTENT[-10:]
        assert blob.read(0, 3_000_000) == CONTENT
    with store.open(SHA) as again:
        assert again.is_whole


def _size(store: Store) -> int | None:
    try:
        return store.size_of(SHA)
    except StoreUnavailable:
        return None


def test_who_reads_while_it_comes_gets_what_has_come_and_the_end_when_it_is_verified(
    store: Store, folder: Path, s3_line: S3Line
) -> None:
    kept(store, folder)
    wipe(folder)
    s3_line.hold_after = 1_500_000

    with store.open(SHA) as blob:
        assert isinstance(blob, ComingBlob)
        assert not blob.is_whole
        assert blob.read(100, 1_000) == CONTENT[100:1_100]
        s3_line.flows.set()
        assert blob.read(2_000_000, 2_000_000) == CONTENT[2_000_000:]
        assert blob.is_whole


@pytest.mark.parametrize(
    "wrong", [b"x" * len(CONTENT), CONTENT[:-1], CONTENT + b"x"], ids=["other", "shorter", "longer"]
)
def test_wrong_bytes_in_the_bucket_are_given_to_nobody(
    store: Store, folder: Path, s3_bucket: Objects, wrong: bytes
) -> None:
    kept(store, folder)
    wipe(folder)
    s3_bucket.put(NAME, wrong)

    for _ in range(2):
        with pytest.raises(ContentDamaged):
            store.open(SHA)

    assert not list((folder / "copies").iterdir())
    kept(store, folder)  # whoever has the content can bring it again
    with store.open(SHA) as blob:
        assert blob.read(0, len(CONTENT)) == CONTENT
    assert s3_bucket.get(NAME) == CONTENT


def test_an_object_that_is_gone_is_missing(store: Store, folder: Path, s3_bucket: Objects) -> None:
    kept(store, folder)
    wipe(folder)
    s3_bucket.delete(NAME)

    with pytest.raises(BlobMissing):
        store.open(SHA)
    for name in ("..", SHA.upper(), "../" + SHA):
        with pytest.raises(BlobMissing):
            store.open(name)


def test_copies_on_this_disk_are_bounded(folder: Path, s3_bucket: Objects) -> None:
    store = store_of(folder, lambda: s3_bucket.settings(cache_bytes=2_500))
    names = [kept(store, folder, bytes([number]) * 1_000) for number in range(4)]

    copies = {path.name.rpartition("_")[2] for path in (folder / "copies").iterdir()}

    assert len(copies) == 2
    assert names[-1] in copies
    for number, sha256 in enumerate(names):
        with store.open(sha256) as blob:
            assert blob.read(0, 5_000) == bytes([number]) * 1_000


def test_what_was_kept_before_there_was_a_bucket_stays_readable(
    folder: Path, s3_bucket: Objects
) -> None:
    sha256 = kept(DiskStore(folder / "blobs"), folder, b"from before")
    store = store_of(folder, s3_bucket.settings)

    with store.open(sha256) as blob:
        assert blob.read(0, 100) == b"from before"
    assert store.size_of(sha256) == len(b"from before")
    store.remove(sha256)

    with pytest.raises(BlobMissing):
        store.open(sha256)

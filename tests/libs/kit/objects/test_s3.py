"""A bucket over real HTTP: parts, what breaks on the way, and what is wrong in the bucket."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from libs.kit.objects import Bucket, ObjectMissing, StoredObject, StoreUnavailable, bucket_of
from libs.kit.settings import ObjectSettings
from tests.support.s3 import KEYS, Objects, S3Line, S3Server
from tests.support.tree import REPOSITORY

PART = 5 * 1024 * 1024
LARGE = os.urandom(2 * PART + 1_000)
SHA = hashlib.sha256(LARGE).hexdigest()


def opened(settings: ObjectSettings) -> Bucket:
    bucket = bucket_of(settings)
    assert bucket is not None
    return bucket


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


@pytest.mark.parametrize("size", [0, 7, PART + 1])
def test_a_file_is_kept_found_read_from_any_place_and_removed(
    s3_bucket: Objects, tmp_path: Path, size: int
) -> None:
    bucket = opened(s3_bucket.settings(part_bytes=PART, prefix="here/"))
    path, content = tmp_path / "file", LARGE[:size]
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()

    bucket.put("a/b", path, digest)

    assert s3_bucket.names() == ["here/a/b"]
    assert bucket.find("a/b") == StoredObject(size, digest)
    if size:
        assert b"".join(bucket.read("a/b")) == content
        assert b"".join(bucket.read("a/b", size - 3)) == content[-3:]
    bucket.remove("a/b")
    bucket.remove("a/b")
    assert bucket.find("a/b") is None
    with pytest.raises(ObjectMissing):
        list(bucket.read("a/b"))


def test_an_upload_that_broke_off_goes_on_with_the_parts_that_are_missing(
    s3_bucket: Objects, s3_line: S3Line, large: Path
) -> None:
    settings = s3_bucket.settings(s3_line, part_bytes=PART)
    s3_line.up_limit = PART + PART // 2

    with pytest.raises(StoreUnavailable) as refused:
        opened(settings).put("large", large, SHA)
    s3_line.up_limit, s3_line.sent = None, 0
    opened(settings).put("large", large, SHA)

    assert refused.value.code == "object_store_unavailable"
    assert s3_bucket.get("large") == LARGE
    assert s3_line.sent < PART + PART // 2


def test_a_server_killed_amid_an_upload_loses_nothing_and_gets_it_later(large: Path) -> None:
    server = S3Server()
    server.start()
    bucket, line = server.bucket(), S3Line(server)
    try:
        line.up_limit = PART + PART // 2  # at which the server dies, too
        ours = opened(bucket.settings(line, part_bytes=PART))
        with pytest.raises(StoreUnavailable):
            ours.put("large", large, SHA)
        server.kill()
        line.up_limit = None
        with pytest.raises(StoreUnavailable):
            opened(bucket.settings(part_bytes=PART)).put("large", large, SHA)
        assert large.read_bytes() == LARGE

        server.start()
        bucket.make()
        opened(bucket.settings(part_bytes=PART)).put("large", large, SHA)

        assert bucket.get("large") == LARGE
    finally:
        line.close()
        server.kill()


def test_a_bucket_that_is_not_there_is_not_an_object_that_is_not_there(
    s3_server: S3Server, s3_bucket: Objects, large: Path
) -> None:
    bucket = opened(s3_bucket.settings(bucket="nobody-made-it"))

    with pytest.raises(StoreUnavailable):
        bucket.find("large")
    with pytest.raises(StoreUnavailable):
        bucket.put("large", large, SHA)


def test_the_file_of_keys_is_read_again_when_it_changes(s3_bucket: Objects, tmp_path: Path) -> None:
    keys, path = tmp_path / "keys", tmp_path / "file"
    path.write_bytes(b"x")
    settings = ObjectSettings(bucket=s3_bucket.name, endpoint=s3_bucket.server.url, keys_file=keys)
    bucket = opened(settings)
    with pytest.raises(StoreUnavailable) as refused:
        bucket.put("one", path, "")
    assert refused.value.details == {"reason": "keys"}

    keys.write_text("\n".join(KEYS))
    bucket.put("one", path, "")

    assert s3_bucket.get("one") == b"x"


@pytest.mark.parametrize(
    "given",
    [
        {"bucket": "files"},
        {"bucket": "files", "access_key": "a"},
        {"bucket": "files", "access_key": "a", "secret_key": "b", "keys_file": "/keys"},
        {"bucket": "../files", "access_key": "a", "secret_key": "b"},
        {"bucket": "files", "access_key": "a", "secret_key": "b", "prefix": "/x"},
        {"bucket": "files", "access_key": "a", "secret_key": "b", "endpoint": "s3.example"},
        {"bucket": "files", "access_key": "a", "secret_key": "b", "endpoint": "http://u:p@s3"},
    ],
)
def test_settings_that_make_no_sense_stop_the_start(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ObjectSettings.model_validate(given)


def test_nothing_of_the_surroundings_gives_keys_a_proxy_or_an_address(
    s3_bucket: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_PROFILE": "of-somebody",
        "AWS_ACCESS_KEY_ID": "of-somebody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "file"
    path.write_bytes(b"x")

    opened(s3_bucket.settings()).put("one", path, "")

    monkeypatch.delenv("http_proxy")
    monkeypatch.delenv("HTTP_PROXY")
    assert s3_bucket.names() == ["one"]


def test_without_a_bucket_none_of_it_is_imported() -> None:
    program = """
import sys
import gateway.agents.app
import services.execution.app
from libs.kit.artifacts import DiskStore, store_of
from pathlib import Path

assert isinstance(store_of(Path("/nowhere")), DiskStore)
assert not {"botocore", "libs.kit.objects.s3"} & sys.modules.keys()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

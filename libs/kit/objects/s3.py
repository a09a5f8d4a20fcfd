"""A bucket of a store that speaks S3, through botocore; imported only where one is set.

Keys come from our settings alone: neither `~/.aws` nor AWS_… variables nor the address where a
cloud tells a machine its credentials are asked, and no proxy of the environment is used.
"""

import hashlib
import os
import threading
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from libs.kit.clock import monotonic
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from libs.kit.objects.bucket import ObjectMissing, StoredObject, StoreUnavailable
from libs.kit.settings import ObjectSettings

MOST_PARTS: Final = 10_000
PIECE_BYTES: Final = 256 * 1024
_CONNECT_SECONDS: Final = 3
_ATTEMPTS: Final = 3
_REST_SECONDS: Final = 1.0
"""After a failed connection everybody is refused at once for so long: threads are few."""
_MISSING: Final = {"NoSuchKey", "NotFound", "404"}

log = get_logger(__name__)
failures = counter("opsjob_object_store_failures_total", "Requests to S3 that failed.", ["reason"])

Answer = Mapping[str, object]


class _Body(Protocol):
    """The body of an answer."""

    def read(self, amt: int) -> bytes: ...

    def close(self) -> None: ...


class S3Bucket:
    """One bucket, or the part of it below a prefix."""

    def __init__(self, settings: ObjectSettings) -> None:
        self._settings = settings
        self._guard = threading.Lock()
        self._client: object = None
        self._keys: tuple[str, str] | None = None
        self._rests_until = 0.0

    # ---- the port -------------------------------------------------------------------------

    def find(self, name: str) -> StoredObject | None:
        try:
            found = self._ask("head_object", Key=self._key(name))
        except ObjectMissing:
            self._ask("head_bucket")  # the answer is the same where the whole bucket is missing
            return None
        noted = cast(Mapping[str, str], found.get("Metadata") or {})
        return StoredObject(cast(int, found["ContentLength"]), noted.get("sha256"))

    def put(self, name: str, path: Path, sha256: str) -> None:
        key, noted = self._key(name), {"sha256": sha256}
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size <= self._settings.part_bytes:
                data = os.pread(file.fileno(), size, 0) if size else b""
                self._ask("put_object", Key=key, Body=data, ContentMD5=_md5(data), Metadata=noted)
            else:
                self._put_in_parts(key, file.fileno(), size, noted)
        found = self.find(name)
        if found is None or found.size != size:
            raise self._failed("incomplete", f"{name} is not as long as it was")

    def read(self, name: str, offset: int = 0) -> Generator[bytes, None, None]:
        found = self._ask("get_object", Key=self._key(name), Range=f"bytes={offset}-")
        body = cast(_Body, found["Body"])
        try:
            while piece := body.read(PIECE_BYTES):
                yield piece
        except (BotoCoreError, OSError) as error:
            raise self._failed("broken", str(error)) from error
        finally:
            body.close()

    def remove(self, name: str) -> None:
        self._ask("delete_object", Key=self._key(name))

    # ---- large files ----------------------------------------------------------------------

    def _put_in_parts(self, key: str, file: int, size: int, noted: Mapping[str, str]) -> None:
        length = max(self._settings.part_bytes, -(-size // MOST_PARTS))
        upload, known = self._begun(key)
        if upload is None:
            made = self._ask("create_multipart_upload", Key=key, Metadata=noted)
            upload = cast(str, made["UploadId"])
        parts = []
        for number in range(1, -(-size // length) + 1):
            data = os.pread(file, length, (number - 1) * length)
            if known.get(number) != (
                len(data),
                hashlib.md5(data, usedforsecurity=False).hexdigest(),
            ):
                answer = self._ask(
                    "upload_part",
                    Key=key,
                    UploadId=upload,
                    PartNumber=number,
                    Body=data,
                    ContentMD5=_md5(data),
                )
                tag = cast(str, answer["ETag"])
            else:
                tag = f'"{known[number][1]}"'
            parts.append({"PartNumber": number, "ETag": tag})
        try:
            self._ask(
                "complete_multipart_upload",
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )
        except ObjectMissing:
            return  # another process completed the same upload; `put` looks whether it is there

    def _begun(self, key: str) -> tuple[str | None, dict[int, tuple[int, str]]]:
        """An upload of this object that broke off, and its parts: number to size and MD5."""
        try:
            listed = self._ask("list_multipart_uploads", Prefix=key)
            uploads = cast(Sequence[Mapping[str, str]], listed.get("Uploads") or ())
            mine = [each["UploadId"] for each in uploads if each["Key"] == key]
            if not mine:
                return None, {}
            return mine[-1], self._parts(key, mine[-1])
        except (ObjectMissing, StoreUnavailable) as error:
            log.info("Uploads that broke off cannot be listed; beginning anew.", error=str(error))
            return None, {}

    def _parts(self, key: str, upload: str) -> dict[int, tuple[int, str]]:
        found: dict[int, tuple[int, str]] = {}
        marker = 0
        while True:
            page = self._ask("list_parts", Key=key, UploadId=upload, PartNumberMarker=marker)
            for part in cast(Sequence[Mapping[str, object]], page.get("Parts") or ()):
                tag = str(part["ETag"]).strip('"')
                found[cast(int, part["PartNumber"])] = cast(int, part["Size"]), tag
            following = cast(int, page.get("NextPartNumberMarker") or 0)
            if not page.get("IsTruncated") or following <= marker:
                return found
            marker = following

    # ---- requests -------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        return f"{self._settings.prefix}{name}"

    def _ask(self, operation: str, **wanted: object) -> Answer:
        """One request with its retries; raises ObjectMissing, StoreUnavailable."""
        if monotonic() < self._rests_until:
            raise StoreUnavailable(reason="connection")
        call = getattr(self._connected(), operation)
        try:
            return cast(Answer, call(Bucket=self._settings.bucket, **wanted))
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if (code in _MISSING and operation != "head_bucket") or code == "NoSuchUpload":
                raise ObjectMissing(wanted.get("Key")) from None
            raise self._failed(code or "refused", str(error)) from error
        except (BotoCoreError, OSError) as error:
            self._rests_until = monotonic() + _REST_SECONDS
            raise self._failed("connection", str(error)) from error

    def _failed(self, reason: str, error: str) -> StoreUnavailable:
        failures.labels(reason).inc()
        log.warning("The object store did not do what was asked.", reason=reason, error=error[:300])
        return StoreUnavailable(reason=reason)

    def _connected(self) -> object:
        """The client; a new one when the file of keys has changed."""
        try:
            keys = self._settings.keys()
        except (OSError, ValueError) as error:
            raise self._failed("keys", str(error)) from error
        with self._guard:
            if self._client is None or keys != self._keys:
                self._client, self._keys = self._connect(*keys), keys
            return self._client

    def _connect(self, access_key: str, secret_key: str) -> object:
        settings = self._settings
        nowhere = (None, None, None, None)
        session = botocore.session.Session(session_vars={"profile": nowhere})
        session.set_config_variable("config_file", os.devnull)
        session.set_config_variable("credentials_file", os.devnull)
        session.set_config_variable("ignore_configured_endpoint_urls", True)
        return session.create_client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            verify=str(settings.ca_file) if settings.ca_file else None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.uses_paths else "virtual"},
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=settings.seconds,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                proxies={},
                max_pool_connections=16,
                # What every store knows; botocore's own choice is what Amazon's knows.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


def _md5_of(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _md5(data: bytes) -> str:
    """For the store to see that what arrived is what was sent."""
    return b64encode(_md5_of(data)).decode()

"""Brings files to the platform in pieces that may be repeated, and content into new files."""

import contextlib
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import httpx

from services.cli.api import JSON, Api
from services.cli.failure import CommandFailed
from services.cli.inventory import path_part

UPLOADS = "/api/files/uploads/"
ATTEMPTS = 8
_READ_BYTES = 1024 * 1024
_PAUSE_SECONDS = 1.0


def upload(api: Api, path: Path) -> dict[str, JSON]:
    """Put a file into the platform's library; goes on where a broken line left it."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            announced: dict[str, JSON] = {
                "name": path.name,
                "size": size,
                "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
            }
            return _send(api, file, announced)
    except IsADirectoryError:
        raise CommandFailed(f"{path} is a folder; pack it first.") from None
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.") from None


def _send(api: Api, file: BinaryIO, announced: Mapping[str, JSON]) -> dict[str, JSON]:
    upload = api.post(UPLOADS, announced)
    known = upload.get("file")
    if isinstance(known, dict):
        return known
    address = f"{UPLOADS}{path_part(str(upload['upload_id']))}/"
    failures = 0
    while (offset := _number(upload, "offset")) < _number(upload, "size"):
        file.seek(offset)
        piece = file.read(_number(upload, "chunk_bytes"))
        if not piece:
            raise CommandFailed("The file became shorter while it was sent.")
        try:
            upload = api.send_bytes(address, piece, {"offset": offset})
            failures = 0
        except (httpx.HTTPError, CommandFailed) as error:
            failures += 1
            if failures >= ATTEMPTS or not _passes(error):
                raise CommandFailed(f"The upload broke off: {error}") from None
            time.sleep(_PAUSE_SECONDS)
            upload = api.get(address)
    return api.post(f"{address}complete/")


def _passes(error: Exception) -> bool:
    """Whether trying again may help: a broken line, a busy platform, or another place."""
    if isinstance(error, CommandFailed):
        return error.status in {409, 429, 503}
    return True


def _number(answer: Mapping[str, JSON], name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int) or value < 0:
        raise CommandFailed("The server answered something unexpected.")
    return value


def keep(api: Api, path: str, params: Mapping[str, str | int], to: Path) -> int:
    """Write a download to a new file, all or nothing; returns its size in bytes.

    A file that is there already is never overwritten.
    """
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file, api.reading(path, params) as pieces:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        os.link(part, to)
    except FileExistsError:
        raise CommandFailed(f"{to} is there already.") from None
    except OSError as error:
        raise CommandFailed(f"{to} cannot be written: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return size

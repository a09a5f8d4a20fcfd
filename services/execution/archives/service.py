"""Makes one archive of what all hosts have brought: a folder for each host, never held anywhere."""

import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO, Final, cast

from libs.kit.artifacts import Blob, BlobMissing, ContentDamaged, Store
from libs.kit.logging import get_logger
from services.execution.files.domain import file_name
from services.execution.files.schemas import FileOut
from services.execution.files.service import Files

_BLOCK: Final = 512
_PIECE: Final = 256 * 1024
_MOST_HEADER: Final = 1024 * 1024

log = get_logger(__name__)


class Archives:
    """Archives of executions. Their pieces come from a blocking iterator, for a thread."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def of_execution(self, execution_id: str) -> Iterator[bytes]:
        """The bytes of a tar; raises ExecutionNotFound and NothingCollected before the first."""
        collected = await self._files.collected(execution_id)
        await self._files.note_archive(execution_id, len(collected))
        return _packed(self._files.store, collected)


class _Bounded:
    """A blob as a file from which no header can ask for more than a megabyte at once."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._position = 0

    def read(self, size: int) -> bytes:
        if size > _MOST_HEADER:
            raise tarfile.ReadError("a header is too large")
        content = self._blob.read(self._position, size)
        self._position += len(content)
        return content

    def seek(self, position: int) -> None:
        self._position = position

    def tell(self) -> int:
        return self._position


def _packed(store: Store, collected: Sequence[FileOut]) -> Iterator[bytes]:
    seen: Counter[str] = Counter()
    for file in collected:
        host = _safe(file.host_name or str(file.host_id))
        seen[host] += 1
        folder = host if seen[host] == 1 else f"{host}-{seen[host]}"
        yield _header(folder, None)
        try:
            blob = store.open(file.sha256)
        except (BlobMissing, ContentDamaged):
            log.error("A collected archive is missing from the store.", file_id=file.id)
            continue
        try:
            with blob:
                yield from _members(blob, folder)
        except (tarfile.TarError, ValueError) as error:
            log.warning("A collected archive is not readable.", file_id=file.id, error=str(error))
    yield bytes(2 * _BLOCK)


def _members(blob: Blob, folder: str) -> Iterator[bytes]:
    with tarfile.open(fileobj=cast(IO[bytes], _Bounded(blob)), mode="r:") as archive:
        for member in archive:
            name = "/".join(_safe(part) for part in member.name.split("/") if part)
            if not name or not (member.isreg() or member.isdir()) or member.issparse():
                continue
            if member.isdir():
                yield _header(f"{folder}/{name}", None)
                continue
            member.size = max(0, min(member.size, blob.size - member.offset_data))
            yield _header(f"{folder}/{name}", member)
            yield from _content(blob, member.offset_data, member.size)


def _content(blob: Blob, offset: int, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = blob.read(offset + size - left, min(left, _PIECE))
        piece = piece or bytes(min(left, _PIECE))
        left -= len(piece)
        yield piece
    if size % _BLOCK:
        yield bytes(_BLOCK - size % _BLOCK)


def _safe(part: str) -> str:
    """A name of a host or of one of its files, as it can stand in an archive."""
    plain = part.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return file_name(plain)
    except ValueError:
        kept = "".join(letter if letter.isalnum() or letter in "._- " else "_" for letter in plain)
        return "_" + kept.strip(" .")[:100]


def _header(name: str, member: tarfile.TarInfo | None) -> bytes:
    info = tarfile.TarInfo(name)
    if member is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    else:
        info.size, info.mtime, info.mode = member.size, member.mtime, member.mode & 0o777
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

"""The use cases of uploads: begun, sent in pieces, resumed, checked, entered into the library."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from libs.contracts.audit import audit
from libs.kit.artifacts import Draft, DraftBusy, Drafts, WrongOffset, aside
from libs.kit.auth import Principal
from libs.kit.clock import now
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.ids import new_id
from services.execution.files.domain import (
    ChecksumMismatch,
    FileKind,
    FileTooLarge,
    StorageFull,
    UploadBusy,
    UploadIncomplete,
    UploadNotThere,
    UploadOffsetWrong,
    UploadPieceInvalid,
    UploadsTooMany,
)
from services.execution.files.repository import FileRepository
from services.execution.files.schemas import FileOut, UploadOut, UploadStart
from services.execution.files.service import Files, shown
from services.execution.models import File, Upload
from services.execution.settings import ExecutionSettings

BUFFER_BYTES: Final = 1024 * 1024


class Uploads:
    """Uploads of people; nobody sees those of others. Blocking work goes to threads."""

    def __init__(
        self, db: Database, settings: ExecutionSettings, files: Files, drafts: Drafts
    ) -> None:
        self._db = db
        self._settings = settings
        self._files = files
        self._store = files.store
        self._drafts = drafts

    async def start(self, wanted: UploadStart, by: Principal) -> UploadOut:
        """Begin an upload; of content that is the person's own already, nothing needs to come."""
        if wanted.size > self._settings.file_max_bytes:
            raise FileTooLarge(limit=self._settings.file_max_bytes)
        await self._check_room(wanted.size)
        upload, file = await self._start(wanted, by)
        return self._shown(upload, wanted.size if file else 0, file)

    async def _check_room(self, size: int) -> None:
        free = await aside(self._store.free_bytes)
        if free is not None and size + self._settings.file_reserve_bytes > free:
            raise StorageFull

    @writes
    def _start(
        self, tx: Transaction, wanted: UploadStart, by: Principal
    ) -> tuple[Upload, FileOut | None]:
        files = FileRepository(tx)
        self._files.check_quota(files, by.id, wanted.size)
        upload = Upload(
            id=new_id(),
            user_id=by.id,
            username=by.username,
            name=wanted.name,
            size=wanted.size,
            sha256=wanted.sha256,
            created_at=tx.now,
        )
        known = files.of_content(by.id, wanted.sha256)
        if known is not None and known.size == wanted.size:
            file = self._uploaded(tx, upload, known.blake3)
            if files.note_content(wanted.sha256, wanted.size):
                _add(tx, files, file)
                return upload, shown(file)
        if files.uploads_of(by.id) >= self._settings.file_uploads_per_user:
            raise UploadsTooMany(limit=self._settings.file_uploads_per_user)
        files.add_upload(upload)
        return upload, None

    async def upload(self, upload_id: str, by: Principal) -> UploadOut:
        """How far an upload is; the file, once it is complete."""
        upload, file = await self._find(upload_id, by)
        offset = upload.size if file else await self._offset(upload_id)
        return self._shown(upload, offset, file)

    @reads
    def _find(
        self, tx: Transaction, upload_id: str, by: Principal
    ) -> tuple[Upload, FileOut | None]:
        files = FileRepository(tx)
        upload = files.upload(upload_id, by.id)
        if upload is not None:
            return upload, None
        file = files.by_id(upload_id)  # a complete upload and its file have one id
        if file is None or file.user_id != by.id or file.kind != FileKind.UPLOAD:
            raise UploadNotThere(upload_id=upload_id)
        return _finished(file), shown(file)

    async def take(
        self, upload_id: str, by: Principal, begin: int, pieces: AsyncIterator[bytes]
    ) -> UploadOut:
        """Append a piece as it comes. What came before a client went away stays.

        Raises UploadOffsetWrong, UploadBusy, UploadPieceInvalid, StorageFull.
        """
        upload, file = await self._find(upload_id, by)
        if file is not None:
            raise UploadOffsetWrong(offset=upload.size)
        draft = await self._open(upload_id, begin)
        limit = min(upload.size, begin + self._settings.file_piece_bytes)
        try:
            await _write(draft, pieces, limit)
        except OSError as error:
            raise StorageFull from error
        finally:
            await asyncio.to_thread(draft.close)
        return self._shown(upload, draft.offset, None)

    async def _open(self, name: str, offset: int) -> Draft:
        try:
            return await asyncio.to_thread(self._drafts.append_at, name, offset)
        except WrongOffset as wrong:
            raise UploadOffsetWrong(offset=wrong.offset) from None
        except DraftBusy:
            raise UploadBusy from None
        except OSError as error:
            raise StorageFull from error

    async def _offset(self, name: str) -> int:
        return await asyncio.to_thread(self._drafts.offset_of, name)

    async def complete(self, upload_id: str, by: Principal) -> FileOut:
        """Check the whole and enter it into the library; may be repeated.

        Content with another checksum is thrown away with its upload.
        """
        upload, file = await self._find(upload_id, by)
        if file is not None:
            return file
        offset = await self._offset(upload_id)
        if offset != upload.size:
            raise UploadIncomplete(offset=offset, size=upload.size)
        if not upload.size:
            await asyncio.to_thread((await self._open(upload_id, 0)).close)
        sha256, blake3 = await asyncio.to_thread(self._drafts.digests_of, upload_id)
        if sha256 != upload.sha256:
            await self.cancel(upload_id, by)
            raise ChecksumMismatch
        await self._keep(upload_id, sha256)
        file = await self._complete(upload, blake3)
        await self._settle(upload_id, upload.sha256)
        return file

    async def _keep(self, name: str, sha256: str) -> None:
        try:
            await aside(self._store.keep, self._drafts.path(name), sha256)
        except OSError as error:
            raise StorageFull from error

    async def _settle(self, name: str, sha256: str) -> None:
        """The library has it. Were a sweep of unused content faster, it is kept once more."""
        if await aside(self._store.size_of, sha256) is None:
            await self._keep(name, sha256)
        await asyncio.to_thread(self._drafts.discard, name)

    @writes
    def _complete(self, tx: Transaction, upload: Upload, blake3: str) -> FileOut:
        files = FileRepository(tx)
        if not files.end_upload(upload.id):
            known = files.by_id(upload.id)
            if known is None:
                raise UploadNotThere(upload_id=upload.id)
            return shown(known)
        if not files.note_content(upload.sha256, upload.size):
            raise Unavailable  # the same content is being removed at this moment
        file = self._uploaded(tx, upload, blake3)
        _add(tx, files, file)
        return shown(file)

    def _uploaded(self, tx: Transaction, upload: Upload, blake3: str | None) -> File:
        days = self._settings.file_keep_days
        return File(
            id=upload.id,
            sha256=upload.sha256,
            blake3=blake3,
            size=upload.size,
            name=upload.name,
            kind=FileKind.UPLOAD,
            user_id=upload.user_id,
            username=upload.username,
            file_count=1,
            created_at=tx.now,
            expires_at=tx.now + timedelta(days=days) if days else None,
        )

    async def cancel(self, upload_id: str, by: Principal) -> None:
        """Throw away an upload with what has come of it."""
        _, file = await self._find(upload_id, by)
        if file is None:
            await self._forget(upload_id)
            await asyncio.to_thread(self._drafts.discard, upload_id)

    @writes
    def _forget(self, tx: Transaction, upload_id: str) -> None:
        FileRepository(tx).end_upload(upload_id)

    async def take_whole(self, name: str, pieces: AsyncIterator[bytes], by: Principal) -> FileOut:
        """A file of unknown length in one stream, such as a part of a form."""
        await self._check_room(0)
        upload_id = new_id()
        draft = await self._open(upload_id, 0)
        try:
            await _write(draft, pieces, self._settings.file_max_bytes)
        except UploadPieceInvalid:
            raise FileTooLarge(limit=self._settings.file_max_bytes) from None
        except OSError as error:
            raise StorageFull from error
        finally:
            await asyncio.to_thread(draft.close)
        sha256, blake3 = await asyncio.to_thread(self._drafts.digests_of, upload_id)
        await self._keep(upload_id, sha256)
        wanted = UploadStart(name=name, size=draft.offset, sha256=sha256)
        file = await self._enter(upload_id, wanted, blake3, by)
        await self._settle(upload_id, sha256)
        return file

    @writes
    def _enter(
        self, tx: Transaction, file_id: str, wanted: UploadStart, blake3: str, by: Principal
    ) -> FileOut:
        files = FileRepository(tx)
        self._files.check_quota(files, by.id, wanted.size)
        if not files.note_content(wanted.sha256, wanted.size):
            raise Unavailable
        upload = Upload(
            id=file_id,
            user_id=by.id,
            username=by.username,
            name=wanted.name,
            size=wanted.size,
            sha256=wanted.sha256,
            created_at=tx.now,
        )
        file = self._uploaded(tx, upload, blake3)
        _add(tx, files, file)
        return shown(file)

    def _shown(self, upload: Upload, offset: int, file: FileOut | None) -> UploadOut:
        return UploadOut(
            upload_id=upload.id,
            name=upload.name,
            size=upload.size,
            offset=offset,
            chunk_bytes=self._settings.file_piece_bytes,
            expires_at=now() + timedelta(seconds=self._settings.file_upload_seconds),
            file=file,
        )


def _add(tx: Transaction, files: FileRepository, file: File) -> None:
    files.add(file)
    after = {"size": file.size, "sha256": file.sha256, "expires_at": file.expires_at}
    audit(tx, "file.upload", kind="file", id=file.id, name=file.name, after=after)


async def _write(draft: Draft, pieces: AsyncIterator[bytes], limit: int) -> None:
    """Append up to `limit`, a megabyte at a time; beyond it UploadPieceInvalid.

    What came before the body broke off (Malformed) is written all the same.
    """
    waiting = bytearray()
    try:
        async for piece in pieces:
            if draft.offset + len(waiting) + len(piece) > limit:
                raise UploadPieceInvalid(limit=limit)
            waiting += piece
            if len(waiting) >= BUFFER_BYTES:
                full, waiting = waiting, bytearray()
                await asyncio.to_thread(draft.write, full)
    except UploadPieceInvalid:
        waiting = bytearray()
        raise
    finally:
        await asyncio.to_thread(draft.write, waiting)


def _finished(file: File) -> Upload:
    return Upload(
        id=file.id,
        user_id=file.user_id,
        username=file.username,
        name=file.name,
        size=file.size,
        sha256=file.sha256,
        created_at=file.created_at,
    )

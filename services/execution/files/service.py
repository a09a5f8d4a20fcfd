"""The use cases of the library: list, delete, open, what agents have brought, what is swept."""

import asyncio
from datetime import timedelta
from typing import Final

from libs.contracts.audit import audit
from libs.contracts.execution import CollectedFile
from libs.kit.artifacts import Blob, BlobMissing, Drafts, Store, aside
from libs.kit.auth import EVERYTHING, Principal
from libs.kit.clock import now
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.ids import new_id
from libs.kit.pagination import Page, PageParams
from services.execution.domain import StepKind
from services.execution.errors import ExecutionNotFound
from services.execution.files.domain import (
    FileInUse,
    FileKind,
    FileNotThere,
    FileQuotaExceeded,
    FileTaskNotFound,
    NothingCollected,
)
from services.execution.files.repository import FileRepository
from services.execution.files.schemas import FileOut, UsageOut
from services.execution.models import File
from services.execution.settings import ExecutionSettings

SWEEP_LIMIT: Final = 200


class Files:
    """Files of people. Whoever holds every permission sees those of all others, too."""

    def __init__(
        self, db: Database, settings: ExecutionSettings, store: Store, drafts: Drafts
    ) -> None:
        self._db = db
        self._settings = settings
        self._drafts = drafts
        self.store = store

    def check_quota(self, files: FileRepository, user_id: int, wanted: int) -> None:
        """Raises FileQuotaExceeded if so much more is too much."""
        used, quota = files.used_bytes(user_id), self._settings.file_quota_bytes
        if used + wanted > quota:
            raise FileQuotaExceeded(used=used, quota=quota, wanted=wanted)

    @reads
    def page(
        self,
        tx: Transaction,
        params: PageParams,
        by: Principal,
        kind: FileKind | None,
        search: str | None,
        execution_id: str | None,
    ) -> Page[FileOut]:
        """A person's files, newest first."""
        total, rows = FileRepository(tx).page(
            user_id=None if EVERYTHING in by.permissions else by.id,
            kind=kind,
            search=search,
            execution_id=execution_id,
            offset=params.offset,
            limit=params.page_size,
        )
        return Page[FileOut](
            total=total,
            page=params.page,
            page_size=params.page_size,
            results=[shown(row) for row in rows],
        )

    @reads
    def usage(self, tx: Transaction, by: Principal) -> UsageOut:
        """What a person's files take."""
        return UsageOut(
            used_bytes=FileRepository(tx).used_bytes(by.id),
            quota_bytes=self._settings.file_quota_bytes,
            max_file_bytes=self._settings.file_max_bytes,
        )

    @reads
    def show(self, tx: Transaction, file_id: str, by: Principal) -> FileOut:
        """One file; raises FileNotThere, also for those of others."""
        return shown(owned(FileRepository(tx).by_id(file_id), file_id, by))

    async def open(self, sha256: str) -> Blob:
        """Content for reading; raises FileNotThere if the store has lost it.

        ContentDamaged if it is not what was kept, StoreUnavailable while nobody can tell.
        """
        try:
            return await aside(self.store.open, sha256)
        except BlobMissing:
            raise FileNotThere(sha256=sha256) from None

    @reads
    def collected(self, tx: Transaction, execution_id: str) -> list[FileOut]:
        """The archives that an execution has brought, by step and host.

        Raises ExecutionNotFound, NothingCollected.
        """
        files = FileRepository(tx)
        if not files.execution_exists(execution_id):
            raise ExecutionNotFound(execution_id=execution_id)
        found = files.collected_by(execution_id)
        if not found:
            raise NothingCollected(execution_id=execution_id)
        return [shown(file) for file in found]

    @writes
    def delete(self, tx: Transaction, file_id: str, by: Principal) -> None:
        """Remove a file that no open execution sends; its content goes when nobody needs it."""
        files = FileRepository(tx)
        file = owned(files.by_id(file_id), file_id, by)
        if files.is_in_use(file_id):
            raise FileInUse(file_id=file_id)
        audit(tx, "file.delete", kind="file", id=file_id, name=file.name, before=_state(file))
        files.delete(file)

    @writes
    def note_download(self, tx: Transaction, file_id: str, by: Principal) -> None:
        """Account for content that is about to be sent; raises FileNotThere."""
        file = owned(FileRepository(tx).by_id(file_id), file_id, by)
        audit(tx, "file.download", kind="file", id=file_id, name=file.name, after=_state(file))

    @writes
    def note_archive(self, tx: Transaction, execution_id: str, files: int) -> None:
        """Account for everything that an execution collected, about to be sent at once."""
        after = {"files": files}
        audit(tx, "execution.download_collected", kind="execution", id=execution_id, after=after)

    # ---- what agents have brought -----------------------------------------------------------

    @writes
    def enter_collected(self, tx: Transaction, brought: CollectedFile) -> str:
        """Enter an archive that a gateway has checked and kept; the same one gets the same id.

        Raises FileTaskNotFound unless this agent has this task, FileQuotaExceeded.
        """
        files = FileRepository(tx)
        known = files.of_task(brought.task_id, brought.attempt)
        if known is not None and known.sha256 == brought.sha256:
            return known.id
        found = files.task(brought.task_id)
        if found is None or not brought.is_new or known is not None:
            raise FileTaskNotFound
        task, kind, user_id, username = found
        is_its_own = task.agent_id == brought.agent_id and task.attempt == brought.attempt
        if not is_its_own or kind != StepKind.COLLECT:
            raise FileTaskNotFound
        self.check_quota(files, user_id, brought.size)
        if not files.note_content(brought.sha256, brought.size):
            raise Unavailable
        file = File(
            id=new_id(),
            sha256=brought.sha256,
            size=brought.size,
            name=f"{task.host_name}.tar",
            kind=FileKind.COLLECTED,
            user_id=user_id,
            username=username,
            file_count=brought.file_count,
            execution_id=task.execution_id,
            step_id=task.step_id,
            task_id=task.id,
            attempt=brought.attempt,
            host_id=task.host_id,
            host_name=task.host_name,
            created_at=tx.now,
            expires_at=tx.now + timedelta(days=self._settings.file_collected_days),
        )
        files.add(file)
        return file.id

    # ---- sweepers ---------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Remove what has expired, content that nobody needs, and uploads that stand still."""
        await self._expire()
        removing = await self._begin_removal()
        for sha256 in removing:
            await aside(self.store.remove, sha256)
        if removing:
            await self._end_removal(removing)
        before = now() - timedelta(seconds=self._settings.file_upload_seconds)
        stale = await asyncio.to_thread(lambda: list(self._drafts.stale(before=before.timestamp())))
        for name in stale:
            await asyncio.to_thread(self._drafts.discard, name)
        moving = await asyncio.to_thread(self._drafts.names)
        await self._end_uploads(frozenset(moving))

    @writes
    def _expire(self, tx: Transaction) -> None:
        files = FileRepository(tx)
        gone = [file for file in files.expired(SWEEP_LIMIT) if not files.is_in_use(file.id)]
        for file in gone:
            files.delete(file)
        if gone:
            names = [f"{file.name} ({file.id})" for file in gone]
            audit(tx, "file.expire", kind="file", before={"count": len(gone), "names": names})

    @writes
    def _begin_removal(self, tx: Transaction) -> list[str]:
        before = tx.now - timedelta(seconds=self._settings.file_unused_seconds)
        return list(FileRepository(tx).begin_removal(before=before, limit=SWEEP_LIMIT))

    @writes
    def _end_removal(self, tx: Transaction, checksums: list[str]) -> None:
        FileRepository(tx).end_removal(checksums)

    @writes
    def _end_uploads(self, tx: Transaction, moving: frozenset[str]) -> None:
        files = FileRepository(tx)
        before = tx.now - timedelta(seconds=self._settings.file_upload_seconds)
        for upload_id in files.uploads_before(before, SWEEP_LIMIT):
            if upload_id not in moving:
                files.end_upload(upload_id)


def _state(file: File) -> dict[str, object]:
    return {
        "kind": file.kind,
        "size": file.size,
        "sha256": file.sha256,
        "owner": file.username,
        "execution_id": file.execution_id,
        "host_name": file.host_name,
    }


def owned(file: File | None, file_id: str, by: Principal) -> File:
    """The file, if the person may use it; raises FileNotThere, also for those of others."""
    if file is None:
        raise FileNotThere(file_id=file_id)
    if file.user_id != by.id and EVERYTHING not in by.permissions:
        raise FileNotThere(file_id=file_id).refusing(kind="file", id=file_id, name=file.name)
    return file


def shown(file: File) -> FileOut:
    """A file as the API shows it."""
    names = set(FileOut.model_fields) - {"artifact_id"}
    return FileOut.model_validate(
        {name: getattr(file, name) for name in names} | {"artifact_id": file.id}
    )

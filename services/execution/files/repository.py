"""Questions and changes about files, their content and uploads."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from libs.contracts.execution import ExecutionStatus
from libs.kit.db import Transaction
from services.execution.domain import StepKind
from services.execution.files.domain import FileKind
from services.execution.models import Execution, File, FileContent, Step, Task, Upload

_OPEN = (ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.PAUSED)


class FileRepository:
    """Files inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    # ---- the library ------------------------------------------------------------------------

    def by_id(self, file_id: str) -> File | None:
        """A file, or None."""
        return self._session.get(File, file_id)

    def by_ids(self, file_ids: Sequence[str]) -> dict[str, File]:
        """Those that exist."""
        rows = self._session.scalars(select(File).where(File.id.in_(file_ids)))
        return {row.id: row for row in rows}

    def of_task(self, task_id: str, attempt: int) -> File | None:
        """What an attempt of a task brought."""
        return self._session.scalar(
            select(File).where(File.task_id == task_id, File.attempt == attempt)
        )

    def of_content(self, user_id: int, sha256: str) -> File | None:
        """A person's own file with this content."""
        return self._session.scalar(
            select(File).where(File.user_id == user_id, File.sha256 == sha256).limit(1)
        )

    def page(
        self,
        *,
        user_id: int | None,
        kind: FileKind | None,
        search: str | None,
        execution_id: str | None,
        offset: int,
        limit: int,
    ) -> tuple[int, Sequence[File]]:
        """Newest first, with the number of all that match; None means everybody's."""
        where = []
        if user_id is not None:
            where.append(File.user_id == user_id)
        if kind is not None:
            where.append(File.kind == kind)
        if execution_id is not None:
            where.append(File.execution_id == execution_id)
        if search:
            pattern = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            where.append(File.name.ilike(f"%{pattern}%", escape="\\"))
        total = self._session.scalar(select(func.count()).select_from(File).where(*where))
        rows = self._session.scalars(
            select(File).where(*where).order_by(File.id.desc()).offset(offset).limit(limit)
        ).all()
        return total or 0, rows

    def collected_by(self, execution_id: str) -> Sequence[File]:
        """The newest archive of each task of an execution, by step and host."""
        rows = self._session.scalars(
            select(File)
            .where(File.execution_id == execution_id, File.kind == FileKind.COLLECTED)
            .order_by(File.step_id, File.host_name, File.host_id, File.attempt)
        )
        newest = {row.task_id: row for row in rows}
        return list(newest.values())

    def collected_in(self, step_ids: Sequence[str]) -> dict[str, list[File]]:
        """The newest archive of each task, by step."""
        rows = self._session.scalars(
            select(File).where(File.step_id.in_(step_ids)).order_by(File.task_id, File.attempt)
        )
        newest = {row.task_id: row for row in rows}
        found: dict[str, list[File]] = {}
        for row in newest.values():
            found.setdefault(str(row.step_id), []).append(row)
        return found

    def add(self, file: File) -> None:
        """Enter a file whose content is in the store; see `note_content`."""
        self._session.add(file)
        self._session.flush()

    def delete(self, file: File) -> None:
        """Remove a file; content that nobody needs any more is marked."""
        self._session.delete(file)
        self._session.flush()
        self.mark_unused([file.sha256])

    def is_in_use(self, file_id: str) -> bool:
        """Whether a step of an execution that has not ended sends it."""
        payloads = self._session.scalars(
            select(Step.payload)
            .join(Execution, Execution.id == Step.execution_id)
            .where(
                Step.kind == StepKind.PUSH, Execution.status.in_([str(state) for state in _OPEN])
            )
        )
        return any(file_id in _artifacts_of(payload) for payload in payloads)

    def expired(self, limit: int) -> Sequence[File]:
        """Files whose time is over."""
        return self._session.scalars(
            select(File).where(File.expires_at <= self._tx.now).limit(limit)
        ).all()

    def used_bytes(self, user_id: int) -> int:
        """What a person's files and unfinished uploads take."""
        files = self._session.scalar(select(func.sum(File.size)).where(File.user_id == user_id))
        uploads = self._session.scalar(
            select(func.sum(Upload.size)).where(Upload.user_id == user_id)
        )
        return int(files or 0) + int(uploads or 0)

    # ---- content ----------------------------------------------------------------------------

    def note_content(self, sha256: str, size: int) -> bool:
        """A file with this content is being entered; False while the content is being removed.

        The row stays locked until the commit, so that no sweep can remove it meanwhile.
        """
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        self._session.execute(
            dialect.insert(FileContent)
            .values(sha256=sha256, size=size, unused_at=None, is_removing=False)
            .on_conflict_do_nothing()
        )
        noted = self._session.execute(
            update(FileContent)
            .where(FileContent.sha256 == sha256, FileContent.is_removing.is_(False))
            .values(unused_at=None)
            .returning(FileContent.sha256),
            execution_options={"synchronize_session": False},
        )
        return noted.first() is not None

    def mark_unused(self, checksums: Sequence[str]) -> None:
        """Note since when content is needed by no file."""
        self._session.execute(
            update(FileContent)
            .where(
                FileContent.sha256.in_(checksums),
                FileContent.unused_at.is_(None),
                ~exists().where(File.sha256 == FileContent.sha256),
            )
            .values(unused_at=self._tx.now),
            execution_options={"synchronize_session": False},
        )

    def begin_removal(self, *, before: datetime, limit: int) -> Sequence[str]:
        """Content that was needed by nobody since before; from now on nobody may need it."""
        due = self._session.scalars(
            select(FileContent.sha256)
            .where(FileContent.unused_at <= before)
            .limit(limit)
            .with_for_update()
        ).all()
        removing = [sha for sha in due if not self._is_needed(sha)]
        self._session.execute(
            update(FileContent).where(FileContent.sha256.in_(removing)).values(is_removing=True),
            execution_options={"synchronize_session": False},
        )
        return removing

    def _is_needed(self, sha256: str) -> bool:
        return bool(self._session.scalar(select(exists().where(File.sha256 == sha256))))

    def end_removal(self, checksums: Sequence[str]) -> None:
        """It is gone from the store."""
        self._session.execute(
            delete(FileContent).where(
                FileContent.sha256.in_(checksums), FileContent.is_removing.is_(True)
            ),
            execution_options={"synchronize_session": False},
        )

    # ---- uploads ----------------------------------------------------------------------------

    def upload(self, upload_id: str, user_id: int) -> Upload | None:
        """A person's own upload, or None."""
        upload = self._session.get(Upload, upload_id)
        return upload if upload is not None and upload.user_id == user_id else None

    def uploads_of(self, user_id: int) -> int:
        """How many a person has under way."""
        query = select(func.count()).select_from(Upload).where(Upload.user_id == user_id)
        return self._session.scalar(query) or 0

    def add_upload(self, upload: Upload) -> None:
        """Begin one."""
        self._session.add(upload)

    def end_upload(self, upload_id: str) -> bool:
        """Forget one; False if somebody did so before."""
        return bool(self._tx.changed(delete(Upload).where(Upload.id == upload_id)))

    def uploads_before(self, moment: datetime, limit: int) -> Sequence[str]:
        """Uploads that began before; whether somebody still sends is for their drafts to say."""
        return self._session.scalars(
            select(Upload.id).where(Upload.created_at < moment).limit(limit)
        ).all()

    # ---- tasks ------------------------------------------------------------------------------

    def task(self, task_id: str) -> tuple[Task, str, int, str] | None:
        """A task, its step's kind, and the person it runs for; or None."""
        row = self._session.execute(
            select(Task, Step.kind, Execution.user_id, Execution.username)
            .join(Step, Step.id == Task.step_id)
            .join(Execution, Execution.id == Task.execution_id)
            .where(Task.id == task_id)
        ).first()
        return (row[0], row[1], row[2], row[3]) if row else None

    def execution_exists(self, execution_id: str) -> bool:
        """Whether there is such an execution."""
        return bool(self._session.scalar(select(exists().where(Execution.id == execution_id))))


def _artifacts_of(payload: dict[str, object]) -> set[str]:
    file = payload.get("file")
    sources = file.get("sources") if isinstance(file, dict) else None
    return {
        str(source.get("artifact_id"))
        for source in (sources if isinstance(sources, list) else [])
        if isinstance(source, dict)
    }

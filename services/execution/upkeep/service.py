"""Packs, shelves and removes output; works from the database alone.

It belongs to the process that holds the recorder's lease, so that nobody appends to what is being
packed. Every step can be repeated: a crash leaves a file too many, never one too few.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from libs.kit.artifacts import aside
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from libs.kit.objects import Shelf
from services.execution.changes.service import Changes
from services.execution.logs.service import LEASE, Recorder
from services.execution.segments.domain import FrameDamaged
from services.execution.segments.repository import Segment, SegmentFiles
from services.execution.settings import ExecutionSettings
from services.execution.upkeep.repository import UpkeepRepository

AT_ONCE: Final = 20

log = get_logger(__name__)
packed_bytes = counter("opsjob_log_packed_bytes_total", "Bytes of output before compression.")
shelved_bytes = counter("opsjob_log_shelved_bytes_total", "Bytes of output moved to S3.")
damaged = counter("opsjob_log_damaged_total", "Segments that could not be packed.")


class Upkeep:
    """The use cases of keeping output."""

    def __init__(
        self,
        db: Database,
        files: SegmentFiles,
        recorder: Recorder,
        changes: Changes,
        settings: ExecutionSettings,
        shelf: Shelf | None = None,
    ) -> None:
        self._db = db
        self._files = files
        self._recorder = recorder
        self._changes = changes
        self._settings = settings
        self._shelf = shelf
        self._stuck: set[str] = set()
        self._epoch = 0
        self.pause_seconds = settings.sweep_seconds
        """Between two rounds."""

    def begin(self, epoch: int) -> None:
        """Work under a new epoch of the recorder's lease."""
        self._epoch = epoch
        self._stuck.clear()

    async def due(self) -> Sequence[Segment]:
        """Segments to pack, a few at a time; hand them to `retire`, then to `pack`."""
        return await self._to_pack()

    def retire(self, segments: Sequence[Segment]) -> None:
        """Nothing more is appended to them; not while the recorder stores or settles."""
        self._recorder.retire(segments)

    async def pack(self, segments: Sequence[Segment]) -> int:
        """Compress and seal them, returns how many; raises OSError when there is no room."""
        ready = await self._still(segments)
        for segment in ready:
            try:
                after, size = await asyncio.to_thread(self._files.pack, segment)
            except FrameDamaged:
                damaged.inc()
                log.error("Stored output is damaged.", segment=segment.file)
                await self._note_damaged(segment)
                continue
            await self._note_packed(segment, after, size)
            packed_bytes.inc(segment.length)
        return len(ready)

    async def clean(self) -> None:
        """Remove what is kept no longer, then the files that nobody needs."""
        for execution_id in await self._expired():
            await self._remove(execution_id)
            self._changes.tell([execution_id])
        while gone := await self._left_over():
            await asyncio.to_thread(self._delete, [file for _, _, file in gone])
            await self._deleted(gone)

    async def shelve(self) -> None:
        """Move what was packed some days ago to the object store; the files go later.

        Raises StoreUnavailable: then it stays where it is until the next time.
        """
        if self._shelf is None:
            return
        while segments := await self._to_shelve():
            for segment in segments:
                await self._shelve(self._shelf, segment)
        while gone := await self._to_unshelve():
            for segment in gone:
                await aside(self._shelf.remove, segment.file)
                await asyncio.to_thread(self._files.remove, segment.file)
                await self._note_unshelved(segment)

    async def _shelve(self, shelf: Shelf, segment: Segment) -> None:
        try:
            await aside(self._put, shelf, segment)
        except OSError as error:
            log.error("Output could not be moved.", segment=segment.file, error=str(error))
            self._stuck.add(segment.file)
            return
        await self._note_shelved(segment)
        shelved_bytes.inc(segment.length)

    def _put(self, shelf: Shelf, segment: Segment) -> None:
        path = self._files.path(segment)
        try:
            with path.open("rb", buffering=0) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            if shelf.find(segment.file) is None:
                raise
            return  # somebody copied it there
        shelf.put(segment.file, path, digest)

    def _delete(self, files: Sequence[str]) -> None:
        for file in files:
            self._files.remove(file)

    @reads
    def _to_pack(self, tx: Transaction) -> Sequence[Segment]:
        before = tx.now - timedelta(seconds=self._settings.log_pack_seconds)
        return UpkeepRepository(tx).to_pack(before, AT_ONCE)

    @reads
    def _still(self, tx: Transaction, segments: Sequence[Segment]) -> Sequence[Segment]:
        """The same with the lengths that they have now that nobody appends any more."""
        before = tx.now - timedelta(seconds=self._settings.log_pack_seconds)
        places = {(segment.execution_id, segment.ordinal) for segment in segments}
        now = UpkeepRepository(tx).to_pack(before, AT_ONCE)
        return [segment for segment in now if (segment.execution_id, segment.ordinal) in places]

    @writes
    def _note_packed(self, tx: Transaction, before: Segment, after: Segment, size: int) -> None:
        tx.fenced(LEASE, self._epoch)
        UpkeepRepository(tx).packed(before, after, size)

    @writes
    def _note_damaged(self, tx: Transaction, segment: Segment) -> None:
        tx.fenced(LEASE, self._epoch)
        UpkeepRepository(tx).damaged(segment)

    @reads
    def _expired(self, tx: Transaction) -> Sequence[str]:
        upkeep, settings = UpkeepRepository(tx), self._settings
        found: list[str] = []
        if settings.log_keep_days:
            before = tx.now - timedelta(days=settings.log_keep_days)
            found += upkeep.expired(before, AT_ONCE)
        if settings.log_keep_bytes:
            excess = upkeep.stored_bytes() - settings.log_keep_bytes
            for execution_id in upkeep.oldest(AT_ONCE):
                if excess <= 0:
                    break
                excess -= upkeep.stored_bytes(execution_id)
                found.append(execution_id)
        return list(dict.fromkeys(found))

    @writes
    def _remove(self, tx: Transaction, execution_id: str) -> None:
        tx.fenced(LEASE, self._epoch)
        UpkeepRepository(tx).remove(execution_id)

    @reads
    def _to_shelve(self, tx: Transaction) -> Sequence[Segment]:
        before = tx.now - timedelta(days=self._settings.log_archive_days)
        found = UpkeepRepository(tx).to_shelve(before, AT_ONCE + len(self._stuck))
        return [segment for segment in found if segment.file not in self._stuck]

    @writes
    def _note_shelved(self, tx: Transaction, segment: Segment) -> None:
        tx.fenced(LEASE, self._epoch)
        UpkeepRepository(tx).shelved(segment)

    @reads
    def _to_unshelve(self, tx: Transaction) -> Sequence[Segment]:
        before = tx.now - timedelta(seconds=self._settings.log_replaced_seconds)
        return UpkeepRepository(tx).to_unshelve(before, AT_ONCE)

    @writes
    def _note_unshelved(self, tx: Transaction, segment: Segment) -> None:
        tx.fenced(LEASE, self._epoch)
        UpkeepRepository(tx).unshelved(segment)

    @reads
    def _left_over(self, tx: Transaction) -> Sequence[tuple[str, int, str]]:
        before = tx.now - timedelta(seconds=self._settings.log_replaced_seconds)
        return UpkeepRepository(tx).left_over(before, AT_ONCE)

    @writes
    def _deleted(self, tx: Transaction, files: Sequence[tuple[str, int, str]]) -> None:
        UpkeepRepository(tx).deleted(files)

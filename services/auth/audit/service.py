"""The audit log: takes in what all services tell, shows it, exports it, and proves it whole."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.contracts.audit import Audited, audit, audited, refused
from libs.kit import clock
from libs.kit.acting import Actor
from libs.kit.db import Database, Lease, LeaseLost, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.logging import get_logger
from libs.kit.refusals import Refusal
from services.auth.audit.domain import (
    PRUNED,
    Checkpoint,
    Head,
    Record,
    Verification,
    checkpoint_of,
)
from services.auth.audit.repository import AuditChain, CheckpointFile
from services.auth.audit.schemas import (
    MAX_XLSX_ROWS,
    AuditListQuery,
    AuditQuery,
    ExportForm,
    RefusalReport,
    Workbook,
    csv_head,
    csv_rows,
    jsonl_rows,
)
from services.auth.errors import AuditRecordNotFound, ExportTooLarge
from services.auth.settings import AuditSettings

EXPORT_BATCH: Final = 500
PRUNE_BATCH: Final = 5_000
VERIFY_BATCH: Final = 1_000
LEASE: Final = timedelta(seconds=60)
LOOK_SECONDS: Final = 2.0
AGAIN_SECONDS: Final = 30.0
PRUNE_SECONDS: Final = 3600.0

log = get_logger(__name__)


class AuditLog:
    """Use cases around the records. Nothing changes a record; only retention removes any."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @writes
    def record(self, tx: Transaction, fact: Audited) -> None:
        """Links a fact to the end of the chain; one that is there already changes nothing."""
        AuditChain(tx).append(_bare(fact, tx))

    @writes
    def note_refusals(self, tx: Transaction, refusals: list[RefusalReport]) -> None:
        """Takes in what a gateway refused; it reaches the chain as any other fact."""
        for one in refusals:
            actor = Actor(0, one.username, "anonymous", one.address, one.user_agent, "gateway")
            known = Refusal(one.action, one.code, one.place, actor=actor, request_id=one.request_id)
            tx.emit(refused(known, one.repeats))

    @reads
    def page(self, tx: Transaction, query: AuditListQuery) -> tuple[list[Record], int | None]:
        """Records, newest first, and the cursor of what follows them."""
        chain = AuditChain(tx)
        found = chain.matching(query, before=query.cursor, limit=query.page_size + 1)
        shown = found[: query.page_size]
        return shown, shown[-1].seq if len(found) > query.page_size else None

    @reads
    def one(self, tx: Transaction, seq: int) -> Record:
        """A record; raises AuditRecordNotFound."""
        found = AuditChain(tx).by_seq(seq)
        if found is None:
            raise AuditRecordNotFound(id=seq)
        return found

    # ---- exports ---------------------------------------------------------------------------

    async def export(self, query: AuditQuery, form: ExportForm) -> AsyncIterator[bytes]:
        """The pieces of a file, newest record first; that it was made is recorded before.

        Raises ExportTooLarge where more records match than a sheet can hold.
        """
        await self._begin_export(query, form)
        if form is ExportForm.XLSX:
            return self._workbook(query)
        return self._lines(query, form)

    @writes
    def _begin_export(self, tx: Transaction, query: AuditQuery, form: ExportForm) -> None:
        is_sheet = form is ExportForm.XLSX
        if is_sheet and AuditChain(tx).count(query, most=MAX_XLSX_ROWS + 1) > MAX_XLSX_ROWS:
            raise ExportTooLarge(most=MAX_XLSX_ROWS)
        audit(tx, "audit.export", kind="audit", after={"format": form, "filters": query.said()})

    async def _batches(self, query: AuditQuery) -> AsyncIterator[list[Record]]:
        before: int | None = None
        while batch := await self._batch(query, before):
            yield batch
            before = batch[-1].seq
            if len(batch) < EXPORT_BATCH:
                return

    @reads
    def _batch(self, tx: Transaction, query: AuditQuery, before: int | None) -> list[Record]:
        return AuditChain(tx).matching(query, before=before, limit=EXPORT_BATCH)

    async def _lines(self, query: AuditQuery, form: ExportForm) -> AsyncIterator[bytes]:
        rows = csv_rows if form is ExportForm.CSV else jsonl_rows
        if form is ExportForm.CSV:
            yield csv_head()
        async for batch in self._batches(query):
            yield await asyncio.to_thread(rows, batch)

    async def _workbook(self, query: AuditQuery) -> AsyncIterator[bytes]:
        book = await asyncio.to_thread(Workbook)
        try:
            async for batch in self._batches(query):
                await asyncio.to_thread(book.add, batch)
            pieces = book.finished()
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece
        finally:
            book.close()


class Checkpoints:
    """Writes signed checkpoints outside the database; with replicas, the one with the lease."""

    def __init__(
        self, db: Database, *, file: CheckpointFile, settings: AuditSettings, holder: str
    ) -> None:
        self._db = db
        self._file = file
        self._settings = settings
        self._lease = Lease(db, "audit checkpoints", holder=holder, ttl=LEASE)

    async def run(self) -> None:
        """Looks for ever whether a checkpoint is due; what is in the way is waited for."""
        while True:
            pause = LOOK_SECONDS
            try:
                await self.write_due()
            except (Unavailable, OSError, ValueError) as error:
                log.error("An audit checkpoint could not be written.", exc_info=error)
                pause = AGAIN_SECONDS
            await asyncio.sleep(pause)

    async def write_due(self) -> Checkpoint | None:
        """Writes one if enough records or enough time have passed since the last."""
        head = await self._head()
        if head is None or head.seq == head.checkpoint_seq:
            return None
        enough = head.seq - head.checkpoint_seq >= self._settings.checkpoint_records
        age = timedelta(seconds=self._settings.checkpoint_seconds)
        old = head.checkpoint_at is None or clock.now() - head.checkpoint_at >= age
        return await self.write() if enough or old else None

    async def write(self) -> Checkpoint | None:
        """Writes a checkpoint of the chain as it is; None where another replica does that."""
        epoch = await self._lease.try_acquire()
        head = await self._head()
        if epoch is None or head is None:
            return None
        made = await asyncio.to_thread(self._written, head)
        # First the file, then the note: after a crash in between the next one is merely early.
        await self._noted(made.seq, epoch)
        log.info(
            "Audit checkpoint.",
            chain=made.chain,
            seq=made.seq,
            hash=made.hash,
            key=made.key,
            sig=made.sig,
            at=made.at,
        )
        return made

    def _written(self, head: Head) -> Checkpoint:
        made = checkpoint_of(head, self._file.key(), clock.now())
        self._file.append(made)
        return made

    @reads
    def _head(self, tx: Transaction) -> Head | None:
        return AuditChain(tx).head()

    @writes
    def _noted(self, tx: Transaction, seq: int, epoch: int) -> None:
        tx.fenced(self._lease.name, epoch)
        AuditChain(tx).note_checkpoint(seq)


class Retention:
    """Removes what is older than it has to be kept, and leaves a record that says so."""

    def __init__(self, db: Database, *, checkpoints: Checkpoints, settings: AuditSettings) -> None:
        self._db = db
        self._checkpoints = checkpoints
        self._settings = settings

    async def run(self) -> None:
        """Prunes for ever, once an hour; what is in the way is waited for."""
        while True:
            try:
                removed = await self.prune()
            except (Unavailable, OSError, ValueError) as error:
                log.error("The audit log could not be pruned.", exc_info=error)
            else:
                if removed:
                    log.info("Audit records were removed.", records=removed)
            await asyncio.sleep(PRUNE_SECONDS)

    async def prune(self) -> int:
        """Removes old records in short transactions and says how many.

        Each adds a record with the hash of the last one removed, from which the rest of the chain
        still verifies; a checkpoint then signs that.
        """
        total = 0
        while removed := await self._some():
            total += removed
        if total:
            try:
                await self._checkpoints.write()
            except LeaseLost:
                log.info("Another replica writes the checkpoint after pruning.")
        return total

    @writes
    def _some(self, tx: Transaction) -> int:
        chain = AuditChain(tx)
        moment = tx.now - timedelta(days=self._settings.keep_days)
        last = chain.last_before(moment, PRUNE_BATCH)
        if last is None:
            return 0
        kept_from = {"through": last.seq, "digest": last.hash, "older_than": moment}
        fact = audited(PRUNED, kind="audit", after=kept_from).stamped("")
        chain.append(_bare(fact, tx))
        return chain.remove_through(last.seq)


class Inspection:
    """Goes through the whole chain and says what is wrong first; changes nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def verify(
        self, checkpoints: Sequence[Checkpoint], key: Ed25519PublicKey | None, *, complete: bool
    ) -> Verification:
        """The verification, ended; its ``finding`` is None when all is well.

        ``complete`` says that the checkpoints are all that were written, not an earlier copy.
        """
        while True:
            head, oldest = await self._ends()
            found = Verification(checkpoints, key, complete=complete)
            found.begin(head)
            if found.finding is None:
                await self._feed(found, head)
                found.end(head)
            if found.finding is None or (await self._ends())[1] == oldest:
                return found
            # Old records were removed meanwhile, so what was read is of two states: once more.

    async def _feed(self, found: Verification, head: Head | None) -> None:
        at = 0
        while batch := await self._batch(at):
            for record in batch:
                is_new = head is not None and record.seq > head.seq
                if is_new and await self._is_known(record.seq):
                    return  # it came while we were reading
                if not found.feed(record):
                    return
            at = batch[-1].seq

    @reads
    def _ends(self, tx: Transaction) -> tuple[Head | None, int]:
        chain = AuditChain(tx)
        oldest = chain.following(0, 1)
        return chain.head(), oldest[0].seq if oldest else 0

    @reads
    def _batch(self, tx: Transaction, after: int) -> list[Record]:
        return AuditChain(tx).following(after, VERIFY_BATCH)

    @reads
    def _is_known(self, tx: Transaction, seq: int) -> bool:
        head = AuditChain(tx).head()
        return head is not None and head.seq >= seq


def _bare(fact: Audited, tx: Transaction) -> Record:
    return Record(
        seq=0,
        prev_hash="",
        event_id=fact.event_id,
        occurred_at=fact.occurred_at or tx.now,
        recorded_at=tx.now,
        actor_id=fact.actor_id,
        actor_name=fact.actor_name,
        actor_kind=fact.actor_kind,
        action=fact.action,
        object_type=fact.object_type,
        object_id=fact.object_id,
        object_name=fact.object_name,
        outcome=fact.outcome,
        address=fact.address,
        user_agent=fact.user_agent,
        request_id=fact.request_id,
        trace_id=fact.trace_id,
        detail=fact.detail,
        before=fact.before,
        after=fact.after,
        repeats=fact.repeats,
    )

"""Between executions that wait and auth, where people say yes or no.

Everything is done from rows: what is not asked yet is asked, what is open is looked at again. A
fact of auth only says to look sooner, so a crash, a lost fact or an empty Redis delays and changes
nothing. Doing it twice, or in two processes, changes nothing either.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from libs.contracts.approvals import ApprovalInfo, ApprovalRequest, ApprovalState
from libs.contracts.audit import audit
from libs.contracts.auth import AuthClient
from libs.contracts.execution import TaskStatus
from libs.kit.clock import monotonic, now
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import AppError, NotFound, Unavailable
from libs.kit.logging import get_logger
from services.execution.changes.service import Changes
from services.execution.consents.domain import SUBJECT
from services.execution.consents.repository import ConsentRepository
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import ConsentState
from services.execution.flow.service import Flow
from services.execution.guards import Consent
from services.execution.repository import ExecutionRepository
from services.execution.settings import ExecutionSettings

AT_ONCE: Final = 50
REPEAT_SECONDS: Final = 2.0
"""How soon to try again when auth does not answer."""
SHORTEST: Final = 10
_FINAL: Final = frozenset({"too_few_approvers", "content_changed"})
"""Answers of auth that asking again does not change."""
_STATES: Final = {
    ApprovalState.APPROVED: ConsentState.APPROVED,
    ApprovalState.DECLINED: ConsentState.DECLINED,
    ApprovalState.EXPIRED: ConsentState.EXPIRED,
    ApprovalState.WITHDRAWN: ConsentState.WITHDRAWN,
}

log = get_logger(__name__)


class Approvals:
    """A loop of the service; every replica runs it."""

    def __init__(
        self,
        db: Database,
        auth: AuthClient,
        flow: Flow,
        dispatcher: Dispatcher,
        changes: Changes,
        settings: ExecutionSettings,
    ) -> None:
        self._db = db
        self._auth = auth
        self._flow = flow
        self._dispatcher = dispatcher
        self._changes = changes
        self._settings = settings
        self._bell = asyncio.Event()

    def wake(self) -> None:
        """Something new waits."""
        self._bell.set()

    async def run(self) -> None:
        """Ask and listen until cancelled."""
        next_look = monotonic()
        while True:
            try:
                async with asyncio.timeout(max(0.0, next_look - monotonic())):
                    await self._bell.wait()
            except TimeoutError:
                next_look = monotonic() + self._settings.sweep_seconds
            self._bell.clear()
            try:
                await self.tick()
            except Unavailable as error:
                log.warning("Approvals have to wait.", error=type(error).__name__)

    async def heard(self, approval_id: str) -> None:
        """Auth says that one has changed; raises Unavailable."""
        consent = await self._one(approval_id)
        if consent is not None and consent.state == ConsentState.ASKED:
            await self._look(consent)

    async def tick(self) -> None:
        """Ask for what is new, look at what is open, take back what nobody needs any more."""
        due, pointless = await self._due()
        gone = {one.approval_id for one in pointless}
        for consent in pointless:
            await self._guarded(consent)
        for consent in due:
            if consent.approval_id not in gone:
                await self._guarded(consent, is_wanted=True)

    async def _guarded(self, consent: Consent, *, is_wanted: bool = False) -> None:
        try:
            if not is_wanted:
                await self._take_back(consent)
            elif consent.state == ConsentState.NEW:
                await self._ask(consent)
            else:
                await self._look(consent)
        except AppError as error:
            if error.code in _FINAL:
                await self._settle(consent, ConsentState.DECLINED, error.message)
                return
            log.warning("An approval has to wait.", error=error.code, id=consent.approval_id)
            await self._put_off(consent.approval_id, REPEAT_SECONDS)

    async def _ask(self, consent: Consent) -> None:
        left = (consent.expires_at - now()).total_seconds()
        if left <= 0:
            await self._settle(consent, ConsentState.EXPIRED, None)
            return
        request = await self._request(consent, max(SHORTEST, int(left)))
        info = await self._auth.request_approval(request)
        await self._was_asked(consent, info)
        if info.state is not ApprovalState.OPEN:
            await self._look(consent)

    @reads
    def _request(self, tx: Transaction, consent: Consent, seconds: int) -> ApprovalRequest:
        execution = ExecutionRepository(tx).by_id(consent.execution_id)
        assert execution is not None, "consents belong to executions"
        return ApprovalRequest(
            id=consent.approval_id,
            subject_kind=SUBJECT,
            subject_id=consent.execution_id,
            subject_name=execution.name[:128],
            subject_hash=consent.subject_hash,
            requester_id=execution.user_id,
            requester_name=execution.username[:64],
            reason=", ".join(consent.rules)[:2000],
            approver_ids=consent.approver_ids,
            approver_group_ids=consent.approver_group_ids,
            quorum=consent.quorum,
            expires_in_seconds=seconds,
            content=consent.content or "",
        )

    async def _look(self, consent: Consent) -> None:
        try:
            info = await self._auth.approval(consent.approval_id)
        except NotFound:
            # Auth has forgotten it, as after a restored backup; what was to be seen is gone here.
            await self._settle(consent, ConsentState.EXPIRED, "auth does not know it any more")
            return
        if info.state is ApprovalState.OPEN:
            await self._put_off(consent.approval_id, self._settings.approval_look_seconds)
        else:
            await self._settle(consent, _STATES[info.state], _said(info))

    async def _take_back(self, consent: Consent) -> None:
        if consent.state == ConsentState.ASKED:
            requester = (await self._request(consent, SHORTEST)).requester_id
            try:
                await self._auth.withdraw_approval(consent.approval_id, requester)
            except Unavailable:
                raise
            except AppError:
                log.info("An approval was decided before it was taken back.")
        await self._settle(consent, ConsentState.WITHDRAWN, None)

    async def _settle(self, consent: Consent, state: ConsentState, detail: str | None) -> None:
        if await self._settled(consent.approval_id, consent.execution_id, state, detail):
            self._changes.tell([consent.execution_id])
            self._dispatcher.wake(execution_id=consent.execution_id)

    # ---- rows -------------------------------------------------------------------------------

    @reads
    def _one(self, tx: Transaction, approval_id: str) -> Consent | None:
        return ConsentRepository(tx).by_id(approval_id)

    @reads
    def _due(self, tx: Transaction) -> tuple[Sequence[Consent], Sequence[Consent]]:
        consents = ConsentRepository(tx)
        return consents.due(AT_ONCE), consents.pointless(AT_ONCE)

    @writes
    def _put_off(self, tx: Transaction, approval_id: str, seconds: float) -> None:
        ConsentRepository(tx).put_off([approval_id], tx.now + timedelta(seconds=seconds))

    @writes
    def _was_asked(self, tx: Transaction, consent: Consent, info: ApprovalInfo) -> None:
        look = tx.now + timedelta(seconds=self._settings.approval_look_seconds)
        ConsentRepository(tx).was_asked(consent.approval_id, info.expires_at, look)

    @writes
    def _settled(
        self,
        tx: Transaction,
        approval_id: str,
        execution_id: str,
        state: ConsentState,
        detail: str | None,
    ) -> bool:
        """What was said, and what follows from it for the execution, in one commit."""
        consents = ConsentRepository(tx)
        if not consents.settle(approval_id, state, detail):
            return False
        if state is ConsentState.APPROVED:
            if consents.lacking(execution_id):
                return True
            moved = self._flow.allow(tx, execution_id)
        else:
            status = TaskStatus.EXPIRED if state is ConsentState.EXPIRED else TaskStatus.CANCELLED
            moved = self._flow.refuse(tx, execution_id, status, f"approval_{state}", detail)
        if moved:
            after: dict[str, object] = {"approval_id": approval_id, "state": state}
            audit(
                tx,
                f"execution.approval_{state}",
                kind="execution",
                id=execution_id,
                after=after,
                detail=detail or "",
            )
        return True


def _said(info: ApprovalInfo) -> str | None:
    """Who said no, and why."""
    said = [vote for vote in info.votes if not vote.approve]
    text = "; ".join(f"{one.username}: {one.comment}".rstrip(": ") for one in said)
    return text[:500] or None

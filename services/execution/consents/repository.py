"""Consents in the database, and what they are about."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import or_, select, update

from libs.kit.db import Prepared, Transaction
from services.execution.consents.domain import (
    Asked,
    Evidence,
    Repeated,
    Target,
    content_of,
    digest,
    is_static,
)
from services.execution.domain import AWAITED, ConsentState
from services.execution.guards import Consent
from services.execution.models import Execution, Step, Task
from services.execution.rules.domain import Approvers

_NEEDING = Prepared(
    lambda among: select(Consent.execution_id).where(among(Consent.execution_id, "executions"))
)


class ConsentRepository:
    """Questions about consents, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    # ---- what is approved -------------------------------------------------------------------

    def content(self, execution_id: str) -> tuple[str, frozenset[tuple[int, str]]]:
        """What an execution would run, as its rows say now, and on which hosts and agents."""
        self._session.flush()
        fresh = {"populate_existing": True}  # as the database has it, not as somebody set it
        execution = self._session.get_one(Execution, execution_id, populate_existing=True)
        steps = self._session.scalars(
            select(Step).where(Step.execution_id == execution_id).order_by(Step.position),
            execution_options=fresh,
        ).all()
        static = [step.id for step in steps if is_static(step)]
        rows = self._session.execute(
            select(Task.step_id, Task.host_id, Task.host_name, Task.ip_address, Task.agent_id)
            .where(Task.execution_id == execution_id, Task.step_id.in_(static))
            .order_by(Task.id)
        )
        targets = [Target(*row[:4], row.agent_id or "") for row in rows]
        places = frozenset((one.host_id, one.agent_id) for one in targets)
        return content_of(execution, steps, targets), places

    def evidence(self, execution_ids: Iterable[str]) -> dict[str, Evidence]:
        """Of those executions that need consent, what the rows say about it."""
        found: dict[str, Evidence] = {}
        needing = {row[0] for row in self._tx.rows(_NEEDING, {"executions": list(execution_ids)})}
        if not needing:
            return found
        for execution_id, consents in self.of(needing).items():
            content, places = self.content(execution_id)
            asked = tuple(Asked(c.approval_id, c.subject_hash, _approvers(c)) for c in consents)
            user_id = self._session.get_one(Execution, execution_id).user_id
            found[execution_id] = Evidence(execution_id, user_id, digest(content), places, asked)
        return found

    def repeated(self, execution_id: str, step_id: str) -> Repeated | None:
        """A step of an execution and its hosts; None if there is no such step."""
        step = self._session.get(Step, step_id)
        if step is None or step.execution_id != execution_id:
            return None
        execution = self._session.get_one(Execution, execution_id)
        hosts = self._session.scalars(select(Task.host_id).where(Task.step_id == step_id))
        consents = self.of([execution_id]).get(execution_id, [])
        given = frozenset(_approvers(c) for c in consents if c.state == ConsentState.APPROVED)
        return Repeated(execution.name, execution.variables, step, tuple(hosts), given)

    # ---- how they stand ---------------------------------------------------------------------

    def of(self, execution_ids: Iterable[str]) -> dict[str, list[Consent]]:
        """The consents of these executions; executions that need none are absent."""
        rows = self._session.scalars(
            select(Consent)
            .where(Consent.execution_id.in_(list(execution_ids)))
            .order_by(Consent.approval_id)
        )
        found: dict[str, list[Consent]] = {}
        for row in rows:
            found.setdefault(row.execution_id, []).append(row)
        return found

    def by_id(self, approval_id: str) -> Consent | None:
        """The consent that waits for this approval."""
        return self._session.get(Consent, approval_id)

    def add(self, consents: Sequence[Consent]) -> None:
        """Stores what an execution waits for."""
        self._session.add_all(consents)
        self._session.flush()

    def due(self, limit: int) -> Sequence[Consent]:
        """Those about which auth is to be asked now."""
        return self._session.scalars(
            select(Consent)
            .where(Consent.state.in_(sorted(AWAITED)), Consent.look_at <= self._tx.now)
            .order_by(Consent.look_at)
            .limit(limit)
        ).all()

    def pointless(self, limit: int) -> Sequence[Consent]:
        """Those whose execution waits no more: somebody has stopped it."""
        return self._session.scalars(
            select(Consent)
            .join(Execution, Execution.id == Consent.execution_id)
            .where(
                Consent.state.in_(sorted(AWAITED)),
                or_(Execution.finished_at.is_not(None), Execution.cancel_requested_at.is_not(None)),
            )
            .limit(limit)
        ).all()

    def put_off(self, approval_ids: Sequence[str], until: datetime) -> None:
        """Look at these again then."""
        self._session.execute(
            update(Consent)
            .where(Consent.approval_id.in_(approval_ids))
            .values(look_at=until)
            .execution_options(synchronize_session=False)
        )

    def was_asked(self, approval_id: str, expires_at: datetime, look_at: datetime) -> None:
        """Auth knows of it now, and keeps what is approved."""
        self._session.execute(
            update(Consent)
            .where(Consent.approval_id == approval_id, Consent.state == ConsentState.NEW)
            .values(state=ConsentState.ASKED, content=None, expires_at=expires_at, look_at=look_at)
            .execution_options(synchronize_session=False)
        )

    def settle(self, approval_id: str, state: ConsentState, detail: str | None) -> bool:
        """Ends the waiting for one; False when somebody else did (S59)."""
        changed = self._tx.changed(
            update(Consent)
            .where(Consent.approval_id == approval_id, Consent.state.in_(sorted(AWAITED)))
            .values(state=state, detail=detail, decided_at=self._tx.now, content=None)
            .execution_options(synchronize_session=False)
        )
        return changed == 1

    def lacking(self, execution_id: str) -> bool:
        """Whether any consent of an execution is not given."""
        query = select(Consent.approval_id).where(
            Consent.execution_id == execution_id, Consent.state != ConsentState.APPROVED
        )
        return self._session.scalar(query.limit(1)) is not None


def _approvers(consent: Consent) -> Approvers:
    return Approvers.of(consent.approver_ids, consent.approver_group_ids, consent.quorum)

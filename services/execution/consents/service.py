"""Holding executions back until others agree, and the signer's own look at whether they did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from libs.contracts.approvals import MAX_CONTENT, ApprovalInfo
from libs.contracts.auth import AuthClient
from libs.contracts.hosts import HostsClient
from libs.kit.auth import Principal
from libs.kit.clock import monotonic
from libs.kit.db import Database, Transaction, reads
from libs.kit.errors import NotFound
from libs.kit.ids import new_id
from services.execution.consents.domain import (
    Evidence,
    Objection,
    Repeated,
    digest,
    is_given,
    objection,
)
from services.execution.consents.repository import ConsentRepository
from services.execution.domain import AWAITED, ConsentState
from services.execution.errors import ApprovalNeeded, NobodyMayApprove, TooLargeToApprove
from services.execution.guards import Consent
from services.execution.orders.domain import Filled
from services.execution.rules.domain import Demand, RuleBook
from services.execution.rules.service import Ground, Judge, RuleBooks, text_of
from services.execution.schemas import ConsentOut

ANSWER_SECONDS: Final = 2.0
"""How long an answer about an approval or the groups of a host is believed."""
MOST_KNOWN: Final = 20_000
NAMED: Final = 20
"""So many approvers are named to the requester."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A demand of rules with the names of those who may meet it."""

    demand: Demand
    names: tuple[str, ...]


class Consents:
    """What executions wait for."""

    def __init__(self, auth: AuthClient) -> None:
        self._auth = auth

    async def wanted(self, demands: Sequence[Demand], by: Principal) -> list[Wanted]:
        """Who may agree to a run of the caller; raises NobodyMayApprove. Asks nobody for none."""
        found: list[Wanted] = []
        for demand in demands:
            who = demand.approvers
            people = await self._auth.approvers(list(who.users), list(who.groups), but=by.id)
            if len(people) < who.quorum:
                raise NobodyMayApprove(
                    rules=list(demand.rules), quorum=who.quorum, approvers=len(people)
                )
            found.append(Wanted(demand, tuple(one.username for one in people[:NAMED])))
        return found

    def hold(self, tx: Transaction, execution_id: str, wanted: Sequence[Wanted]) -> None:
        """Keeps what a new execution waits for, in the transaction that stores it.

        Auth is asked afterwards, from these rows, so that a crash in between loses nothing. Raises
        TooLargeToApprove.
        """
        consents = ConsentRepository(tx)
        content, _ = consents.content(execution_id)
        if len(content) > MAX_CONTENT:
            raise TooLargeToApprove(characters=len(content), limit=MAX_CONTENT)
        consents.add([_consent(tx, execution_id, content, one) for one in wanted])

    @staticmethod
    def must_be_given(tx: Transaction, execution_id: str) -> None:
        """Raises ApprovalNeeded for an execution that was never approved and should have been."""
        if ConsentRepository(tx).lacking(execution_id):
            raise ApprovalNeeded(execution_id=execution_id)

    @staticmethod
    def shown(tx: Transaction, execution_id: str) -> list[ConsentOut]:
        """What an execution waits or waited for."""
        rows = ConsentRepository(tx).of([execution_id]).get(execution_id, [])
        return [ConsentOut.model_validate(row) for row in rows]


def _consent(tx: Transaction, execution_id: str, content: str, wanted: Wanted) -> Consent:
    demand = wanted.demand
    return Consent(
        approval_id=new_id(),
        execution_id=execution_id,
        state=ConsentState.NEW,
        subject_hash=digest(content),
        content=content,
        rules=list(demand.rules),
        approver_ids=list(demand.approvers.users),
        approver_group_ids=list(demand.approvers.groups),
        approver_names=list(wanted.names),
        quorum=demand.approvers.quorum,
        created_at=tx.now,
        expires_at=tx.now + timedelta(seconds=demand.expires_seconds),
        look_at=tx.now,
    )


def awaited(consents: Sequence[ConsentOut]) -> tuple[str, str] | None:
    """Whose consent is waited for and until when, in English and Chinese; None if for none's."""
    waiting = [one for one in consents if one.state in AWAITED]
    if not waiting:
        return None
    names = ", ".join(dict.fromkeys(name for one in waiting for name in one.approver_names))
    until = min(one.expires_at for one in waiting).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"It waits for approval until {until}; may be given by: {names}.",
        f"等待审批，截止 {until}；可审批人：{names}。",
    )


class Repeats:
    """Judges a step that is to begin anew in place, by the rules as they are now."""

    def __init__(self, db: Database, hosts: HostsClient, judge: Judge) -> None:
        self._db = db
        self._hosts = hosts
        self._judge = judge

    async def judge(self, execution_id: str, step_id: str, by: Principal) -> None:
        """Raises CommandBlocked, and ApprovalNeeded when others did not agree to this execution."""
        found = await self._read(execution_id, step_id)
        if found is None:
            return
        around: frozenset[int] = frozenset()
        if found.host_ids and await self._judge.asks_for_groups():
            lineage = await self._hosts.lineage(list(found.host_ids), [])
            around = frozenset(one for groups in lineage.hosts.values() for one in groups)
        step, ground = found.step, Ground(around)
        grounds = {step.name: ground}
        verdict = await self._judge.judge(found.name, by, [step], found.variables, grounds)
        lacking = [one for one in verdict.demands if one.approvers not in found.given]
        if lacking:
            rules = sorted({rule for demand in lacking for rule in demand.rules})
            raise ApprovalNeeded(execution_id=execution_id, rules=rules)

    @reads
    def _read(self, tx: Transaction, execution_id: str, step_id: str) -> Repeated | None:
        return ConsentRepository(tx).repeated(execution_id, step_id)


# ---- for the signer --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ordered:
    """A task whose order is written and not yet signed."""

    execution_id: str
    host_id: int
    agent_id: str
    kind: str
    script_type: str


class Clearance:
    """What counts for a batch of tasks, looked up once."""

    def __init__(
        self,
        book: RuleBook,
        evidence: Mapping[str, Evidence],
        given: Mapping[str, bool],
        groups: Mapping[int, frozenset[int]],
    ) -> None:
        self._book = book
        self._evidence = evidence
        self._given = given
        self._groups = groups

    def objection(self, task: Ordered, filled: Filled) -> Objection | None:
        """Why rules or approvals do not let this run; judged by the final text of the task."""
        text = text_of(task.kind, task.script_type, filled)
        around = self._groups.get(task.host_id, frozenset())
        hits = self._book.hits(text, filled.script_sha256)
        touching = [hit for hit in hits if hit.rule.touches(around)] if hits else []
        evidence = self._evidence.get(task.execution_id)
        return objection(evidence, self._given, (task.host_id, task.agent_id), touching)


class Clearances:
    """The signer's own look at rules, approvals and groups; it believes no column about them."""

    def __init__(self, auth: AuthClient, hosts: HostsClient, books: RuleBooks) -> None:
        self._auth = auth
        self._hosts = hosts
        self._books = books
        self._infos: dict[str, tuple[float, ApprovalInfo | None]] = {}
        self._groups: dict[int, tuple[float, frozenset[int]]] = {}

    async def of(self, evidence: Mapping[str, Evidence], host_ids: Iterable[int]) -> Clearance:
        """What counts for tasks on these hosts now. Raises Unavailable.

        Auth is asked only for executions that need consent, hosts only if rules name groups.
        """
        book = await self._books.current()
        given: dict[str, bool] = {}
        for one in evidence.values():
            for asked in one.asked:
                info = await self._info(asked.approval_id)
                given[asked.approval_id] = info is not None and is_given(asked, info, one)
        groups: Mapping[int, frozenset[int]] = {}
        if book.asks_for_groups:
            groups = await self._around(set(host_ids))
        return Clearance(book, evidence, given, groups)

    async def _info(self, approval_id: str) -> ApprovalInfo | None:
        at, info = self._infos.get(approval_id, (float("-inf"), None))
        if monotonic() - at >= ANSWER_SECONDS:
            if len(self._infos) > MOST_KNOWN:
                self._infos.clear()
            at = monotonic()
            try:
                info = await self._auth.approval(approval_id)
            except NotFound:
                info = None
            self._infos[approval_id] = (at, info)
        return info

    async def _around(self, host_ids: set[int]) -> dict[int, frozenset[int]]:
        fresh = monotonic() - ANSWER_SECONDS
        known = {h: self._groups[h] for h in host_ids if h in self._groups}
        missing = sorted(h for h in host_ids if h not in known or known[h][0] < fresh)
        if missing:
            if len(self._groups) > MOST_KNOWN:
                self._groups.clear()
            at = monotonic()
            found = (await self._hosts.lineage(missing, [])).hosts
            for host_id in missing:
                known[host_id] = self._groups[host_id] = (at, frozenset(found.get(host_id, ())))
        return {host_id: around for host_id, (_, around) in known.items()}

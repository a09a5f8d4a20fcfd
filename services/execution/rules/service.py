"""The use cases of rules: keeping them, trying them, and judging what is about to be accepted."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol

from libs.contracts.audit import audit
from libs.contracts.auth import AuthClient
from libs.contracts.hosts import HostsClient
from libs.kit.auth import Principal
from libs.kit.clock import monotonic
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Conflict, Invalid, NotFound
from libs.kit.masking import State
from services.execution.domain import RuleAction, StepKind
from services.execution.errors import CommandBlocked, NobodyMayApprove, RulePatternInvalid
from services.execution.guards import CommandRule
from services.execution.orders.domain import Filled
from services.execution.orders.service import ANY_HOST, Sample, Written, likely_texts
from services.execution.rules.domain import (
    Demand,
    Finding,
    Hit,
    PatternKind,
    Rule,
    RuleBook,
    Text,
    demands,
    findings,
)
from services.execution.rules.repository import RuleRepository
from services.execution.rules.schemas import CheckIn, CheckOut, RuleCreate, RulePatch, RuleQuery

MAX_RULES: Final = 200
BOOK_SECONDS: Final = 2.0
"""How old the rules may be by which somebody is judged."""
SHOWN: Final = 50
_STRONGEST = (RuleAction.BLOCK, RuleAction.APPROVE, RuleAction.WARN)
_COLUMNS = tuple(RuleCreate.model_fields)


class RuleNotFound(NotFound):
    """There is no rule with that id, or not any more."""

    code = "rule_not_found"
    message = "There is no such rule."
    message_zh = "没有这条规则。"


class TooManyRules(Conflict):
    """Every rule looks at every text."""

    code = "too_many_rules"
    message = "There are as many rules as may be; delete one first."
    message_zh = "规则数量已达上限，请先删除一条。"


class RuleIncomplete(Invalid):
    """`reason` says what is missing: approvers, a pattern, or host groups."""

    code = "rule_incomplete"
    message = "The parts of this rule do not fit each other; `reason` says why."
    message_zh = "规则各部分不匹配，原因见 reason。"


class UnknownHostGroups(Invalid):
    """A rule about groups that do not exist would never find anything."""

    code = "unknown_host_groups"
    message = "Some of these host groups do not exist."
    message_zh = "部分主机组不存在。"


class RuleBooks:
    """The rules that are enabled, read again when they are two seconds old, made ready once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turn = asyncio.Lock()
        self._book = RuleBook()
        self._rows: list[tuple[object, ...]] | None = None
        self._at = float("-inf")

    async def current(self) -> RuleBook:
        """The rules as they were at most two seconds ago. Raises Unavailable."""
        if monotonic() - self._at >= BOOK_SECONDS:
            async with self._turn:
                if monotonic() - self._at >= BOOK_SECONDS:
                    at = monotonic()
                    self._renew(await self._read())
                    self._at = at
        return self._book

    def forget(self) -> None:
        """Read them again at the next question."""
        self._at = float("-inf")

    @reads
    def _read(self, tx: Transaction) -> Sequence[CommandRule]:
        return RuleRepository(tx).enabled()

    def _renew(self, rows: Sequence[CommandRule]) -> None:
        stamps: list[tuple[object, ...]] = [(row.id, *_values(row).values()) for row in rows]
        if stamps != self._rows:
            self._book, self._rows = RuleBook(map(Rule, rows)), stamps


class Rules:
    """Use cases around rules; every change is in the audit log with what was there before."""

    def __init__(
        self, db: Database, books: RuleBooks, hosts: HostsClient, auth: AuthClient
    ) -> None:
        self._db = db
        self._books = books
        self._hosts = hosts
        self._auth = auth

    @reads
    def page(self, tx: Transaction, query: RuleQuery) -> tuple[int, Sequence[CommandRule]]:
        """The total and one page."""
        return RuleRepository(tx).page(query)

    @reads
    def one(self, tx: Transaction, rule_id: int) -> CommandRule:
        """A rule; raises RuleNotFound."""
        return _required(RuleRepository(tx), rule_id)

    async def create(self, wanted: RuleCreate) -> CommandRule:
        """A new rule.

        Raises RuleNameTaken, RulePatternInvalid, RuleIncomplete, UnknownHostGroups,
        NobodyMayApprove and TooManyRules.
        """
        values = wanted.model_dump(mode="json")
        await self._check(values)
        rule = await self._create(values)
        self._books.forget()
        return rule

    @writes
    def _create(self, tx: Transaction, values: Mapping[str, object]) -> CommandRule:
        rules = RuleRepository(tx)
        if rules.count() >= MAX_RULES:
            raise TooManyRules(limit=MAX_RULES)
        rule = CommandRule(**values, created_at=tx.now, updated_at=tx.now)
        rules.store(rule)
        _account(tx, "command_rule.create", rule, after=_values(rule))
        return rule

    async def change(self, rule_id: int, patch: RulePatch) -> CommandRule:
        """A changed rule; raises what `create` raises, and RuleNotFound."""
        wanted = patch.model_dump(mode="json", exclude_unset=True)
        await self._check(_values(await self.one(rule_id)) | wanted)
        rule = await self._change(rule_id, wanted)
        self._books.forget()
        return rule

    @writes
    def _change(self, tx: Transaction, rule_id: int, wanted: Mapping[str, object]) -> CommandRule:
        rules = RuleRepository(tx)
        rule = _required(rules, rule_id, lock=True)
        before = _values(rule)
        for name, value in wanted.items():
            setattr(rule, name, value)
        _must_fit(_values(rule))
        after = _values(rule)
        if after != before:
            rule.updated_at = tx.now
            rules.store(rule)
            _account(tx, "command_rule.update", rule, before=before, after=after)
        return rule

    async def delete(self, rule_id: int) -> None:
        """Without a rule; what it asked for before stays asked. Raises RuleNotFound."""
        await self._delete(rule_id)
        self._books.forget()

    @writes
    def _delete(self, tx: Transaction, rule_id: int) -> None:
        rules = RuleRepository(tx)
        rule = _required(rules, rule_id, lock=True)
        _account(tx, "command_rule.delete", rule, before=_values(rule))
        rules.remove(rule)

    async def check(self, wanted: CheckIn, by: Principal) -> CheckOut:
        """What the rules say about a text; nothing is stored.

        Raises RulePatternInvalid for a pattern to be tried, and what hosts says of unknown hosts.
        """
        if wanted.rule is not None:
            tried = RuleCreate(name="draft", **wanted.rule.model_dump())
            book = RuleBook([Rule(CommandRule(id=0, **tried.model_dump(mode="json")))])
        else:
            book = await self._books.current()
        groups: frozenset[int] | None = None
        if wanted.target_host_ids:
            hosts = await self._hosts.resolve_targets(wanted.target_host_ids, by)
            groups = frozenset(group for host in hosts for group in host.groups)
        text = Text(wanted.script_type, wanted.script_content, wanted.args, wanted.env)
        hits = [h for h in book.hits(text) if groups is None or h.rule.touches(groups)]
        found = findings("", hits)
        actions = {one.action for one in found}
        return CheckOut.model_validate(
            {
                "action": next((one for one in _STRONGEST if one in actions), None),
                "findings": [one.stored() for one in found],
            }
        )

    async def _check(self, values: Mapping[str, object]) -> None:
        """Refuse a rule that could never do what it says."""
        _must_fit(values)
        groups = _ids(values, "host_group_ids")
        if groups:
            known = (await self._hosts.lineage([], groups)).groups
            missing = [one for one in groups if one not in known]
            if missing:
                raise UnknownHostGroups(missing=missing)
        if values["action"] == RuleAction.APPROVE:
            users, teams = _ids(values, "approver_ids"), _ids(values, "approver_group_ids")
            names = await self._auth.approvers(users, teams)
            quorum = values["quorum"]
            if len(names) < (quorum if isinstance(quorum, int) else 1):
                raise NobodyMayApprove(quorum=quorum, approvers=len(names))


def _must_fit(values: Mapping[str, object]) -> None:
    row = CommandRule(id=0, **values)
    if row.pattern_kind == PatternKind.ANYTHING:
        if row.pattern:
            raise RuleIncomplete(reason="a rule about anything has no pattern")
        if not row.host_group_ids:
            raise RuleIncomplete(reason="a rule about anything names host groups")
        if row.script_types:
            raise RuleIncomplete(reason="a rule about anything is about files too: no script types")
    elif not row.pattern.strip():
        raise RulePatternInvalid(reason="it is empty")
    if row.action == RuleAction.APPROVE and not (row.approver_ids or row.approver_group_ids):
        raise RuleIncomplete(reason="name who may approve")
    Rule(row)


def _required(rules: RuleRepository, rule_id: int, *, lock: bool = False) -> CommandRule:
    rule = rules.by_id(rule_id, lock=lock)
    if rule is None:
        raise RuleNotFound(rule_id=rule_id)
    return rule


def _values(rule: CommandRule) -> dict[str, object]:
    return {name: getattr(rule, name) for name in _COLUMNS}


def _ids(values: Mapping[str, object], name: str) -> list[int]:
    found = values[name]
    return list(found) if isinstance(found, list) else []


def _account(
    tx: Transaction, action: str, rule: CommandRule, *, before: State = None, after: State = None
) -> None:
    audit(tx, action, kind="command_rule", id=rule.id, name=rule.name, before=before, after=after)


# ---- before accept ---------------------------------------------------------------------------


class Judged(Written, Protocol):
    """A step that somebody wants to run."""

    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a step would run: the groups around its hosts, and one host for the texts."""

    groups: frozenset[int] = frozenset()
    sample: Sample = ANY_HOST


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about a request that is not refused."""

    findings: tuple[Finding, ...] = ()
    demands: tuple[Demand, ...] = ()


class Judge:
    """Judges what somebody wants to run, by the texts that hosts would be given."""

    def __init__(self, books: RuleBooks) -> None:
        self._books = books

    async def asks_for_groups(self) -> bool:
        """Whether it matters in which groups hosts lie."""
        return (await self._books.current()).asks_for_groups

    async def judge(
        self,
        name: str,
        by: Principal,
        steps: Sequence[Judged],
        variables: Mapping[str, object],
        grounds: Mapping[str, Ground],
    ) -> Verdict:
        """What the rules find in these steps; raises CommandBlocked."""
        book = await self._books.current()
        if not book.rules:
            return Verdict()
        sample = next((one.sample for one in grounds.values()), ANY_HOST)
        texts = likely_texts(name, by, steps, variables, sample)
        hits: list[Hit] = []
        found: list[Finding] = []
        for step, filled in zip(steps, texts, strict=True):
            if step.kind == StepKind.CONFIRM:
                continue
            groups = grounds.get(step.name, Ground()).groups
            of_step = _touching(book, step, filled, groups)
            hits += of_step
            found += findings(step.name, of_step)
        blocked = [one for one in found if one.action is RuleAction.BLOCK]
        if blocked:
            raise CommandBlocked(
                rules=sorted({one.rule for one in blocked}),
                findings=[one.stored() for one in blocked[:SHOWN]],
            )
        return Verdict(tuple(found), tuple(demands(hits)))


def _touching(book: RuleBook, step: Judged, filled: Filled, groups: AbstractSet[int]) -> list[Hit]:
    text = text_of(step.kind, step.script_type, filled)
    return [hit for hit in book.hits(text) if hit.rule.touches(groups)]


def text_of(kind: str, script_type: str, filled: Filled) -> Text:
    """What a host would be given, as rules read it."""
    is_script = kind == StepKind.SCRIPT
    return Text(script_type, filled.script, filled.args, filled.env, is_script=is_script)

"""From a request to a stored execution: hosts are resolved, everything is frozen, then it runs."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import SystemRandom

import msgspec

from libs.contracts.audit import audit
from libs.contracts.execution import ExecutionAccepted
from libs.contracts.hosts import HostsClient, HostTarget
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.faults import fault
from libs.kit.ids import new_id
from libs.kit.service import Schema
from services.execution.access.service import Access, Want, account_of, what_of
from services.execution.approvals.service import Approvals
from services.execution.breadth.service import Breadth
from services.execution.consents.service import Consents
from services.execution.dispatch.repository import Waiting
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import StepKind
from services.execution.errors import (
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    NoTargets,
    OrderTooLarge,
    TooManyTasks,
)
from services.execution.flow.service import Flow
from services.execution.models import Execution
from services.execution.orders.service import Sample, check_texts
from services.execution.plans.domain import (
    MAX_TASKS,
    Client,
    ExecutionType,
    Plan,
    StepPlan,
    accounted,
    hosts_by_step,
    in_order,
)
from services.execution.plans.repository import PlanRepository, Row
from services.execution.plans.schemas import (
    Accepted,
    ExecutionIn,
    StepIn,
    StrategyIn,
)
from services.execution.repository import ExecutionRepository
from services.execution.rules.service import Ground, Judge
from services.execution.schemas import FindingOut
from services.execution.settings import ExecutionSettings
from services.execution.transfers.service import Transfers
from services.execution.variables.service import Variables, freeze, host_ids, references_of

AT_ONCE = 10_000
"""Executions with at most so many tasks are offered in the transaction that stores them."""
MAX_ORDER_BYTES = 1_000_000
"""What an offer may have with its envelope within one agent message of 1 MiB."""

Also = Callable[[Transaction, str], None]

_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")


@dataclass(frozen=True)
class RequestKey:
    """A caller's idempotency key and the hash of the request that came with it (R3)."""

    key: str
    body_sha256: bytes

    @classmethod
    def of(cls, request: Schema, key: str | None) -> "RequestKey | None":
        """The key of a request, or None without one; raises IdempotencyKeyInvalid."""
        if key is None:
            return None
        if not _KEY.match(key):
            raise IdempotencyKeyInvalid()
        body = msgspec.json.encode(request.model_dump(mode="json"), order="sorted")
        return cls(key, hashlib.sha256(body).digest())


class Plans:
    """Accepting executions of one or many steps, and showing beforehand what they would do."""

    def __init__(
        self,
        db: Database,
        settings: ExecutionSettings,
        hosts: HostsClient,
        variables: Variables,
        dispatcher: Dispatcher,
        flow: Flow,
        transfers: Transfers,
        access: Access,
        judge: Judge,
        consents: Consents,
        approvals: Approvals,
    ) -> None:
        self._judge = judge
        self._consents = consents
        self._approvals = approvals
        self._access = access
        self._breadth = Breadth(settings)
        self._db = db
        self._settings = settings
        self._hosts = hosts
        self._variables = variables
        self._dispatcher = dispatcher
        self._flow = flow
        self._transfers = transfers

    async def run(
        self,
        request: ExecutionIn,
        by: Principal,
        key: RequestKey | None,
        client: Client,
        execution_type: str = ExecutionType.JOB_WORKFLOW,
    ) -> Accepted:
        """Resolve, freeze and accept a request; a repeated one gets the first one's answer."""
        if key is not None and (earlier := await self.repeated(by, key)):
            return earlier
        plan = await self.plan(request, by)
        plan = replace(plan, execution_type=execution_type, client=client)
        return await self.accept(plan, by, key)

    async def accept(
        self, plan: Plan, by: Principal, key: RequestKey | None, also: Also | None = None
    ) -> Accepted:
        """Store a plan; `created` is False for a repeated request.

        `also` runs in the same transaction, with the id of what is new; what it raises undoes all.

        Raises RunNotAllowed unless each step may run on each of its hosts as its account now, and
        SecretReferenceForbidden. Of what touches many hosts Breadth asks for more.
        When this returns, everything is committed and will run (R2). The way to the agents starts
        afterwards and needs no further word from the caller.
        """
        _check(plan)
        self._access.must_refer(references_of(plan.variables.kept), by)
        wants = wants_of(plan)
        await self._access.must_run(wants, by)
        self._breadth.judge(wants, by, confirmed=plan.confirmed_hosts)
        self._dispatcher.expect(by.id, ((h.host_id, h.agent_id) for h in plan.steps[0].hosts))
        plan = await self._guarded(plan, by)
        accepted, marked = await self._store(plan, by, key, also)
        if accepted.created and plan.wanted:
            self._approvals.wake()
        if accepted.created:
            fault("accept.after_commit")
            await self._dispatcher.offer_new(marked)
            if len(marked) < accepted.task_count:
                self._dispatcher.wake(execution_id=accepted.id)
        return accepted

    async def _guarded(self, plan: Plan, by: Principal) -> Plan:
        """The plan with what rules found in it and whose consent they want; or CommandBlocked."""
        kept = plan.variables.kept
        verdict = await self._judge.judge(plan.name, by, plan.steps, kept, grounds_of(plan))
        wanted = await self._consents.wanted(verdict.demands, by)
        return replace(plan, findings=verdict.findings, wanted=tuple(wanted))

    @reads
    def repeated(self, tx: Transaction, by: Principal, key: RequestKey) -> Accepted | None:
        """What an earlier request with this key was answered, or None."""
        return self._of_key(tx, by, key)

    @writes
    def _store(
        self,
        tx: Transaction,
        plan: Plan,
        by: Principal,
        key: RequestKey | None,
        also: Also | None,
    ) -> tuple[Accepted, Sequence[Waiting]]:
        execution_id = new_id()
        if key and not ExecutionRepository(tx).take_key(
            by.id, key.key, body_sha256=self._kept_of(key), execution_id=execution_id
        ):
            earlier = self._of_key(tx, by, key)
            if earlier is None:
                raise IdempotencyKeyReused()
            return earlier, ()
        execution, is_ready, marked = self._add(tx, execution_id, plan, by)
        if plan.variables.secrets:
            self._variables.keep(tx, execution_id, plan.variables)
        if plan.wanted:
            self._consents.hold(tx, execution_id, plan.wanted)
        if also is not None:
            also(tx, execution_id)
        tx.emit(ExecutionAccepted(execution_id=execution_id, user_id=by.id, tasks=plan.task_total))
        audit(
            tx,
            "execution.run",
            kind="execution",
            id=execution_id,
            name=plan.name,
            after=accounted(plan),
            by=by,
        )
        if not is_ready:
            self._flow.advance(tx, execution_id)
            execution = ExecutionRepository(tx).by_id(execution_id) or execution
        fault("accept.before_commit")
        return _accepted(tx, execution, created=True), marked

    def _add(
        self, tx: Transaction, execution_id: str, plan: Plan, by: Principal
    ) -> tuple[Execution, bool, Sequence[Waiting]]:
        """The stored rows, whether the engine need not begin it, and what of it is offered."""
        wait = timedelta(seconds=plan.start_seconds or self._settings.start_seconds)
        hosts = plan.steps[0].hosts
        is_ready = plan.is_plain and not plan.variables.secrets
        is_ready = is_ready and any(host.agent_id for host in hosts)
        marked: list[Waiting] = []

        def mark(rows: list[Row]) -> None:
            if is_ready and len(rows) <= AT_ONCE:
                marked.extend(self._dispatcher.mark_new(tx, rows, _online(hosts)))

        execution = PlanRepository(tx).add(execution_id, plan, by, wait, mark)
        return execution, is_ready, marked

    def _of_key(self, tx: Transaction, by: Principal, key: RequestKey) -> Accepted | None:
        executions = ExecutionRepository(tx)
        found = executions.execution_of_key(by.id, key.key)
        if found is None:
            return None
        kept, execution_id = found
        execution = executions.by_id(execution_id)
        if kept != self._kept_of(key) or execution is None:
            raise IdempotencyKeyReused()
        return _accepted(tx, execution, created=False)

    def _kept_of(self, key: RequestKey) -> bytes:
        return self._variables.fingerprint(key.body_sha256)

    async def plan(self, request: ExecutionIn, by: Principal) -> Plan:
        """Everything that a request means, with its hosts as `by` may see them now (R4).

        Raises NoTargets for a step without any host, TooManyTasks, OrderTooLarge, and what hosts
        answers about unknown hosts and groups.
        """
        resolve = _Resolver(self._hosts, by)
        shared = await resolve.hosts(request.target_host_ids, request.target_group_ids)
        steps: list[StepPlan] = []
        strategy = request.strategy
        shared = _ordered(shared, strategy)
        for step in request.steps:
            own = await resolve.hosts(step.target_host_ids, step.target_group_ids)
            named = step.target_host_ids is not None or step.target_group_ids is not None
            steps.append(_step(step, _ordered(own, strategy) if named else shared))
        payloads = await self._transfers.freeze(steps, by, known=frozenset(request.variables))
        steps = [replace(s, payload=one) for s, one in zip(steps, payloads, strict=True)]
        listed = host_ids(request.variables)
        plan = Plan(
            name=request.name or request.steps[0].name,
            steps=steps,
            strategy=strategy.strategy(),
            variables=freeze(request.variables, await resolve.hosts(listed, None)),
            description=request.description,
            priority=request.priority,
            start_seconds=request.not_after_seconds,
            confirmed_hosts=request.confirmed_host_count,
        )
        _check(plan)
        check_texts(plan.name, by, plan.steps, plan.variables.kept)
        return plan


class _Resolver:
    """Asks hosts about each set of ids once."""

    def __init__(self, hosts: HostsClient, by: Principal) -> None:
        self._hosts = hosts
        self._by = by
        self._groups: dict[tuple[int, ...], list[HostTarget]] = {}
        self._known: dict[int, HostTarget] = {}

    async def hosts(self, named: list[int] | None, groups: list[int] | None) -> list[HostTarget]:
        """The named hosts in their order, then those of the groups; each once."""
        found = dict.fromkeys(named or ())
        missing = [host_id for host_id in found if host_id not in self._known]
        if missing:
            for host in await self._hosts.resolve_targets(missing, self._by):
                self._known[host.host_id] = host
        for host in await self._in_groups(tuple(groups or ())):
            self._known[host.host_id] = host
            found[host.host_id] = None
        return [self._known[host_id] for host_id in found]

    async def _in_groups(self, groups: tuple[int, ...]) -> list[HostTarget]:
        if groups and groups not in self._groups:
            self._groups[groups] = await self._hosts.resolve_groups(list(groups), self._by)
        return self._groups.get(groups, [])


def wants_of(plan: Plan) -> list[Want]:
    """Every step on every host that it may come to, for the decision whether it may run there."""
    hosts = hosts_by_step(plan)
    wants: list[Want] = []
    for step in plan.steps:
        if step.kind != StepKind.CONFIRM:
            what, account = what_of(step.kind), account_of(step.run_as)
            wants.extend(
                Want(host.host_id, host.name, host.groups, step.name, what, account)
                for host in hosts[step.name]
            )
    return wants


def grounds_of(plan: Plan) -> dict[str, Ground]:
    """Where each step would run, for the rules about commands."""
    grounds: dict[str, Ground] = {}
    for name, hosts in hosts_by_step(plan).items():
        if hosts:
            around = frozenset(group for host in hosts for group in host.groups)
            first = hosts[0]
            grounds[name] = Ground(around, Sample(first.host_id, first.name, first.ip_address))
    return grounds


def _step(step: StepIn, hosts: Sequence[HostTarget]) -> StepPlan:
    targets: dict[str, object] = {}
    if step.hosts_of is not None:
        targets["hosts_of"] = step.hosts_of.model_dump()
    if step.target_group_ids is not None:
        targets["group_ids"] = step.target_group_ids
    payload: dict[str, object] = {}
    if step.confirm is not None:
        payload["confirm"] = step.confirm.model_dump(mode="json")
    if step.file is not None:
        payload["file"] = step.file.model_dump(mode="json", exclude_none=True)
    on_hosts = step.kind != StepKind.CONFIRM and step.hosts_of is None
    return StepPlan(
        name=step.name,
        kind=step.kind,
        script_type=step.script_type,
        script=step.script_content or "",
        args=step.args,
        env=step.env,
        run_as=step.run_as,
        cwd=step.cwd,
        timeout_seconds=step.timeout,
        retries=step.retries,
        retry_delay_seconds=step.retry_delay_seconds,
        ignore_error=step.ignore_error,
        success_codes=sorted(set(step.success_codes)),
        condition=step.condition.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if step.condition is not None
        else None,
        on_failure=step.on_failure,
        is_handler=step.is_handler,
        targets=targets,
        payload=payload,
        hosts=hosts if on_hosts else (),
    )


def _ordered(hosts: Sequence[HostTarget], strategy: StrategyIn) -> list[HostTarget]:
    return in_order(hosts, strategy.order, strategy.ranks, SystemRandom())


def _check(plan: Plan) -> None:
    for step in plan.steps:
        if not step.hosts and step.kind != StepKind.CONFIRM and "hosts_of" not in step.targets:
            raise NoTargets(step=step.name)
        size = len(msgspec.json.encode([step.script, list(step.args), dict(step.env)]))
        if size > MAX_ORDER_BYTES:
            raise OrderTooLarge(bytes=size, limit=MAX_ORDER_BYTES)
    if plan.task_total > MAX_TASKS:
        raise TooManyTasks(tasks=plan.task_total, limit=MAX_TASKS)


def _accepted(tx: Transaction, execution: Execution, *, created: bool) -> Accepted:
    return Accepted(
        execution_id=execution.id,
        id=execution.id,
        status=execution.status,
        task_count=execution.task_total,
        created=created,
        findings=[FindingOut.model_validate(one) for one in execution.findings],
        # A plain execution has never waited for anybody.
        approvals=[] if execution.is_plain else Consents.shown(tx, execution.id),
    )


def _online(hosts: Sequence[HostTarget]) -> set[str]:
    return {host.agent_id for host in hosts if host.agent_id and host.agent_status == "online"}

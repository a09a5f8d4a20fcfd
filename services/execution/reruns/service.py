"""The use cases of repetitions: a new record from an old one, and looking along the chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from libs.contracts.execution import ExecutionStatus
from libs.contracts.hosts import HostsClient, HostTarget
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads
from services.execution.access.repository import Sight
from services.execution.access.service import Access
from services.execution.control.domain import Action, Effect, Order
from services.execution.control.repository import ControlRepository
from services.execution.domain import BROKEN_TASKS, StepKind, Strategy, is_finished
from services.execution.errors import (
    ExecutionNotFound,
    ExecutionStillOpen,
    NothingToRetry,
    StepNotFound,
    TooManyRetries,
)
from services.execution.models import Execution, Step
from services.execution.plans.domain import Client, Lineage, Plan, StepPlan
from services.execution.plans.service import Plans, RequestKey
from services.execution.repository import ExecutionRepository
from services.execution.reruns.repository import RerunRepository
from services.execution.reruns.schemas import (
    ChainOut,
    HistoryOut,
    RetryIn,
    RetryOf,
    RetryOut,
    TraceOut,
)
from services.execution.settings import ExecutionSettings
from services.execution.variables.service import Frozen, Variables

MAX_HOSTS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Source:
    """What is repeated: the steps with the ids of their hosts, and everything around them."""

    execution: Execution
    steps: Sequence[Step]
    hosts: Mapping[str, Sequence[int]]
    variables: Frozen

    @property
    def root_id(self) -> str:
        """The first execution of the chain."""
        return self.execution.root_id or self.execution.id


class Reruns:
    """Repeating executions as new records."""

    def __init__(
        self,
        db: Database,
        settings: ExecutionSettings,
        plans: Plans,
        variables: Variables,
        hosts: HostsClient,
        access: Access,
    ) -> None:
        self._access = access
        self._db = db
        self._settings = settings
        self._plans = plans
        self._variables = variables
        self._hosts = hosts

    async def retry(
        self, execution_id: str, wanted: RetryIn, by: Principal, key: str | None, client: Client
    ) -> RetryOut:
        """Accept a new execution that repeats a finished one, with hosts as they are now.

        Raises ExecutionStillOpen, NothingToRetry, SecretsForgotten, TooManyRetries, and what hosts
        answers about hosts that are gone or may not be seen any more.
        """
        request = RetryOf(execution_id=execution_id, **wanted.model_dump())
        request_key = RequestKey.of(request, key)
        if request_key is not None:
            earlier = await self._plans.repeated(by, request_key)
            if earlier is not None:
                return await self._answer(earlier.id, created=False)
        source = await self._source(execution_id, wanted)
        ids = list(dict.fromkeys(one for hosts in source.hosts.values() for one in hosts))
        known = {
            host.host_id: host
            for start in range(0, len(ids), MAX_HOSTS_AT_ONCE)
            for host in await self._hosts.resolve_targets(
                ids[start : start + MAX_HOSTS_AT_ONCE], by
            )
        }
        plan = _plan(source, wanted, known, client)
        order = Order(
            Action.RETRY, execution_id, by, wanted.reason, client.ip, step_id=wanted.step_id
        )
        also = partial(self._join, source=source, wanted=wanted, order=order)
        accepted = await self._plans.accept(plan, by, request_key, also=also)
        return await self._answer(accepted.id, created=accepted.created)

    @reads
    def _source(self, tx: Transaction, execution_id: str, wanted: RetryIn) -> Source:
        executions = ExecutionRepository(tx)
        execution = executions.by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        if not is_finished(ExecutionStatus(execution.status)):
            raise ExecutionStillOpen(execution_id=execution_id, status=execution.status)
        steps = executions.steps_of(execution_id)
        if wanted.step_id is not None:
            steps = [step for step in steps if step.id == wanted.step_id]
            if not steps:
                raise StepNotFound(step_id=wanted.step_id)
        failed_only = wanted.retry_type == "failed_only"
        hosts = RerunRepository(tx).hosts_of(execution_id, BROKEN_TASKS if failed_only else None)
        if failed_only and wanted.step_id is None:
            hosts = _failed_anywhere(hosts, RerunRepository(tx).hosts_of(execution_id, None))
        hosts = {step.id: hosts.get(step.id, []) for step in steps}
        if not any(hosts.values()):
            raise NothingToRetry(execution_id=execution_id, retry_type=wanted.retry_type)
        secrets = self._variables.opened(tx, execution_id, execution.variables)
        return Source(execution, steps, hosts, Frozen(execution.variables, secrets))

    def _join(
        self, tx: Transaction, new_id: str, *, source: Source, wanted: RetryIn, order: Order
    ) -> None:
        """Within the transaction of the new record: the limit, the chain, the operation."""
        control, reruns = ControlRepository(tx), RerunRepository(tx)
        control.locked(source.root_id)  # one after the other, so that the chain has one newest
        limit = self._settings.max_concurrent_retries
        if control.open_retries(besides=new_id) >= limit:
            raise TooManyRetries(limit=limit, retry_after=10)
        reruns.make_latest(new_id, source.root_id, reruns.length(source.root_id))
        detail = {"retry_type": wanted.retry_type, "new_execution_id": new_id}
        control.record(order, Effect(True, detail))

    @reads
    def _answer(self, tx: Transaction, execution_id: str, *, created: bool) -> RetryOut:
        execution = ExecutionRepository(tx).by_id(execution_id)
        assert execution is not None, "it was stored"
        return RetryOut(
            execution_id=execution.id,
            id=execution.id,
            status=ExecutionStatus(execution.status),
            task_count=execution.task_total,
            created=created,
            parent_id=execution.parent_id or "",
            root_id=execution.root_id or "",
            retry_count=execution.retry_count,
        )

    async def history(self, execution_id: str, by: Principal) -> HistoryOut:
        """What the caller sees of the chain that an execution belongs to, oldest first."""
        return await self._history(execution_id, await self._access.sight(by))

    @reads
    def _history(self, tx: Transaction, execution_id: str, sight: Sight | None) -> HistoryOut:
        execution = ExecutionRepository(tx).by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        root_id = execution.root_id or execution.id
        chain = _seen(RerunRepository(tx).chain(root_id), sight)
        return HistoryOut(root_id=root_id, total=len(chain), results=chain)

    async def trace(self, execution_id: str, by: Principal) -> TraceOut:
        """Where an execution comes from, and what came of it, as far as the caller sees it."""
        return await self._trace(execution_id, await self._access.sight(by))

    @reads
    def _trace(self, tx: Transaction, execution_id: str, sight: Sight | None) -> TraceOut:
        execution = ExecutionRepository(tx).by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        reruns, root_id = RerunRepository(tx), execution.root_id or execution.id
        return TraceOut(
            execution_id=execution.id,
            execution_type=execution.execution_type,
            trigger=execution.trigger,
            user_id=execution.user_id,
            username=execution.username,
            client_ip=execution.client_ip,
            user_agent=execution.user_agent,
            scheduled_job_id=execution.scheduled_job_id,
            parent_id=execution.parent_id,
            root_id=root_id,
            retry_count=execution.retry_count,
            is_latest=execution.is_latest,
            chain=_seen(reruns.chain(root_id), sight),
            recent=_seen(reruns.recent(execution), sight),
        )


def _seen(executions: Sequence[Execution], sight: Sight | None) -> list[ChainOut]:
    return [_shown(one) for one in executions if sight is None or sight.covers(one.user_id, one.id)]


def _shown(execution: Execution) -> ChainOut:
    return ChainOut.model_validate(
        {
            name: getattr(execution, "id" if name == "execution_id" else name)
            for name in ChainOut.model_fields
        }
    )


def _failed_anywhere(
    failed: Mapping[str, Sequence[int]], every: Mapping[str, Sequence[int]]
) -> dict[str, list[int]]:
    """Of each step the hosts that failed in any step: they go through all their steps again."""
    wanted = {host_id for hosts in failed.values() for host_id in hosts}
    return {step: [one for one in hosts if one in wanted] for step, hosts in every.items()}


def _plan(source: Source, wanted: RetryIn, known: Mapping[int, HostTarget], client: Client) -> Plan:
    execution, alone = source.execution, wanted.step_id is not None
    steps = [
        _step(step, [known[one] for one in source.hosts[step.id] if one in known], alone=alone)
        for step in source.steps
        if source.hosts[step.id] or _needs_no_host(step)
    ]
    return Plan(
        name=execution.name,
        steps=steps,
        execution_type=execution.execution_type,
        strategy=Strategy.of(execution.strategy),
        variables=source.variables,
        description=execution.description,
        priority=execution.priority,
        start_seconds=execution.start_seconds,
        trigger="retry",
        scheduled_job_id=execution.scheduled_job_id,
        lineage=Lineage(
            parent_id=execution.id,
            root_id=source.root_id,
            retry_count=execution.retry_count + 1,
            retry_type=wanted.retry_type,
            reason=wanted.reason,
        ),
        client=client,
        confirmed_hosts=wanted.confirmed_host_count,
    )


def _needs_no_host(step: Step) -> bool:
    return step.kind == StepKind.CONFIRM or "hosts_of" in step.targets


def _step(step: Step, hosts: Sequence[HostTarget], *, alone: bool) -> StepPlan:
    """The step again. Alone it depends on no other, and runs on the hosts that it ran on."""
    dynamic = "hosts_of" in step.targets and not alone
    return StepPlan(
        name=step.name,
        kind=StepKind(step.kind),
        script_type=step.script_type,
        script=step.script,
        args=step.args,
        env=step.env,
        run_as=step.run_as,
        cwd=step.cwd,
        timeout_seconds=step.timeout_seconds,
        retries=step.retries,
        retry_delay_seconds=step.retry_delay_seconds,
        ignore_error=step.ignore_error,
        success_codes=step.success_codes,
        condition=None if alone else step.condition,
        on_failure=None if alone else step.on_failure,
        is_handler=step.is_handler and not alone,
        targets={} if alone else step.targets,
        payload=step.payload,
        hosts=() if dynamic else hosts,
    )

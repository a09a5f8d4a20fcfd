"""The use cases of executions: list and show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from libs.contracts.execution import (
    TaskStatus,
)
from libs.kit.auth import Principal
from libs.kit.clock import now
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.pagination import Page, PageParams
from services.execution.access.repository import Sight, SightRepository
from services.execution.access.service import Access
from services.execution.changes.service import Changes
from services.execution.consents.service import Consents, awaited
from services.execution.dispatch.domain import SENTENCES, WaitCode
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import HELD, WAITING, execution_status, is_finished
from services.execution.errors import (
    ExecutionNotFound,
)
from services.execution.flow.service import Flow
from services.execution.models import Execution, Step
from services.execution.repository import Counts, ExecutionRepository, public_task
from services.execution.schemas import (
    ConsentOut,
    ExecutionDetail,
    ExecutionOut,
    ListQuery,
    StepOut,
    TaskOut,
    WaitsFor,
)
from services.execution.settings import ExecutionSettings

DETAIL_TASKS = 1_000
KEY_DAYS = 7
NO_AGENT = "no_agent"


class Executions:
    """Executions as people and programs see them."""

    def __init__(
        self,
        db: Database,
        settings: ExecutionSettings,
        dispatcher: Dispatcher,
        changes: Changes,
        flow: Flow,
        access: Access,
    ) -> None:
        self._db = db
        self._access = access
        self._settings = settings
        self._dispatcher = dispatcher
        self._changes = changes
        self._flow = flow

    async def page(
        self, params: PageParams, wanted: ListQuery, by: Principal
    ) -> Page[ExecutionOut]:
        """The executions that the caller sees, newest first."""
        return await self._page(params, wanted, await self._access.sight(by))

    @reads
    def _page(
        self, tx: Transaction, params: PageParams, wanted: ListQuery, sight: Sight | None
    ) -> Page[ExecutionOut]:
        executions = ExecutionRepository(tx)
        seen = SightRepository(tx).condition(sight)
        total, rows = executions.page(wanted, seen, offset=params.offset, limit=params.page_size)
        counts = executions.counts_of([row.id for row in rows])
        return Page[ExecutionOut](
            total=total,
            page=params.page,
            page_size=params.page_size,
            results=[_listed(row, counts.get(row.id, {})) for row in rows],
        )

    async def show(self, execution_id: str) -> ExecutionDetail:
        """One execution with its steps and the first tasks, and why those wait that do."""
        shown = await self._show(execution_id)
        if not is_finished(shown.status):
            for step in shown.steps:
                await self._explain(step.tasks, shown.approvals)
        return shown

    @reads
    def _show(self, tx: Transaction, execution_id: str) -> ExecutionDetail:
        executions = ExecutionRepository(tx)
        execution = executions.by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        by_step = executions.counts_of_steps(execution_id)
        total, tasks = executions.tasks_page(
            execution_id, status=None, offset=0, limit=DETAIL_TASKS
        )
        sizes = executions.bytes_of([task.id for task in tasks])
        shown = [TaskOut.model_validate(public_task(task, sizes)) for task in tasks]
        steps = executions.steps_of(execution_id)
        detail = _detailed(execution, steps, by_step, shown, total)
        if not execution.is_plain:
            detail.approvals = Consents.shown(tx, execution_id)
        return detail

    async def tasks(
        self,
        execution_id: str,
        params: PageParams,
        status: TaskStatus | None,
        step_id: str | None = None,
    ) -> Page[TaskOut]:
        """The tasks of an execution or of a step, page by page, and why those wait that do."""
        page = await self._tasks(execution_id, params, status, step_id)
        await self._explain(page.results)
        return page

    @reads
    def _tasks(
        self,
        tx: Transaction,
        execution_id: str,
        params: PageParams,
        status: TaskStatus | None,
        step_id: str | None,
    ) -> Page[TaskOut]:
        executions = ExecutionRepository(tx)
        if executions.by_id(execution_id) is None:
            raise ExecutionNotFound(execution_id=execution_id)
        total, rows = executions.tasks_page(
            execution_id,
            status=status,
            step_id=step_id,
            offset=params.offset,
            limit=params.page_size,
        )
        sizes = executions.bytes_of([row.id for row in rows])
        return Page[TaskOut](
            total=total,
            page=params.page,
            page_size=params.page_size,
            results=[TaskOut.model_validate(public_task(row, sizes)) for row in rows],
        )

    async def _explain(
        self, tasks: Sequence[TaskOut], approvals: Sequence[ConsentOut] = ()
    ) -> None:
        """Say of those that have not started why; `approvals` are those of their execution."""
        waiting = [task for task in tasks if task.status in HELD | WAITING]
        if not waiting:
            return
        reasons = await self._dispatcher.why_waiting([task.id for task in waiting])
        for task in waiting:
            code = reasons.get(task.id)
            if code is not None:
                message, message_zh = SENTENCES[code]
                if code is WaitCode.APPROVAL:
                    message, message_zh = awaited(approvals) or (message, message_zh)
                task.waits_for = WaitsFor(code=code, message=message, message_zh=message_zh)

    @writes
    def close_unclosed(self, tx: Transaction) -> int:
        """Sweeper: give executions whose tasks have all ended the state that follows from them."""
        executions = ExecutionRepository(tx)
        found = executions.unclosed(limit=200)
        executions.bump(found)
        self._flow.settle(tx, found)
        return len(found)

    @writes
    def forget_old_keys(self, tx: Transaction) -> int:
        """Drop idempotency keys that are older than a week; 24 hours are promised."""
        return ExecutionRepository(tx).forget_keys_before(tx.now - timedelta(days=KEY_DAYS))


_COLUMNS = (
    *("trigger", "execution_type", "description", "priority", "paused_at", "pause_reason"),
    *("next_at", "parent_id", "root_id", "retry_count", "is_latest", "scheduled_job_id"),
    *("client_ip", "user_agent"),
)


def _columns(execution: Execution, counts: Counts) -> dict[str, object]:
    started = execution.started_at
    ended = execution.finished_at or now()
    return {
        "id": execution.id,
        "execution_id": execution.id,
        "name": execution.name,
        "status": execution.status,
        "script_type": execution.script_type,
        **{name: getattr(execution, name) for name in _COLUMNS},
        "user_id": execution.user_id,
        "username": execution.username,
        "task_total": execution.task_total,
        "counts": counts,
        "version": execution.version,
        "cancel_requested_at": execution.cancel_requested_at,
        "created_at": execution.created_at,
        "started_at": started,
        "finished_at": execution.finished_at,
        "duration_ms": int((ended - started).total_seconds() * 1000) if started else None,
    }


def _listed(execution: Execution, counts: Counts) -> ExecutionOut:
    return ExecutionOut.model_validate(_columns(execution, counts))


def _detailed(
    execution: Execution,
    steps: Sequence[Step],
    by_step: Mapping[str, Counts],
    tasks: list[TaskOut],
    total: int,
) -> ExecutionDetail:
    counts: Counter[TaskStatus] = Counter()
    for of_step in by_step.values():
        counts.update(of_step)
    shown = [_shown_step(execution, step, by_step.get(step.id, {}), tasks) for step in steps]
    kept = ("cancel_reason", "strategy", "findings")
    more: dict[str, object] = {name: getattr(execution, name) for name in kept}
    return ExecutionDetail.model_validate(
        _columns(execution, dict(counts))
        | _snapshot(steps[0])
        | more
        | {"steps": shown, "tasks_total": total, "approvals": []}
    )


_STEP_COLUMNS = (
    *("id", "name", "kind", "reason", "started_at", "finished_at", "script_type", "script_sha256"),
    *("batch_no", "batch_total", "batch_ready_at", "retries", "retry_delay_seconds"),
    *("ignore_error", "success_codes", "condition", "on_failure", "is_handler", "targets"),
    *("payload", "skipped_by", "confirmed_by", "confirmed_at", "expires_at", "outputs"),
)


def _shown_step(
    execution: Execution, step: Step, counts: Counts, tasks: Sequence[TaskOut]
) -> StepOut:
    status = str(execution_status(counts)) if execution.is_plain else step.status
    more = {
        "order": step.position,
        "status": status,
        "counts": counts,
        "tasks": [task for task in tasks if task.step_id == step.id],
    }
    if execution.is_plain:
        more |= {"started_at": execution.started_at, "finished_at": execution.finished_at}
    columns = {name: getattr(step, name) for name in _STEP_COLUMNS}
    return StepOut.model_validate(_snapshot(step) | columns | more)


def _snapshot(step: Step) -> dict[str, object]:
    return {
        "script_content": step.script,
        "timeout_seconds": step.timeout_seconds,
        "args": step.args,
        "env": step.env,
        "run_as": step.run_as,
        "cwd": step.cwd,
    }

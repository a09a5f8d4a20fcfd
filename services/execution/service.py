"""The use cases of executions: list, show, cancel."""

from collections.abc import Sequence
from datetime import timedelta

from libs.contracts.execution import (
    ExecutionStatus,
    TaskStatus,
)
from libs.kit.auth import Principal
from libs.kit.clock import now
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.pagination import Page, PageParams
from services.execution.changes.service import Changes
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import WAITING, execution_status, is_finished
from services.execution.errors import (
    ExecutionFinishedAlready,
    ExecutionNotFound,
)
from services.execution.flow.service import Flow
from services.execution.models import Execution, Step
from services.execution.repository import Counts, ExecutionRepository, public_task
from services.execution.schemas import CancelOut, ExecutionDetail, ExecutionOut, StepOut, TaskOut
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
    ) -> None:
        self._db = db
        self._settings = settings
        self._dispatcher = dispatcher
        self._changes = changes
        self._flow = flow

    @reads
    def page(
        self,
        tx: Transaction,
        params: PageParams,
        status: ExecutionStatus | None,
        search: str | None,
    ) -> Page[ExecutionOut]:
        """Executions, newest first."""
        executions = ExecutionRepository(tx)
        total, rows = executions.page(
            status=status, search=search, offset=params.offset, limit=params.page_size
        )
        counts = executions.counts_of([row.id for row in rows])
        return Page[ExecutionOut](
            total=total,
            page=params.page,
            page_size=params.page_size,
            results=[_listed(row, counts.get(row.id, {})) for row in rows],
        )

    @reads
    def show(self, tx: Transaction, execution_id: str) -> ExecutionDetail:
        """One execution with its steps and the first tasks of each."""
        executions = ExecutionRepository(tx)
        execution = executions.by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        counts = executions.counts_of([execution_id]).get(execution_id, {})
        total, tasks = executions.tasks_page(
            execution_id, status=None, offset=0, limit=DETAIL_TASKS
        )
        sizes = executions.bytes_of([task.id for task in tasks])
        shown = [TaskOut.model_validate(public_task(task, sizes)) for task in tasks]
        steps = executions.steps_of(execution_id)
        return _detailed(execution, steps, counts, shown, total)

    @reads
    def tasks(
        self, tx: Transaction, execution_id: str, params: PageParams, status: TaskStatus | None
    ) -> Page[TaskOut]:
        """The tasks of an execution, page by page."""
        executions = ExecutionRepository(tx)
        if executions.by_id(execution_id) is None:
            raise ExecutionNotFound(execution_id=execution_id)
        total, rows = executions.tasks_page(
            execution_id, status=status, offset=params.offset, limit=params.page_size
        )
        sizes = executions.bytes_of([row.id for row in rows])
        return Page[TaskOut](
            total=total,
            page=params.page,
            page_size=params.page_size,
            results=[TaskOut.model_validate(public_task(row, sizes)) for row in rows],
        )

    async def cancel(self, execution_id: str, by: Principal, reason: str | None) -> CancelOut:
        """End what has not started, and ask the hosts to stop what has.

        A task that nobody claimed is cancelled for good when this returns: it will not start (R9).
        """
        done = await self._cancel(execution_id, by, reason)
        self._changes.tell([execution_id])
        self._dispatcher.wake(execution_id=execution_id)
        return done

    @writes
    def _cancel(
        self, tx: Transaction, execution_id: str, by: Principal, reason: str | None
    ) -> CancelOut:
        executions = ExecutionRepository(tx)
        executions.bump([execution_id])
        execution = executions.by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        if is_finished(ExecutionStatus(execution.status)):
            if execution.cancel_requested_at is None:
                raise ExecutionFinishedAlready(execution_id=execution_id, status=execution.status)
            return _cancelled(execution_id, ExecutionStatus(execution.status), 0, 0)
        if execution.cancel_requested_at is None:
            execution.cancel_requested_at = tx.now
            execution.cancel_reason = (reason or f"by {by.username}")[:200]
        ended = executions.end(
            None,
            execution_id=execution_id,
            status=TaskStatus.CANCELLED,
            reason="cancelled",
            only=WAITING,
            version=executions.version_of(execution_id),
        )
        asked = executions.ask_to_stop(
            execution_id, statuses=(TaskStatus.CLAIMED, TaskStatus.RUNNING)
        )
        self._flow.advance(tx, execution_id)
        executions.reload(execution)
        return _cancelled(execution_id, ExecutionStatus(execution.status), ended, asked)

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


def _columns(execution: Execution, counts: Counts) -> dict[str, object]:
    started = execution.started_at
    ended = execution.finished_at or now()
    return {
        "id": execution.id,
        "execution_id": execution.id,
        "name": execution.name,
        "status": execution.status,
        "script_type": execution.script_type,
        "trigger": execution.trigger,
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
    execution: Execution, steps: Sequence[Step], counts: Counts, tasks: list[TaskOut], total: int
) -> ExecutionDetail:
    first = steps[0]
    shown = [
        StepOut.model_validate(
            _snapshot(step)
            | {
                "id": step.id,
                "name": step.name,
                "order": step.position,
                "status": execution_status(counts),
                "counts": counts,
                "script_type": step.script_type,
                "script_sha256": step.script_sha256,
                "tasks": [task for task in tasks if task.step_id == step.id],
            }
        )
        for step in steps
    ]
    return ExecutionDetail.model_validate(
        _columns(execution, counts)
        | _snapshot(first)
        | {"cancel_reason": execution.cancel_reason, "steps": shown, "tasks_total": total}
    )


def _snapshot(step: Step) -> dict[str, object]:
    return {
        "script_content": step.script,
        "timeout_seconds": step.timeout_seconds,
        "args": step.args,
        "env": step.env,
        "run_as": step.run_as,
        "cwd": step.cwd,
    }


def _cancelled(execution_id: str, status: ExecutionStatus, ended: int, asked: int) -> CancelOut:
    return CancelOut(
        execution_id=execution_id,
        status=status,
        cancelled=ended,
        cancelling=asked,
    )

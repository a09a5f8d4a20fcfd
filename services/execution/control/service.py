"""The use cases of control: each changes rows, moves the engine on and is recorded, in one commit.

An operation that finds everything as it should be answers the same again and records nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from libs.contracts.execution import ExecutionStatus, TaskStatus
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import AppError
from libs.kit.pagination import Page, PageParams
from services.execution.access.service import Access
from services.execution.breadth.service import EXECUTIONS, Breadth
from services.execution.changes.service import Changes
from services.execution.control.domain import Action, Detail, Effect, Order
from services.execution.control.repository import ControlRepository
from services.execution.control.schemas import BulkStopItem, OperationOut
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import ON_HOST, OPEN, TERMINAL, PauseReason, is_finished
from services.execution.errors import (
    ApprovalNeeded,
    ConfirmationNeeded,
    ExecutionFinishedAlready,
    ExecutionNotFound,
    ExecutionNotPaused,
    ExecutionStopping,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    TaskFinishedAlready,
    TaskNotFound,
)
from services.execution.flow.service import Flow
from services.execution.models import Execution, Step, Task
from services.execution.repository import ExecutionRepository

BULK_AT_ONCE = 50
"""Executions stopped in one transaction, so that nobody else waits long for the database."""

_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")
NOTHING_CHANGED = Effect(False)


@dataclass(frozen=True)
class Done:
    """How everything stands after an operation."""

    status: ExecutionStatus
    pause_reason: str | None
    detail: Detail
    step: Step | None = None
    task: Task | None = None

    def count(self, name: str) -> int:
        """A number that the operation left in its detail."""
        value = self.detail.get(name)
        return value if isinstance(value, int) else 0


Do = Callable[[Transaction, ControlRepository, Execution], Effect]


class Operations:
    """How every operation runs: locked, once for a key, recorded, told."""

    def __init__(self, db: Database, dispatcher: Dispatcher, changes: Changes) -> None:
        self._db = db
        self._dispatcher = dispatcher
        self._changes = changes

    async def run(self, order: Order, do: Do) -> Done:
        """Do it in one transaction and ring for it afterwards; raises what `do` raises."""
        if order.key is not None and not _KEY.match(order.key):
            raise IdempotencyKeyInvalid()
        done = await self._write(order, do)
        self.tell([order.execution_id])
        return done

    def tell(self, execution_ids: Sequence[str]) -> None:
        """Wake who brings it to the hosts and who watches; what is missed the sweep finds."""
        self._changes.tell(execution_ids)
        for execution_id in execution_ids:
            self._dispatcher.wake(execution_id=execution_id)

    @writes
    def _write(self, tx: Transaction, order: Order, do: Do) -> Done:
        return self.operate(tx, order, do)

    def operate(self, tx: Transaction, order: Order, do: Do) -> Done:
        """Do it in the caller's transaction."""
        control = ControlRepository(tx)
        execution = control.locked(order.execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=order.execution_id)
        effect = _of_key(control, order) or do(tx, control, execution)
        if effect.changed and not control.record(order, effect):
            raise IdempotencyKeyReused()
        control.reload(execution)
        step = control.step(execution.id, order.step_id) if order.step_id else None
        task = control.task(execution.id, order.task_id) if order.task_id else None
        for row in (step, task):
            if row is not None:
                control.reload(row)
        status = ExecutionStatus(execution.status)
        return Done(status, execution.pause_reason, effect.detail, step, task)


def must_be_going_on(execution: Execution) -> None:
    """Raises ExecutionFinishedAlready or ExecutionStopping."""
    _must_be_open(execution)
    if execution.cancel_requested_at is not None:
        raise ExecutionStopping(execution_id=execution.id)


def _must_not_be_asked_for(execution: Execution) -> None:
    """Raises ApprovalNeeded while others have to agree; only they can let it go on."""
    if execution.pause_reason == PauseReason.APPROVAL:
        raise ApprovalNeeded(execution_id=execution.id)


def _must_be_open(execution: Execution) -> None:
    if is_finished(ExecutionStatus(execution.status)):
        raise ExecutionFinishedAlready(execution_id=execution.id, status=execution.status)


def _of_key(control: ControlRepository, order: Order) -> Effect | None:
    """What the same request did before, if it carried this key."""
    earlier = control.by_key(order.by.id, order.key) if order.key is not None else None
    if earlier is None:
        return None
    if not order.matches(earlier.action, earlier.execution_id, earlier.step_id):
        raise IdempotencyKeyReused()
    return Effect(False, _plain(earlier.detail))


def _as_before(control: ControlRepository, execution_id: str, *actions: Action) -> Effect:
    earlier = control.last(execution_id, *actions)
    return Effect(False, _plain(earlier.detail) if earlier else {})


def _plain(detail: dict[str, object]) -> Detail:
    return {k: v for k, v in detail.items() if v is None or isinstance(v, str | int | bool)}


def _mark_stopped(tx: Transaction, execution: Execution, order: Order, kind: str) -> None:
    execution.cancel_requested_at = execution.cancel_requested_at or tx.now
    execution.cancel_reason = (order.reason or f"by {order.by.username}")[:200]
    execution.stop_kind = kind
    tx.flush()


def _failed(execution_id: str, error: AppError) -> BulkStopItem:
    return BulkStopItem(
        execution_id=execution_id, success=False, error=error.code, message=error.message
    )


class Control:
    """What may be done to an execution as a whole, and to single tasks, after its start."""

    def __init__(
        self,
        db: Database,
        operations: Operations,
        flow: Flow,
        access: Access,
        breadth: Breadth,
    ) -> None:
        self._breadth = breadth
        self._db = db
        self._access = access
        self._operations = operations
        self._flow = flow

    # ---- whole executions -----------------------------------------------------------------

    async def pause(self, order: Order) -> Done:
        """Start nothing more; what is on hosts goes on."""
        return await self._operations.run(order, self._pause)

    def _pause(self, tx: Transaction, _: ControlRepository, execution: Execution) -> Effect:
        must_be_going_on(execution)
        _must_not_be_asked_for(execution)
        return Effect(self._flow.pause(tx, execution.id))

    async def resume(self, order: Order) -> Done:
        """Go on after a pause by somebody, by a threshold or between batches."""
        return await self._operations.run(order, self._resume)

    def _resume(self, tx: Transaction, control: ControlRepository, execution: Execution) -> Effect:
        must_be_going_on(execution)
        _must_not_be_asked_for(execution)
        if execution.pause_reason == PauseReason.CONFIRMATION:
            raise ConfirmationNeeded(execution_id=execution.id)
        if execution.pause_reason is None:
            last = control.last(execution.id, Action.PAUSE, Action.RESUME)
            if last is not None and last.action == Action.RESUME:
                return NOTHING_CHANGED
            raise ExecutionNotPaused(execution_id=execution.id, status=execution.status)
        return Effect(self._flow.resume(tx, execution.id), {"was": execution.pause_reason})

    async def stop(self, order: Order) -> Done:
        """End what has not started, and ask the hosts to stop what has.

        A task that nobody claimed is cancelled for good when this returns: it will not start (R9).
        """
        return await self._operations.run(order, partial(self._stop, order=order))

    def _stop(
        self, tx: Transaction, control: ControlRepository, execution: Execution, *, order: Order
    ) -> Effect:
        if execution.cancel_requested_at is not None:
            return _as_before(control, execution.id, Action.STOP, Action.FORCE_TERMINATE)
        _must_be_open(execution)
        _mark_stopped(tx, execution, order, "stop")
        executions = ExecutionRepository(tx)
        executions.bump([execution.id])
        ended = executions.end(
            None,
            execution_id=execution.id,
            status=TaskStatus.CANCELLED,
            reason="cancelled",
            only=OPEN - ON_HOST,
            version=executions.version_of(execution.id),
        )
        asked = executions.ask_to_stop(execution.id, statuses=ON_HOST)
        self._flow.advance(tx, execution.id)
        return Effect(True, {"cancelled": ended, "cancelling": asked})

    async def force_terminate(self, order: Order) -> Done:
        """End every task now, whatever its host does; the hosts are still asked to stop."""
        return await self._operations.run(order, partial(self._force, order=order))

    def _force(
        self, tx: Transaction, control: ControlRepository, execution: Execution, *, order: Order
    ) -> Effect:
        if execution.stop_kind == "force":
            return _as_before(control, execution.id, Action.FORCE_TERMINATE)
        _must_be_open(execution)
        _mark_stopped(tx, execution, order, "force")
        executions = ExecutionRepository(tx)
        executions.bump([execution.id])
        ended, asked = control.force(execution.id, executions.version_of(execution.id))
        self._flow.advance(tx, execution.id)
        return Effect(True, {"cancelled": ended, "cancelling": asked})

    async def bulk_stop(
        self, orders: Sequence[Order], *, confirmed: int | None
    ) -> list[BulkStopItem]:
        """Stop many executions, each as if it were stopped alone; one's error is no other's.

        Raises CountUnconfirmed.
        """
        self._breadth.must_be_confirmed(len(orders), confirmed, field=EXECUTIONS)
        items: dict[str, BulkStopItem] = {}
        by_id = {order.execution_id: order for order in orders}
        for order in by_id.values():
            try:
                await self._access.must_act(order.execution_id, order.by, "executions:cancel")
            except AppError as error:
                items[order.execution_id] = _failed(order.execution_id, error)
        ids = sorted(by_id.keys() - items.keys())
        for start in range(0, len(ids), BULK_AT_ONCE):
            some = ids[start : start + BULK_AT_ONCE]
            items.update(await self._stop_some([by_id[execution_id] for execution_id in some]))
            self._operations.tell(some)
        return [items[order.execution_id] for order in by_id.values()]

    @writes
    def _stop_some(self, tx: Transaction, orders: Sequence[Order]) -> dict[str, BulkStopItem]:
        items: dict[str, BulkStopItem] = {}
        for order in orders:
            try:
                done = self._operations.operate(tx, order, partial(self._stop, order=order))
            except AppError as error:
                items[order.execution_id] = _failed(order.execution_id, error)
                continue
            items[order.execution_id] = BulkStopItem(
                execution_id=order.execution_id,
                success=True,
                status=done.status,
                cancelled=done.count("cancelled"),
                cancelling=done.count("cancelling"),
            )
        return items

    # ---- single tasks -----------------------------------------------------------------------

    async def cancel_task(self, order: Order) -> Done:
        """End one task: at once if nobody claimed it, otherwise by asking its host."""
        return await self._operations.run(order, partial(self._cancel_task, order=order))

    def _cancel_task(
        self, tx: Transaction, control: ControlRepository, execution: Execution, *, order: Order
    ) -> Effect:
        task = control.task(execution.id, order.task_id or "")
        if task is None:
            raise TaskNotFound(task_id=order.task_id)
        if task.status in TERMINAL:
            if task.status == TaskStatus.CANCELLED or task.cancel_at is not None:
                return NOTHING_CHANGED
            raise TaskFinishedAlready(task_id=task.id, status=task.status)
        executions = ExecutionRepository(tx)
        executions.bump([execution.id])
        changed = control.cancel_task(task, executions.version_of(execution.id))
        self._flow.advance(tx, execution.id)
        return Effect(changed, {"host_id": task.host_id})

    # ---- the log --------------------------------------------------------------------------

    @reads
    def log(
        self, tx: Transaction, execution_id: str, params: PageParams, action: Action | None
    ) -> Page[OperationOut]:
        """Who did what to an execution, newest first."""
        if ExecutionRepository(tx).by_id(execution_id) is None:
            raise ExecutionNotFound(execution_id=execution_id)
        total, rows = ControlRepository(tx).operations(
            execution_id, action, offset=params.offset, limit=params.page_size
        )
        shown = [OperationOut.model_validate(row) for row in rows]
        return Page[OperationOut].of(shown, total=total, params=params)

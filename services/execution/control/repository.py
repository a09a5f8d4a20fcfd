"""Rows that operations look at and change, and the operations themselves."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from libs.contracts.audit import audit
from libs.contracts.execution import ExecutionOperated, ExecutionStatus, TaskStatus
from libs.kit.db import Transaction
from libs.kit.ids import new_id
from services.execution.control.domain import FORCED, Action, Effect, Order
from services.execution.domain import BROKEN_TASKS, HELD, ON_HOST, WAITING
from services.execution.models import Execution, ExecutionSecret, Operation, Step, Task

STOP_TIME = timedelta(hours=24)
"""How long a host is asked to stop what was ended by force, unless it answers before."""
IN_AT_ONCE = 500
_UNFINISHED = (ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.PAUSED)


class ControlRepository:
    """Operations inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    # ---- questions ------------------------------------------------------------------------

    def locked(self, execution_id: str) -> Execution | None:
        """The execution; nobody else changes its row until the commit."""
        return self._session.scalar(
            select(Execution)
            .where(Execution.id == execution_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def reload(self, row: Execution | Step | Task) -> None:
        """Read a row again after statements changed it."""
        self._session.flush()
        self._session.refresh(row)

    def step(self, execution_id: str, step_id: str) -> Step | None:
        """A step of this execution."""
        return self._session.scalar(
            select(Step).where(Step.id == step_id, Step.execution_id == execution_id)
        )

    def task(self, execution_id: str, task_id: str) -> Task | None:
        """A task of this execution; nobody else moves it until the commit."""
        return self._session.scalar(
            select(Task)
            .where(Task.id == task_id, Task.execution_id == execution_id)
            .with_for_update()
        )

    def tasks_on(self, step_id: str, host_ids: Sequence[int]) -> dict[int, tuple[str, TaskStatus]]:
        """The tasks of a step on these hosts: id and state by host."""
        found: dict[int, tuple[str, TaskStatus]] = {}
        for start in range(0, len(host_ids), IN_AT_ONCE):
            rows = self._session.execute(
                select(Task.host_id, Task.id, Task.status).where(
                    Task.step_id == step_id,
                    Task.host_id.in_(host_ids[start : start + IN_AT_ONCE]),
                )
            )
            found.update({host: (task, TaskStatus(status)) for host, task, status in rows})
        return found

    def open_tasks(self, step_id: str) -> int:
        """How many tasks of a step have not ended."""
        open_states = sorted(HELD | WAITING | ON_HOST)
        return (
            self._session.scalar(
                select(func.count()).where(Task.step_id == step_id, Task.status.in_(open_states))
            )
            or 0
        )

    def failed_tasks(self, step_id: str) -> int:
        """How many tasks of a step have failed in whatever way."""
        return (
            self._session.scalar(
                select(func.count()).where(
                    Task.step_id == step_id, Task.status.in_(sorted(BROKEN_TASKS))
                )
            )
            or 0
        )

    def forced_on(self, step_id: str) -> set[int]:
        """The hosts of a step that were asked in vain so far to stop what was ended by force."""
        return set(
            self._session.scalars(
                select(Task.host_id).where(Task.step_id == step_id, Task.stop_until > self._tx.now)
            )
        )

    def has_secrets(self, execution_id: str) -> bool:
        """Whether the secrets of an execution are still kept."""
        return bool(
            self._session.scalar(
                select(exists().where(ExecutionSecret.execution_id == execution_id))
            )
        )

    def open_retries(self, besides: str | None = None) -> int:
        """How many unfinished executions repeat something, in place or as a new record."""
        in_place = exists().where(
            Operation.execution_id == Execution.id, Operation.action == Action.RETRY_STEP
        )
        where = [
            Execution.status.in_(_UNFINISHED),
            or_(Execution.trigger == "retry", in_place),
        ]
        if besides is not None:
            where.append(Execution.id != besides)
        return self._session.scalar(select(func.count()).select_from(Execution).where(*where)) or 0

    # ---- tasks ----------------------------------------------------------------------------

    def cancel_task(self, task: Task, version: int) -> bool:
        """End a task that nobody claimed, or ask its host to stop it; False if nothing changed."""
        if task.status in HELD | WAITING:
            task.status = TaskStatus.CANCELLED
            task.reason = "cancelled"
            task.finished_at = self._tx.now
            task.version = version
        elif task.status in ON_HOST and task.cancel_at is None:
            task.cancel_at = self._tx.now
            task.version = version
        else:
            return False
        self._session.flush()
        return True

    def force(self, execution_id: str, version: int) -> tuple[int, int]:
        """End every open task now: those not begun, and those on hosts, which are asked to stop.

        Returns how many of each. A host's own word about the end becomes a late outcome.
        """
        ended = {"status": TaskStatus.CANCELLED, "reason": FORCED, "finished_at": self._tx.now}
        on_hosts = self._tx.changed(
            update(Task)
            .where(Task.execution_id == execution_id, Task.status.in_(sorted(ON_HOST)))
            .values(
                **ended,
                version=version,
                cancel_at=func.coalesce(Task.cancel_at, self._tx.now),
                stop_until=self._tx.now + STOP_TIME,
            )
            .execution_options(synchronize_session=False)
        )
        waiting = self._tx.changed(
            update(Task)
            .where(Task.execution_id == execution_id, Task.status.in_(sorted(HELD | WAITING)))
            .values(**ended, version=version)
            .execution_options(synchronize_session=False)
        )
        return waiting, on_hosts

    # ---- the log --------------------------------------------------------------------------

    def by_key(self, user_id: int, key: str) -> Operation | None:
        """The operation that a caller's key stands for."""
        return self._session.scalar(
            select(Operation).where(Operation.user_id == user_id, Operation.operation_key == key)
        )

    def last(
        self, execution_id: str, *actions: Action, step_id: str | None = None
    ) -> Operation | None:
        """The newest operation of these kinds, on this step if one is named."""
        where = [Operation.execution_id == execution_id, Operation.action.in_(actions)]
        if step_id is not None:
            where.append(Operation.step_id == step_id)
        return self._session.scalar(
            select(Operation).where(*where).order_by(Operation.id.desc()).limit(1)
        )

    def record(self, order: Order, effect: Effect) -> bool:
        """Keep an operation, and tell it to whoever listens (the audit).

        False when the caller's key stands for another operation already.
        """
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        kept = self._session.execute(
            dialect.insert(Operation)
            .values(
                id=new_id(),
                execution_id=order.execution_id,
                step_id=order.step_id,
                task_ids=effect.task_ids or ([order.task_id] if order.task_id else None),
                action=order.action,
                user_id=order.by.id,
                username=order.by.username,
                reason=order.reason,
                detail=dict(effect.detail),
                client_ip=order.client_ip,
                operation_key=order.key,
                created_at=self._tx.now,
            )
            .on_conflict_do_nothing()
            .returning(Operation.id)
        ).first()
        if kept is None:
            return False
        named = {"reason": order.reason, "step_id": order.step_id, "task_id": order.task_id}
        execution = self._session.get(Execution, order.execution_id)
        audit(
            self._tx,
            f"execution.{order.action}",
            kind="execution",
            id=order.execution_id,
            name=execution.name if execution is not None else "",
            after={k: v for k, v in (named | dict(effect.detail)).items() if v is not None},
            by=order.by,
        )
        self._tx.emit(
            ExecutionOperated(
                execution_id=order.execution_id,
                action=order.action,
                user_id=order.by.id,
                username=order.by.username,
                detail={**effect.detail, **{k: v for k, v in named.items() if v is not None}},
            )
        )
        return True

    def operations(
        self, execution_id: str, action: Action | None, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Operation]]:
        """The operation log, newest first, with the number of all that match."""
        where = [Operation.execution_id == execution_id]
        if action is not None:
            where.append(Operation.action == action)
        total = self._session.scalar(select(func.count()).select_from(Operation).where(*where))
        rows = self._session.scalars(
            select(Operation)
            .where(*where)
            .order_by(Operation.id.desc())
            .offset(offset)
            .limit(limit)
        ).all()
        return total or 0, rows

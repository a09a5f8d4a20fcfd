"""Reading an execution as the engine sees it, and storing what it decided."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, case, func, select, update

from libs.contracts.execution import ExecutionFinished, ExecutionStatus, StepStatus, TaskStatus
from libs.kit.db import Transaction
from services.execution.attempts.repository import AttemptRepository
from services.execution.domain import (
    ENDED_STEPS,
    HELD,
    ON_HOST,
    RETRYABLE,
    WAITING,
    LogStatus,
    PauseReason,
    StepKind,
    Strategy,
)
from services.execution.flow.domain import Decision, Drop, Move, StepView, Tally, View
from services.execution.models import Execution, Step, Task
from services.execution.repository import ExecutionRepository
from services.execution.variables.domain import agreed
from services.execution.variables.service import known_texts


class FlowRepository:
    """One execution inside one transaction; its row is locked, so decisions do not overlap."""

    def __init__(self, tx: Transaction, execution_id: str) -> None:
        self._tx = tx
        self._session = tx.session
        self._id = execution_id
        self._attempts = AttemptRepository(tx)

    # ---- questions ------------------------------------------------------------------------

    def head(self) -> Row[*tuple[Any, ...]] | None:
        """The execution's own columns, locked until the commit; None for an unknown one."""
        return self._session.execute(
            select(
                Execution.status,
                Execution.user_id,
                Execution.is_plain,
                Execution.strategy,
                Execution.variables,
                Execution.start_seconds,
                Execution.paused_at,
                Execution.pause_reason,
                Execution.next_at,
                Execution.cancel_requested_at,
                Execution.started_at,
                Execution.finished_at,
                Execution.version,
            )
            .where(Execution.id == self._id)
            .with_for_update()
        ).first()

    def view(self, head: Row[*tuple[Any, ...]]) -> View:
        """The execution at this moment."""
        strategy = Strategy.of(head.strategy)
        tallies = self._tallies()
        steps = self._session.execute(
            select(
                Step.id,
                Step.name,
                Step.kind,
                Step.status,
                Step.reason,
                Step.is_handler,
                Step.on_failure,
                Step.ignore_error,
                Step.condition,
                Step.batch_no,
                Step.batch_total,
                Step.batch_ready_at,
                Step.confirmed_batch,
                Step.forgiven,
                Step.skipped_by,
                Step.confirmed_at,
                Step.expires_at,
                Step.payload,
                Step.outputs,
            )
            .where(Step.execution_id == self._id)
            .order_by(Step.position)
        ).all()
        return View(
            now=self._tx.now,
            steps=tuple(_step(row, tallies.get(row.id, ())) for row in steps),
            stopping=head.cancel_requested_at is not None,
            begun=head.started_at is not None,
            pause=PauseReason(head.pause_reason) if head.pause_reason else None,
            threshold=strategy.threshold,
            batch_delay=strategy.batch_delay_seconds,
            confirm_between=strategy.confirm_between,
            variables=known_texts(head.variables, [step.outputs for step in steps]),
        )

    def _tallies(self) -> dict[str, tuple[Tally, ...]]:
        more = (Task.attempt <= Step.retries).label("more")
        coming = case((Task.not_before > self._tx.now, Task.not_before))
        live = (Task.log_status == LogStatus.LIVE).label("live")
        rows = self._session.execute(
            select(Task.step_id, Task.batch_no, Task.status, more, live)
            .add_columns(func.count(), func.min(coming))
            .join(Step, Step.id == Task.step_id)
            .where(Task.execution_id == self._id)
            .group_by(Task.step_id, Task.batch_no, Task.status, more, live)
        )
        found: dict[str, list[Tally]] = {}
        for step_id, batch, text, another, unsettled, count, ready_at in rows:
            status = TaskStatus(text)
            again = bool(another) and status in RETRYABLE
            found.setdefault(step_id, []).append(
                Tally(batch, status, count, again=again, settled=not unsettled, ready_at=ready_at)
            )
        return {step_id: tuple(tallies) for step_id, tallies in found.items()}

    # ---- what was decided -----------------------------------------------------------------

    def apply(self, decision: Decision, wait: timedelta) -> None:
        """Store the changes of a decision; `wait` is how long a released task may stay unclaimed.

        The caller has raised the execution's version before.
        """
        version = ExecutionRepository(self._tx).version_of(self._id)
        for drop in decision.drops:
            self._drop(drop, version)
        if decision.withdraw:
            self.withdraw(decision.withdraw, version)
        for step_id in decision.retries:
            self._attempts.retry_due(step_id, version, wait)
        for step_id, batch in decision.releases.items():
            self._release(step_id, batch, version, wait)
        for move in decision.moves:
            self._move(move, version, wait)

    def _drop(self, drop: Drop, version: int) -> None:
        self._update_tasks(
            [drop.step_id],
            HELD | WAITING,
            status=drop.status,
            reason=drop.reason,
            finished_at=self._tx.now,
            version=version,
        )
        if drop.stop_running:
            self.stop_running(drop.step_id)

    def stop_running(self, step_id: str) -> None:
        """Ask the hosts that run a step to stop it."""
        self._session.execute(
            update(Task)
            .where(
                Task.step_id == step_id,
                Task.status.in_(sorted(ON_HOST)),
                Task.cancel_at.is_(None),
            )
            .values(cancel_at=self._tx.now),
            execution_options={"synchronize_session": False},
        )

    def withdraw(self, step_ids: Sequence[str], version: int) -> None:
        """Take back what nobody has claimed; a claim for it is refused until it is released."""
        self._update_tasks(
            step_ids, WAITING, status=TaskStatus.PENDING, offered_at=None, version=version
        )

    def _release(self, step_id: str, batch: int, version: int, wait: timedelta) -> None:
        self._session.execute(
            update(Task)
            .where(
                Task.step_id == step_id,
                Task.status == TaskStatus.PENDING,
                Task.batch_no <= batch,
            )
            .values(status=TaskStatus.QUEUED, not_after=self._tx.now + wait, version=version),
            execution_options={"synchronize_session": False},
        )

    def end_unstarted(self, status: TaskStatus, reason: str, detail: str | None) -> None:
        """End all steps that have not ended, and their tasks; none of them has started."""
        at = {"finished_at": self._tx.now}
        open_steps = [Step.execution_id == self._id, Step.status.not_in(sorted(ENDED_STEPS))]
        ids = self._session.scalars(select(Step.id).where(*open_steps)).all()
        version = ExecutionRepository(self._tx).version_of(self._id)
        more = {"reason": reason, "detail": detail, "version": version}
        self._update_tasks(ids, HELD | WAITING, status=status, **at, **more)
        for step_id in ids:
            self.change_step(step_id, {"status": str(status), "reason": reason, **at})

    def open_again(self, step_id: str) -> None:
        """Let a step that was left out wait for its turn once more."""
        version = ExecutionRepository(self._tx).version_of(self._id)
        self._attempts.again(step_id, version, {TaskStatus.SKIPPED, TaskStatus.CANCELLED})
        fresh = {"reason": None, "finished_at": None, "started_at": None, "batch_no": 0}
        self.change_step(step_id, {"status": str(StepStatus.PENDING), **fresh})

    def take_over(self) -> None:
        """Let the engine decide about a plain execution from now on."""
        self.change({"is_plain": False})
        self._session.execute(
            update(Step)
            .where(Step.execution_id == self._id)
            .values(status=StepStatus.RUNNING, batch_no=1, started_at=self._tx.now)
            .execution_options(synchronize_session="fetch")
        )

    def change(self, values: Mapping[str, object]) -> None:
        """Set columns of the execution."""
        self._session.execute(
            update(Execution)
            .where(Execution.id == self._id)
            .values(**values)
            .execution_options(synchronize_session="fetch")
        )

    def _update_tasks(
        self, step_ids: Sequence[str], only: Collection[TaskStatus], **values: object
    ) -> None:
        self._session.execute(
            update(Task)
            .where(Task.step_id.in_(step_ids), Task.status.in_(sorted(only)))
            .values(**values),
            execution_options={"synchronize_session": False},
        )

    def _move(self, move: Move, version: int, wait: timedelta) -> None:
        values: dict[str, object] = {}
        if move.make_tasks:
            values["batch_total"], made = self._attempts.first(self._id, move.step_id, version)
            self.change({"task_total": Execution.task_total + made})
        if move.status is not None:
            values |= {"status": str(move.status), "reason": move.reason}
            if move.status in ENDED_STEPS:
                values |= {"finished_at": self._tx.now, "outputs": self._outputs(move.step_id)}
            else:
                values |= {"started_at": self._tx.now, "finished_at": None}
        if move.batch_no is not None:
            values |= {"batch_no": move.batch_no, "batch_ready_at": None}
        if move.batch_ready_at is not None:
            values["batch_ready_at"] = move.batch_ready_at
        if move.expires_at is not None:
            values["expires_at"] = move.expires_at
        self.change_step(move.step_id, values)

    def change_step(self, step_id: str, values: Mapping[str, object]) -> None:
        """Set columns of a step of this execution."""
        self._session.execute(
            update(Step)
            .where(Step.id == step_id, Step.execution_id == self._id)
            .values(**values)
            .execution_options(synchronize_session="fetch")
        )

    def _outputs(self, step_id: str) -> dict[str, object]:
        rows = self._session.scalars(
            select(Task.outputs).where(Task.step_id == step_id, Task.outputs.is_not(None))
        )
        return {**agreed(rows)}

    def close(
        self,
        head: Row[*tuple[Any, ...]],
        status: ExecutionStatus,
        *,
        pause: PauseReason | None,
        next_at: datetime | None,
        ended: bool,
    ) -> None:
        """Store the execution's own state, and tell the others when it has ended."""
        started_at, finished_at = head.started_at, head.finished_at
        if status not in {ExecutionStatus.PENDING, ExecutionStatus.PAUSED} and started_at is None:
            started_at = self._tx.now
        if ended and finished_at is None:
            finished_at = self._tx.now
            self._tx.emit(
                ExecutionFinished(execution_id=self._id, user_id=head.user_id, status=status)
            )
        elif not ended:
            finished_at = None
        paused_at = (head.paused_at or self._tx.now) if pause else None
        values = {
            "status": str(status),
            "started_at": started_at,
            "finished_at": finished_at,
            "paused_at": paused_at,
            "pause_reason": str(pause) if pause else None,
            "next_at": next_at,
        }
        if any(getattr(head, name) != value for name, value in values.items()):
            self.change({**values, "version": Execution.version + 1})


def due_executions(tx: Transaction, limit: int) -> Sequence[str]:
    """Executions at which the engine has to look although nobody rang."""
    return tx.session.scalars(
        select(Execution.id)
        .where(Execution.next_at <= tx.now, Execution.is_plain.is_(False))
        .order_by(Execution.next_at)
        .limit(limit)
    ).all()


def _step(row: Row[*tuple[Any, ...]], tallies: tuple[Tally, ...]) -> StepView:
    confirm = row.payload.get("confirm", {})
    return StepView(
        id=row.id,
        name=row.name,
        kind=StepKind(row.kind),
        status=StepStatus(row.status),
        reason=row.reason,
        is_handler=row.is_handler,
        on_failure=row.on_failure,
        ignore_error=row.ignore_error,
        condition=row.condition,
        batch_no=row.batch_no,
        batch_total=row.batch_total,
        batch_ready_at=row.batch_ready_at,
        confirmed_batch=row.confirmed_batch,
        forgiven=row.forgiven,
        skipped=row.skipped_by is not None,
        decided=row.confirmed_at is not None,
        expires_at=row.expires_at,
        confirm_seconds=int(confirm.get("expires_seconds", 0)),
        tallies=tallies,
    )

"""The engine: stores what `domain.decide` says until nothing is left to decide."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from libs.contracts.execution import StepStatus, TaskStatus
from libs.kit.db import Transaction
from services.execution.attempts.repository import AttemptRepository
from services.execution.domain import (
    BROKEN_STEPS,
    CONFIRMED,
    DECLINED,
    EARLIER_STEP_FAILED,
    ENDED_STEPS,
    ERRORS_IGNORED,
    TERMINAL,
    PauseReason,
)
from services.execution.flow.domain import (
    StepView,
    View,
    decide,
    execution_standing,
)
from services.execution.flow.repository import FlowRepository, due_executions
from services.execution.repository import ExecutionRepository
from services.execution.settings import ExecutionSettings

MAX_ROUNDS = 400
"""A decision changes at least one step of at most fifty; more rounds mean a fault in the rules."""

TICK_LIMIT = 200
"""Executions that one tick moves on; the next follows a second later."""


class Flow:
    """Moves executions on. Everything happens in the caller's transaction, so that a result, a
    control operation or a tick of the sweep and what follows from it are one commit.
    """

    def __init__(self, settings: ExecutionSettings) -> None:
        self._settings = settings

    def advance(self, tx: Transaction, execution_id: str) -> bool:
        """Decide what comes next and store it, steps, tasks and the execution's own state.

        Returns whether dispatch has something to do; wake it after the commit. Calling it once too
        often changes nothing. A plain execution only gets its state.
        """
        flow = FlowRepository(tx, execution_id)
        tx.flush()
        head = flow.head()
        if head is None:
            return False
        if head.is_plain:
            ExecutionRepository(tx).close(execution_id)
            return True
        wait = timedelta(seconds=head.start_seconds or self._settings.start_seconds)
        wake = False
        for _ in range(MAX_ROUNDS):
            view = flow.view(head)
            decision = decide(view)
            if not decision.changes:
                ended = all(step.status in ENDED_STEPS for step in view.steps)
                pause = None if ended else decision.pause
                status = execution_standing(view, pause)
                next_at = None if ended else decision.next_at
                flow.close(head, status, pause=pause, next_at=next_at, ended=ended)
                return wake
            if not wake:
                ExecutionRepository(tx).bump([execution_id])
            wake = True
            flow.apply(decision, wait)
        raise AssertionError(f"execution {execution_id} does not come to rest")

    def pause(self, tx: Transaction, execution_id: str) -> bool:
        """Start nothing more; what is on hosts goes on. False when it was paused by a user before.

        Offers are taken back: a claim that comes now is refused, and offered anew after `resume`.
        """
        flow, view = self._taken_over(tx, execution_id)
        if view.pause in {PauseReason.USER, PauseReason.APPROVAL}:
            return False
        version = ExecutionRepository(tx).version_of(execution_id)
        flow.withdraw([step.id for step in view.steps], version)
        flow.change({"paused_at": tx.now, "pause_reason": str(PauseReason.USER)})
        self.advance(tx, execution_id)
        return True

    def resume(self, tx: Transaction, execution_id: str) -> bool:
        """Go on after a pause by a user, a threshold or between batches; False if there is none.

        What had failed by then is accepted and counts no longer against the threshold. A
        confirmation step is not skipped by this; it wants `confirm`.
        """
        flow, view = self._taken_over(tx, execution_id)
        if view.pause in {None, PauseReason.CONFIRMATION, PauseReason.APPROVAL}:
            return False
        for step in view.steps:
            if step.status == StepStatus.RUNNING:
                if view.pause == PauseReason.THRESHOLD:
                    flow.change_step(step.id, {"forgiven": step.failures})
                if view.pause == PauseReason.BATCH:
                    flow.change_step(step.id, {"confirmed_batch": step.batch_no})
        flow.change({"paused_at": None, "pause_reason": None})
        self.advance(tx, execution_id)
        return True

    def allow(self, tx: Transaction, execution_id: str) -> bool:
        """Begin what waited for others to agree; False when it does not wait for that any more.

        The time in which its tasks may start counts from now.
        """
        flow, view = self._taken_over(tx, execution_id)
        if view.pause != PauseReason.APPROVAL or view.stopping:
            return False
        flow.change({"paused_at": None, "pause_reason": None})
        self.advance(tx, execution_id)
        return True

    def refuse(
        self,
        tx: Transaction,
        execution_id: str,
        status: TaskStatus,
        reason: str,
        detail: str | None,
    ) -> bool:
        """End what waited for others to agree and will not start; False when it does not wait."""
        flow, view = self._taken_over(tx, execution_id)
        if view.pause != PauseReason.APPROVAL or view.stopping:
            return False
        flow.end_unstarted(status, reason, detail)
        flow.change(
            {"paused_at": None, "pause_reason": None, "cancel_reason": detail and detail[:200]}
        )
        self.advance(tx, execution_id)
        return True

    def confirm(
        self, tx: Transaction, execution_id: str, step_id: str, user_id: int, *, approve: bool
    ) -> bool:
        """Answer a confirmation step, or whether the next batch may start; False if none waits."""
        flow, view = self._taken_over(tx, execution_id)
        step = next((one for one in view.steps if one.id == step_id), None)
        if step is None or step.status not in {StepStatus.PAUSED, StepStatus.RUNNING}:
            return False
        values: dict[str, object] = {"confirmed_by": user_id}
        if step.status == StepStatus.PAUSED:
            values |= {"confirmed_at": tx.now, "reason": CONFIRMED if approve else DECLINED}
        elif view.pause == PauseReason.BATCH and approve:
            values["confirmed_batch"] = step.batch_no
        elif view.pause == PauseReason.BATCH:
            values["reason"] = DECLINED
        else:
            return False
        flow.change_step(step_id, values)
        self.advance(tx, execution_id)
        return True

    def skip(self, tx: Transaction, execution_id: str, step_id: str, user_id: int) -> bool:
        """Leave out a step that has not ended; hosts that run it are asked to stop."""
        flow, view = self._taken_over(tx, execution_id)
        step = next((one for one in view.steps if one.id == step_id), None)
        if step is None or step.status in ENDED_STEPS:
            return False
        flow.change_step(step_id, {"skipped_by": user_id})
        flow.stop_running(step_id)
        self.advance(tx, execution_id)
        return True

    def ignore_errors(self, tx: Transaction, execution_id: str, step_id: str) -> bool:
        """Let a failed (or still running) step count as a success and go on behind it.

        An execution that had ended because of it is open again.
        """
        flow, view = self._taken_over(tx, execution_id)
        step = next((one for one in view.steps if one.id == step_id), None)
        if step is None or step.ignore_error or step.status in ENDED_STEPS - BROKEN_STEPS:
            return False
        values: dict[str, object] = {"ignore_error": True}
        if step.status in BROKEN_STEPS:
            values |= {"status": str(StepStatus.SUCCESS), "reason": ERRORS_IGNORED}
            self._reopen(flow, view, step)
        flow.change_step(step_id, values)
        self.advance(tx, execution_id)
        return True

    def retry(
        self,
        tx: Transaction,
        execution_id: str,
        step_id: str,
        *,
        statuses: Collection[TaskStatus],
        task_ids: Sequence[str] | None = None,
    ) -> int:
        """Begin a new attempt of ended tasks of a step that are in these states, or only of some.

        The steps behind it are open again. Returns how many tasks begin anew; 0 changes nothing.
        """
        flow, view = self._taken_over(tx, execution_id)
        step = next((one for one in view.steps if one.id == step_id), None)
        if step is None or step.status == StepStatus.PENDING:
            return 0
        version = ExecutionRepository(tx).version_of(execution_id)
        wanted = frozenset(statuses) & TERMINAL
        begun = AttemptRepository(tx).again(step_id, version, wanted, task_ids)
        if begun:
            again = {"status": str(StepStatus.RUNNING), "reason": None, "finished_at": None}
            flow.change_step(step_id, {**again, "skipped_by": None, "forgiven": 0})
            self._reopen(flow, view, step)
            self.advance(tx, execution_id)
        return begun

    def _taken_over(self, tx: Transaction, execution_id: str) -> tuple[FlowRepository, View]:
        """The view of an execution that from now on is the engine's, locked, its version raised."""
        tx.flush()
        ExecutionRepository(tx).bump([execution_id])
        flow = FlowRepository(tx, execution_id)
        head = flow.head()
        assert head is not None, "the caller has looked for it"
        if head.is_plain:
            flow.take_over()
        return flow, flow.view(head)

    def _reopen(self, flow: FlowRepository, view: View, step: StepView) -> None:
        """Open what was left out because of this step's failure, and the execution with it."""
        skipped = {EARLIER_STEP_FAILED, "not_needed", "cancelled"}
        for later in view.steps:
            if later.id != step.id and later.reason in skipped and later.status in ENDED_STEPS:
                flow.open_again(later.id)
        flow.change({"cancel_requested_at": None, "cancel_reason": None, "stop_kind": None})

    def due(self, tx: Transaction) -> Sequence[str]:
        """Executions at which the sweep has to look now: delays, expiries, retries."""
        return due_executions(tx, TICK_LIMIT)

    def settle(self, tx: Transaction, execution_ids: Iterable[str]) -> list[str]:
        """Derive the states of executions whose tasks have moved; returns those to dispatch."""
        executions = ExecutionRepository(tx)
        return [
            execution_id
            for execution_id in sorted(set(execution_ids))
            if executions.close(execution_id) is None and self.advance(tx, execution_id)
        ]

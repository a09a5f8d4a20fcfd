"""The use cases of steps after the start: skip, ignore errors, try again, confirm."""

from functools import partial

from libs.contracts.execution import ExecutionStatus, StepStatus
from libs.contracts.grants import SUPERUSERS
from libs.kit.db import Transaction
from libs.kit.errors import Invalid
from services.execution.access.service import account_of
from services.execution.breadth.service import HOSTS, Breadth
from services.execution.consents.service import Consents, Repeats
from services.execution.control.domain import Action, Effect, Order, may_confirm
from services.execution.control.repository import ControlRepository
from services.execution.control.schemas import ConfirmIn, RetryStepIn
from services.execution.control.service import (
    NOTHING_CHANGED,
    Done,
    Operations,
    must_be_going_on,
)
from services.execution.domain import (
    BROKEN_TASKS,
    DECLINED,
    ENDED_STEPS,
    OPEN,
    TERMINAL,
    PauseReason,
    StepKind,
    is_finished,
)
from services.execution.errors import (
    ConfirmationDecided,
    ConfirmationExpired,
    ConfirmationNotYours,
    HostsNotInStep,
    NothingToRetry,
    NotWaitingForConfirmation,
    SecretsForgotten,
    StepFinishedAlready,
    StepNotFailed,
    StepNotFinished,
    StepNotFound,
    StepNotStarted,
    TooManyRetries,
)
from services.execution.flow.service import Flow
from services.execution.models import Execution, Step
from services.execution.settings import ExecutionSettings
from services.execution.variables.service import secret_names


class Steps:
    """What may be done to a step of an execution after its start."""

    def __init__(
        self, operations: Operations, flow: Flow, settings: ExecutionSettings, repeats: Repeats
    ) -> None:
        self._breadth = Breadth(settings)
        self._operations = operations
        self._repeats = repeats
        self._flow = flow
        self._settings = settings

    async def skip(self, order: Order) -> Done:
        """Leave out a step that has not ended; hosts that run it are asked to stop."""
        return await self._operations.run(order, partial(self._skip, order=order))

    def _skip(
        self, tx: Transaction, control: ControlRepository, execution: Execution, *, order: Order
    ) -> Effect:
        step = _step(control, order)
        if step.skipped_by is not None:
            return NOTHING_CHANGED
        if is_finished(ExecutionStatus(execution.status)) or step.status in ENDED_STEPS:
            raise StepFinishedAlready(step_id=step.id, status=step.status)
        must_be_going_on(execution)
        return Effect(self._flow.skip(tx, execution.id, step.id, order.by.id))

    async def ignore_error(self, order: Order) -> Done:
        """Let a failed step count as a success with errors, and go on behind it."""
        return await self._operations.run(order, partial(self._ignore_error, order=order))

    def _ignore_error(
        self, tx: Transaction, control: ControlRepository, execution: Execution, *, order: Order
    ) -> Effect:
        step = _step(control, order)
        if step.ignore_error:
            if control.last(execution.id, Action.IGNORE_STEP_ERROR, step_id=step.id):
                return NOTHING_CHANGED
            raise StepNotFailed(step_id=step.id, status=step.status)
        Consents.must_be_given(tx, execution.id)
        status = _standing(execution, step)
        if status == StepStatus.PENDING:
            raise StepNotStarted(step_id=step.id)
        if status in {StepStatus.SUCCESS, StepStatus.SKIPPED, StepStatus.CANCELLED}:
            raise StepNotFailed(step_id=step.id, status=status)
        if not is_finished(ExecutionStatus(execution.status)):
            must_be_going_on(execution)
        if not self._flow.ignore_errors(tx, execution.id, step.id):
            raise StepNotFailed(step_id=step.id, status=status)
        return Effect(True, {"was": status})

    async def retry_step(self, order: Order, wanted: RetryStepIn) -> Done:
        """Begin a new attempt on hosts of a step, in place: failed ones, all, or those named.

        The rules about commands count for it as they are now; see `Repeats`.
        """
        if (wanted.retry_type == "selected") != (wanted.host_ids is not None):
            raise Invalid(
                "Name hosts for selected, and only then.",
                zh="仅在选择 selected 时指定主机，且必须指定。",
                field="host_ids",
            )
        await self._repeats.judge(order.execution_id, order.step_id or "", order.by)
        return await self._operations.run(
            order, partial(self._retry_step, order=order, wanted=wanted)
        )

    def _retry_step(
        self,
        tx: Transaction,
        control: ControlRepository,
        execution: Execution,
        *,
        order: Order,
        wanted: RetryStepIn,
    ) -> Effect:
        step = _step(control, order)
        Consents.must_be_given(tx, execution.id)
        if not is_finished(ExecutionStatus(execution.status)):
            must_be_going_on(execution)
        if (earlier := _same_retry(control, step, wanted)) is not None:
            return earlier
        task_ids = _chosen(control, step, wanted)
        if secret_names(execution.variables) and not control.has_secrets(execution.id):
            raise SecretsForgotten(execution_id=execution.id)
        limit = self._settings.max_concurrent_retries
        if control.open_retries(besides=execution.id) >= limit:
            raise TooManyRetries(limit=limit, retry_after=10)
        begun = self._flow.retry(
            tx,
            execution.id,
            step.id,
            statuses=BROKEN_TASKS if wanted.retry_type == "failed_only" else TERMINAL,
            task_ids=task_ids,
        )
        if not begun:
            if _standing(execution, step) == StepStatus.PENDING:
                raise StepNotStarted(step_id=step.id)
            raise NothingToRetry(step_id=step.id, retry_type=wanted.retry_type)
        self._breadth.must_be_confirmed(begun, wanted.confirmed_host_count, field=HOSTS)
        if account_of(step.run_as) in SUPERUSERS:
            self._breadth.must_be_proved(begun, order.by)
        return Effect(True, {"retry_type": wanted.retry_type, "tasks": begun}, task_ids)

    async def confirm(self, order: Order, answer: ConfirmIn) -> Done:
        """Answer a confirmation step, or whether the next batch may start."""
        return await self._operations.run(order, partial(self._confirm, order=order, answer=answer))

    def _confirm(
        self,
        tx: Transaction,
        control: ControlRepository,
        execution: Execution,
        *,
        order: Order,
        answer: ConfirmIn,
    ) -> Effect:
        step = _step(control, order)
        confirm = step.payload.get("confirm")
        named = confirm if isinstance(confirm, dict) else {}
        is_named = bool(named.get("user_ids") or named.get("roles"))
        if not may_confirm(named, order.by) or not (is_named or order.by.can("executions:operate")):
            raise ConfirmationNotYours(step_id=step.id)
        if step.kind == StepKind.CONFIRM:
            decided = _decided(tx, step, answer)
        else:
            decided = _batch_decided(control, execution, step, answer)
        if decided:
            return NOTHING_CHANGED
        must_be_going_on(execution)
        if not self._flow.confirm(tx, execution.id, step.id, order.by.id, approve=answer.approve):
            raise NotWaitingForConfirmation(step_id=step.id, status=step.status)
        return Effect(True, {"approve": answer.approve, "batch": step.batch_no or None})


def _step(control: ControlRepository, order: Order) -> Step:
    step = control.step(order.execution_id, order.step_id or "")
    if step is None:
        raise StepNotFound(step_id=order.step_id)
    return step


def _standing(execution: Execution, step: Step) -> StepStatus:
    """The state of a step; that of a plain execution is its step's, too."""
    if not execution.is_plain:
        return StepStatus(step.status)
    if execution.status == ExecutionStatus.PAUSED:
        return StepStatus.RUNNING
    return StepStatus(execution.status)


def _chosen(control: ControlRepository, step: Step, wanted: RetryStepIn) -> list[str] | None:
    """The tasks of the named hosts, or None for those of all.

    A host that has not answered since its task was ended by force may still be at work (R13).
    """
    silent = control.forced_on(step.id)
    if silent & set(wanted.host_ids or silent):
        raise StepNotFinished(step_id=step.id, hosts=sorted(silent)[:100])
    if wanted.host_ids is None:
        if wanted.retry_type == "all" and control.open_tasks(step.id):
            raise StepNotFinished(step_id=step.id)
        return None
    found = control.tasks_on(step.id, wanted.host_ids)
    missing = [host_id for host_id in wanted.host_ids if host_id not in found]
    if missing:
        raise HostsNotInStep(missing=missing[:100])
    if any(status in OPEN for _, status in found.values()):
        raise StepNotFinished(step_id=step.id)
    return [task_id for task_id, _ in found.values()]


def _same_retry(control: ControlRepository, step: Step, wanted: RetryStepIn) -> Effect | None:
    """The effect of the same request before, while the attempts that it began still run."""
    last = control.last(step.execution_id, Action.RETRY_STEP, step_id=step.id)
    if last is None or last.detail.get("retry_type") != wanted.retry_type:
        return None
    if wanted.host_ids is None:
        repeated = control.open_tasks(step.id) > 0 and not control.failed_tasks(step.id)
    else:
        states = control.tasks_on(step.id, wanted.host_ids)
        same = {task_id for task_id, _ in states.values()} == set(last.task_ids or ())
        repeated = same and any(status in OPEN for _, status in states.values())
    tasks = last.detail.get("tasks")
    detail = {"retry_type": wanted.retry_type, "tasks": tasks if isinstance(tasks, int) else 0}
    return Effect(False, detail) if repeated else None


def _decided(tx: Transaction, step: Step, answer: ConfirmIn) -> bool:
    """Whether a confirmation step has this answer already; raises when it can have none now."""
    if step.confirmed_at is not None:
        if answer.approve != (step.reason != DECLINED):
            raise ConfirmationDecided(step_id=step.id)
        return True
    if step.status == StepStatus.EXPIRED or (step.expires_at and step.expires_at <= tx.now):
        raise ConfirmationExpired(step_id=step.id)
    if step.status != StepStatus.PAUSED:
        raise NotWaitingForConfirmation(step_id=step.id, status=step.status)
    return False


def _batch_decided(
    control: ControlRepository, execution: Execution, step: Step, answer: ConfirmIn
) -> bool:
    """Whether the question after a batch has this answer already; raises when none is asked."""
    if answer.batch is not None and answer.batch <= step.confirmed_batch:
        if not answer.approve:
            raise ConfirmationDecided(step_id=step.id)
        return True
    waits = execution.pause_reason == PauseReason.BATCH and step.status == StepStatus.RUNNING
    if waits and answer.batch in (None, step.batch_no):
        return False
    last = control.last(execution.id, Action.CONFIRM, step_id=step.id)
    if last is not None and last.detail.get("approve") == answer.approve:
        return True
    raise NotWaitingForConfirmation(step_id=step.id, status=step.status)

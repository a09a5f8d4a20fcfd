"""Doors for single steps; the answer says how the step stands at once."""

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.execution import StepStatus
from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import AS_ROOT, acting, seeing
from services.execution.control.domain import Action, Order
from services.execution.control.router import From, answer
from services.execution.control.schemas import (
    ConfirmIn,
    IgnoreErrorIn,
    OperationIn,
    RetryStepIn,
    StepControlOut,
)
from services.execution.control.service import Done
from services.execution.steps.service import Steps

router = APIRouter(prefix="/api/executor/execution-records", tags=["execution control"])

StepUseCases = Annotated[Steps, provided(Steps)]
Reader = Annotated[Principal, seeing()]
Operator = Annotated[Principal, acting("executions:operate")]
Retrier = Annotated[Principal, acting("executions:operate", asks_again=AS_ROOT)]


@router.post("/{execution_id}/steps/{step_id}/skip", status_code=202)
async def skip_step(
    execution_id: str,
    step_id: str,
    steps: StepUseCases,
    by: Operator,
    source: From,
    body: OperationIn | None = None,
) -> StepControlOut:
    """Leave out a step that has not ended; hosts that run it are asked to stop."""
    order = source.order(
        Action.SKIP_STEP, execution_id, by, body.reason if body else None, step_id=step_id
    )
    return _answer(order, await steps.skip(order))


@router.post("/{execution_id}/steps/{step_id}/confirm", status_code=202)
async def confirm_step(
    execution_id: str,
    step_id: str,
    steps: StepUseCases,
    by: Reader,
    source: From,
    body: ConfirmIn,
) -> StepControlOut:
    """Answer a confirmation step, or whether the next batch of a step may start.

    Where a step names people or roles, exactly those may answer; otherwise whoever may operate.
    """
    order = source.order(Action.CONFIRM, execution_id, by, body.comment, step_id=step_id)
    return _answer(order, await steps.confirm(order, body))


@router.post("/{execution_id}/ignore_step_error", status_code=202)
async def ignore_step_error(
    execution_id: str, steps: StepUseCases, by: Operator, source: From, body: IgnoreErrorIn
) -> StepControlOut:
    """Let a failed step count as a success and go on behind it, also after the end."""
    order = source.order(
        Action.IGNORE_STEP_ERROR, execution_id, by, body.reason, step_id=body.step_id
    )
    return _answer(order, await steps.ignore_error(order))


@router.post("/{execution_id}/retry_step", status_code=202)
async def retry_step(
    execution_id: str, steps: StepUseCases, by: Retrier, source: From, body: RetryStepIn
) -> StepControlOut:
    """Begin a new attempt on hosts of a step, in place, also after the end."""
    order = source.order(Action.RETRY_STEP, execution_id, by, body.reason, step_id=body.step_id)
    return _answer(order, await steps.retry_step(order, body))


def _answer(order: Order, done: Done) -> StepControlOut:
    assert done.step is not None
    return StepControlOut(
        **answer(order, done).model_dump(),
        step_id=done.step.id,
        step_status=StepStatus(done.step.status),
        step_reason=done.step.reason,
        tasks=done.count("tasks") or None,
    )

"""Doors for holding, stopping and going on; the answer says what is true at once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from libs.contracts.execution import TaskStatus
from libs.kit.auth import Principal, authenticated
from libs.kit.pagination import Page, Paging
from libs.kit.service import provided
from services.execution.access.router import acting, seeing
from services.execution.control.domain import Action, Order, Origin
from services.execution.control.schemas import (
    BulkStopIn,
    BulkStopOut,
    ControlOut,
    OperationIn,
    OperationOut,
    StopOut,
    TaskCancelOut,
)
from services.execution.control.service import Control, Done

router = APIRouter(prefix="/api/executor/execution-records", tags=["execution control"])

ControlUseCases = Annotated[Control, provided(Control)]
Reader = Annotated[Principal, seeing()]
# Of many executions each is decided for itself.
Caller = Annotated[Principal, authenticated()]
Stopper = Annotated[Principal, acting("executions:cancel")]
Operator = Annotated[Principal, acting("executions:operate")]


async def origin(
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
    x_forwarded_for: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Origin:
    """Where a request comes from, as the gateway says, and the key that makes it recognisable."""
    return Origin(idempotency_key, (x_forwarded_for or "").partition(",")[0].strip()[:64] or None)


From = Annotated[Origin, Depends(origin)]


@router.post("/bulk_stop")
async def stop_many(
    body: BulkStopIn, control: ControlUseCases, by: Caller, source: From
) -> BulkStopOut:
    """Stop many executions; each is answered for itself, in the order of the request."""
    ids = list(dict.fromkeys(body.execution_ids))
    items = await control.bulk_stop(
        [Order(Action.STOP, one, by, body.reason, source.client_ip) for one in ids],
        confirmed=body.confirmed_execution_count,
    )
    stopped = sum(item.success for item in items)
    return BulkStopOut(stopped=stopped, failed=len(items) - stopped, results=items)


@router.post("/{execution_id}/pause", status_code=202)
async def pause_execution(
    execution_id: str,
    control: ControlUseCases,
    by: Operator,
    source: From,
    body: OperationIn | None = None,
) -> ControlOut:
    """Start nothing more; what runs on hosts goes on."""
    order = source.order(Action.PAUSE, execution_id, by, body.reason if body else None)
    return answer(order, await control.pause(order))


@router.post("/{execution_id}/resume", status_code=202)
async def resume_execution(
    execution_id: str,
    control: ControlUseCases,
    by: Operator,
    source: From,
    body: OperationIn | None = None,
) -> ControlOut:
    """Go on after a pause by somebody, by a failure threshold or between batches."""
    order = source.order(Action.RESUME, execution_id, by, body.reason if body else None)
    return answer(order, await control.resume(order))


@router.post("/{execution_id}/cancel", status_code=202)
async def cancel_execution(
    execution_id: str,
    control: ControlUseCases,
    by: Stopper,
    source: From,
    body: OperationIn | None = None,
) -> StopOut:
    """End what has not started for good, and ask the hosts to stop what runs."""
    order = source.order(Action.STOP, execution_id, by, body.reason if body else None)
    return _stopped(order, await control.stop(order))


@router.post("/{execution_id}/force_terminate", status_code=202)
async def force_terminate(
    execution_id: str,
    control: ControlUseCases,
    by: Stopper,
    source: From,
    body: OperationIn | None = None,
) -> StopOut:
    """End every task now as cancelled, also on hosts that do not answer.

    Hosts are still asked to stop, for a day; what they report is kept as a late outcome.
    """
    order = source.order(Action.FORCE_TERMINATE, execution_id, by, body.reason if body else None)
    return _stopped(order, await control.force_terminate(order))


@router.post("/{execution_id}/tasks/{task_id}/cancel", status_code=202)
async def cancel_task(
    execution_id: str,
    task_id: str,
    control: ControlUseCases,
    by: Stopper,
    source: From,
    body: OperationIn | None = None,
) -> TaskCancelOut:
    """End the task of one host: at once if nobody claimed it, otherwise by asking the host."""
    order = source.order(
        Action.CANCEL_TASK, execution_id, by, body.reason if body else None, task_id=task_id
    )
    done = await control.cancel_task(order)
    assert done.task is not None
    return TaskCancelOut(
        **answer(order, done).model_dump(),
        task_id=task_id,
        task_status=TaskStatus(done.task.status),
        cancel_requested=done.task.cancel_at is not None,
    )


@router.get("/{execution_id}/operation_logs")
async def list_operations(
    execution_id: str,
    control: ControlUseCases,
    by: Reader,
    params: Paging,
    action: Action | None = None,
) -> Page[OperationOut]:
    """Who did what to an execution, newest first."""
    return await control.log(execution_id, params, action)


def answer(order: Order, done: Done) -> ControlOut:
    """What every operation answers."""
    return ControlOut(
        execution_id=order.execution_id,
        action=order.action,
        status=done.status,
        pause_reason=done.pause_reason,
    )


def _stopped(order: Order, done: Done) -> StopOut:
    return StopOut(
        **answer(order, done).model_dump(),
        cancelled=done.count("cancelled"),
        cancelling=done.count("cancelling"),
    )

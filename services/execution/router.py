"""The record of executions: list, detail, tasks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from libs.contracts.execution import ExecutionStatus, TaskStatus
from libs.kit.auth import Principal, authenticated
from libs.kit.pagination import Page, Paging
from libs.kit.service import Moment, provided
from services.execution.access.router import AS_ROOT, running, seeing
from services.execution.attempts.schemas import AttemptOut
from services.execution.attempts.service import Attempts
from services.execution.plans.router import Origin
from services.execution.plans.schemas import Accepted, ExecutionIn, Preview
from services.execution.plans.service import Plans, RequestKey
from services.execution.previews.service import Previews
from services.execution.schemas import (
    ExecutionDetail,
    ExecutionOut,
    ListQuery,
    TaskOut,
)
from services.execution.service import Executions

router = APIRouter(prefix="/api/executor/execution-records", tags=["executions"])

ExecutionsUseCases = Annotated[Executions, provided(Executions)]
AttemptsUseCases = Annotated[Attempts, provided(Attempts)]
PlansUseCases = Annotated[Plans, provided(Plans)]
Runner = Annotated[Principal, running(asks_again=AS_ROOT)]
Looker = Annotated[Principal, running()]
Reader = Annotated[Principal, seeing()]
# Everybody may ask; the list starts from what the caller sees.
Caller = Annotated[Principal, authenticated()]


def list_query(
    status: Annotated[list[ExecutionStatus] | None, Query(max_length=9)] = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
    execution_type: Annotated[str | None, Query(max_length=24)] = None,
    executed_by: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    scheduled_job_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    start_date: Annotated[Moment | None, Query()] = None,
    end_date: Annotated[Moment | None, Query()] = None,
    include_retries: bool = True,
) -> ListQuery:
    """The filters of the list; `status` may be given several times."""
    return ListQuery(
        status=status or [],
        search=search,
        name=name,
        execution_type=execution_type,
        executed_by=executed_by,
        scheduled_job_id=scheduled_job_id,
        start_date=start_date,
        end_date=end_date,
        include_retries=include_retries,
    )


@router.get("")
async def list_executions(
    executions: ExecutionsUseCases,
    by: Caller,
    params: Paging,
    wanted: Annotated[ListQuery, Depends(list_query)],
) -> Page[ExecutionOut]:
    """Executions, newest first; `search` looks in names, users and for an exact id."""
    return await executions.page(params, wanted, by)


@router.post(
    "",
    status_code=201,
    responses={200: {"model": Accepted, "description": "What the first request was answered"}},
)
async def run_execution(
    request: ExecutionIn,
    plans: PlansUseCases,
    by: Runner,
    response: Response,
    client: Origin,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Accepted:
    """Run one or many steps on hosts. With an `Idempotency-Key` a repeated request starts nothing.

    The answer 201 means that the execution, all its steps and their tasks are stored and will run;
    a repeated request is answered with 200 and the same id.
    """
    accepted = await plans.run(request, by, RequestKey.of(request, idempotency_key), client)
    if not accepted.created:
        response.status_code = 200
    return accepted


@router.post("/preview")
async def preview_execution(
    request: ExecutionIn, previews: Annotated[Previews, provided(Previews)], by: Looker
) -> Preview:
    """What such an execution would do: hosts and whether they are there, batches, steps."""
    return await previews.preview(request, by)


@router.get("/{execution_id}")
async def show_execution(
    execution_id: str, executions: ExecutionsUseCases, by: Reader
) -> ExecutionDetail:
    """One execution with its steps and the first 1,000 tasks."""
    return await executions.show(execution_id)


@router.get("/{execution_id}/tasks")
async def list_tasks(
    execution_id: str,
    executions: ExecutionsUseCases,
    by: Reader,
    params: Paging,
    status: TaskStatus | None = None,
    step_id: Annotated[str | None, Query(max_length=36)] = None,
) -> Page[TaskOut]:
    """The tasks of an execution or of one of its steps; waiting ones say why they wait."""
    return await executions.tasks(execution_id, params, status, step_id)


@router.get("/{execution_id}/tasks/{task_id}/attempts")
async def list_attempts(
    execution_id: str, task_id: str, attempts: AttemptsUseCases, by: Reader
) -> list[AttemptOut]:
    """How the earlier attempts of a task ended, oldest first."""
    return await attempts.earlier(execution_id, task_id)

"""Doors for repeating an execution and for looking along the chain."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import AS_ROOT, acting, seeing
from services.execution.plans.router import Origin
from services.execution.reruns.schemas import HistoryOut, RetryIn, RetryOut, TraceOut
from services.execution.reruns.service import Reruns

router = APIRouter(prefix="/api/executor/execution-records", tags=["execution control"])

RerunUseCases = Annotated[Reruns, provided(Reruns)]
Runner = Annotated[Principal, acting("executions:run", asks_again=AS_ROOT)]
Reader = Annotated[Principal, seeing()]


@router.post(
    "/{execution_id}/retry",
    status_code=201,
    responses={200: {"model": RetryOut, "description": "What the first request was answered"}},
)
async def retry_execution(
    execution_id: str,
    reruns: RerunUseCases,
    by: Runner,
    client: Origin,
    response: Response,
    body: RetryIn | None = None,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> RetryOut:
    """Repeat a finished execution as a new record: all of it, one step, or its failed hosts.

    With an `Idempotency-Key` a repeated request starts nothing and is answered with 200.
    """
    made = await reruns.retry(execution_id, body or RetryIn(), by, idempotency_key, client)
    if not made.created:
        response.status_code = 200
    return made


@router.get("/{execution_id}/retry_history")
async def retry_history(execution_id: str, reruns: RerunUseCases, by: Reader) -> HistoryOut:
    """The first execution and all that repeat it, oldest first."""
    return await reruns.history(execution_id, by)


@router.get("/{execution_id}/trace")
async def trace_execution(execution_id: str, reruns: RerunUseCases, by: Reader) -> TraceOut:
    """Who or what started it, what it repeats, what repeats it, and runs of the same name."""
    return await reruns.trace(execution_id, by)

"""Doors to what a step was given and what came of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.contracts.execution import TaskStatus
from libs.kit.auth import Principal
from libs.kit.pagination import Paging
from libs.kit.service import provided
from services.execution.access.router import seeing
from services.execution.outcomes.schemas import StepContentOut, StepResultOut, VariablesOut
from services.execution.outcomes.service import Outcomes

router = APIRouter(prefix="/api/executor/execution-records", tags=["executions"])

OutcomeUseCases = Annotated[Outcomes, provided(Outcomes)]
Reader = Annotated[Principal, seeing()]


@router.get("/{execution_id}/steps/{step_id}/content")
async def step_content(
    execution_id: str,
    step_id: str,
    outcomes: OutcomeUseCases,
    by: Reader,
    host_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> StepContentOut:
    """A step as written and as a host is given it; secrets are asterisks."""
    return await outcomes.content(execution_id, step_id, host_id)


@router.get("/{execution_id}/steps/{step_id}/result")
async def step_result(
    execution_id: str,
    step_id: str,
    outcomes: OutcomeUseCases,
    by: Reader,
    params: Paging,
    status: TaskStatus | None = None,
) -> StepResultOut:
    """What came of a step over all hosts, and host by host in pages."""
    return await outcomes.result(execution_id, step_id, params, status)


@router.get("/{execution_id}/variables")
async def list_variables(execution_id: str, outcomes: OutcomeUseCases, by: Reader) -> VariablesOut:
    """What was given at launch, defaults, values that steps left, and built-ins."""
    return await outcomes.variables(execution_id)

"""Outputs that are the same across hosts, and how they differ."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import seeing
from services.execution.grouping.domain import Masks
from services.execution.grouping.schemas import DiffOut, GroupsOut
from services.execution.grouping.service import Grouping, Question

router = APIRouter(prefix="/api/executor/execution-records", tags=["logs"])

Comparing = Annotated[Grouping, provided(Grouping)]
Reader = Annotated[Principal, seeing()]
StepId = Annotated[str | None, Query(max_length=36)]
Hash = Annotated[str, Query(pattern="^[0-9a-f]{64}$")]


@router.get("/{execution_id}/output_groups")
async def group_outputs(
    execution_id: str,
    comparing: Comparing,
    by: Reader,
    step_id: StepId = None,
    stream: Literal["stdout", "stderr"] = "stdout",
    mask_host: bool = True,
    mask_times: bool = False,
) -> GroupsOut:
    """Hosts by what they said: colours, blanks at line ends and, unless refused, each host's own
    name and address make no difference."""
    masks = Masks(own=mask_host, times=mask_times)
    return await comparing.groups(Question(execution_id, step_id, stream, masks))


@router.get("/{execution_id}/output_groups/diff")
async def compare_outputs(
    execution_id: str,
    comparing: Comparing,
    by: Reader,
    b: Hash,
    a: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    step_id: StepId = None,
    stream: Literal["stdout", "stderr"] = "stdout",
    mask_host: bool = True,
    mask_times: bool = False,
) -> DiffOut:
    """How group `b` differs from group `a`, or from the majority."""
    masks = Masks(own=mask_host, times=mask_times)
    return await comparing.diff(Question(execution_id, step_id, stream, masks), a, b)

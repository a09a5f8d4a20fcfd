"""Running a script at once."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import AS_ROOT, running
from services.execution.plans.router import Origin
from services.execution.plans.schemas import Accepted
from services.execution.quick.schemas import ScriptRun
from services.execution.quick.service import QuickRuns

router = APIRouter(prefix="/api/quick", tags=["quick execution"])

QuickUseCases = Annotated[QuickRuns, provided(QuickRuns)]
Runner = Annotated[Principal, running(asks_again=AS_ROOT)]


@router.post(
    "/execute_script",
    status_code=201,
    responses={200: {"model": Accepted, "description": "What the first request was answered"}},
)
async def execute_script(
    request: ScriptRun,
    quick: QuickUseCases,
    by: Runner,
    response: Response,
    client: Origin,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Accepted:
    """Run a script on hosts. With an `Idempotency-Key` a repeated request starts nothing new.

    The answer 201 means that the execution and all its tasks are stored and will run; a repeated
    request is answered with 200 and the same id.
    """
    accepted = await quick.run_script(request, by, idempotency_key, client)
    if not accepted.created:
        response.status_code = 200
    return accepted

"""What the agent gateways tell execution; never reachable from outside."""

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.execution import CollectedFile
from libs.kit.auth import Principal, internal_only
from libs.kit.service import provided
from services.execution.files.service import Files

router = APIRouter(prefix="/internal/execution", tags=["internal"])

FilesUseCases = Annotated[Files, provided(Files)]
Caller = Annotated[Principal, internal_only()]


@router.post("/collected")
async def enter_collected(body: CollectedFile, files: FilesUseCases, by: Caller) -> str:
    """Enter an archive that an agent brought for one of its tasks."""
    return await files.enter_collected(body)

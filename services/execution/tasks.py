"""Background work of the execution service."""

from libs.kit.queue import task
from services.execution.service import Executions


@task(periodic=3600)
async def forget_old_keys(executions: Executions) -> None:
    """Drop idempotency keys that nobody can still be waiting for."""
    await executions.forget_old_keys()

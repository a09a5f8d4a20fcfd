"""Background work of the execution service."""

from libs.kit.queue import task
from services.execution.files.service import Files
from services.execution.service import Executions
from services.execution.variables.service import Variables


@task(periodic=3600)
async def forget_old_keys(executions: Executions) -> None:
    """Drop idempotency keys that nobody can still be waiting for."""
    await executions.forget_old_keys()


@task(periodic=30)
async def sweep_files(files: Files) -> None:
    """Remove expired files, content that nobody needs, and uploads that stand still."""
    await files.sweep()


@task(periodic=600)
async def forget_old_secrets(variables: Variables) -> None:
    """Drop the secrets of executions that ended long ago."""
    await variables.forget_old()

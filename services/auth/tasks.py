"""Background work of auth."""

from libs.kit.queue import task
from services.auth.service import Sessions


@task(periodic=600, timeout=120)
async def purge_expired_sessions(sessions: Sessions) -> None:
    """Deletes sessions and login delays whose time is over."""
    await sessions.purge()

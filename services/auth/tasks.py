"""Background work of auth."""

from libs.kit.queue import task
from services.auth.approvals.service import Approvals
from services.auth.captcha.service import Captchas
from services.auth.directory.service import DirectoryWatch
from services.auth.mfa.service import SecondFactors
from services.auth.oidc.service import OidcLogins
from services.auth.service import Sessions


@task(periodic=600, timeout=120)
async def purge_expired_sessions(sessions: Sessions) -> None:
    """Deletes sessions and login delays whose time is over."""
    await sessions.purge()


@task(periodic=600, timeout=120)
async def purge_expired_captchas(captchas: Captchas) -> None:
    """Deletes pictures that nobody answered in time."""
    await captchas.purge()


@task(periodic=600, timeout=120)
async def purge_enrolment_tickets(factors: SecondFactors) -> None:
    """Deletes the right to enrol a second factor where nobody used it in time."""
    await factors.purge()


@task(periodic=600, timeout=120)
async def purge_oidc_logins(logins: OidcLogins) -> None:
    """Deletes what logins by identity providers leave behind: never back, or over since."""
    await logins.purge()


@task(periodic=60, timeout=60)
async def close_expired_approvals(approvals: Approvals) -> None:
    """Marks approvals as expired that nobody decided in time; they count as that before, too."""
    await approvals.close_expired()


@task(periodic=300, timeout=240)
async def disable_who_left_the_directory(watch: DirectoryWatch) -> None:
    """Looks whether the people of the directory are still there."""
    await watch.look()

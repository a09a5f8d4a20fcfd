"""The emergency door to an account: past the API, by whoever owns the database, and recorded."""

import asyncio
from pathlib import Path

from sqlalchemy import make_url

from libs.kit import migrate
from libs.kit.acting import acting_as
from libs.kit.db import Database
from libs.kit.errors import AppError
from libs.kit.seal import KeyRing, Seal
from libs.kit.settings import Settings
from services import registry
from services.auth.mfa.service import SecondFactors
from services.auth.service import Passwords
from services.auth.settings import AuthSettings, MfaSettings
from services.auth.users.service import PLATFORM, Reset, Users
from services.embedded.options import StartRefused


def reset(
    settings: Settings, username: str, *, make_admin: bool, forget_factor: bool, by: str
) -> Reset:
    """Gives a user a one-time password; with `make_admin` the user is an active admin afterwards.

    With `forget_factor` the login asks for no second factor until one is set up again.

    `by` is the user of the operating system, for the audit log. The platform may be running.
    Raises StartRefused with one line when there is no such user or no database.
    """
    url = settings.database_url_of("auth")
    _refuse_unmigrated(url)

    async def change() -> Reset:
        database = Database(url, name="auth", pool_size=1)
        await database.open()
        try:
            one_time = AuthSettings().one_time
            users = Users(database, passwords=Passwords(threads=1), one_time=one_time)
            with acting_as(0, f"{by} (on the machine)", "system"):
                made = await users.recover(username, make_admin=make_admin)
                if forget_factor:
                    await _factors(settings, database).reset(made.user_id, PLATFORM)
                return made
        finally:
            await database.close()

    try:
        return asyncio.run(change())
    except AppError as error:
        raise StartRefused(str(error)) from None


def _factors(settings: Settings, database: Database) -> SecondFactors:
    seal = Seal(KeyRing.of(settings), "auth")
    return SecondFactors(database, seal=seal, settings=MfaSettings(), proves=_no_password)


async def _no_password(user_id: int, password: str) -> None:
    """Nothing is proved here: who may use this door owns the database."""


def _refuse_unmigrated(url: str) -> None:
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).exists():
        raise StartRefused(f"There is no database at {place.database}.")
    try:
        is_ready = migrate.at_head(url, registry.load("auth").migrations)
    except OSError as error:
        raise StartRefused(f"The database does not answer: {error}") from None
    if not is_ready:
        raise StartRefused("The database of auth is of another version; migrate it first.")

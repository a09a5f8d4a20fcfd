"""The auth service on a fresh database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from libs.kit import clock
from libs.kit.auth import AccessTokens, Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from libs.kit.seal import Seal
from libs.kit.service import Service
from services.auth.account.service import OwnAccount
from services.auth.app import service
from services.auth.captcha.service import Captchas
from services.auth.directory.service import Directory
from services.auth.domain import Role
from services.auth.identities.service import Identities
from services.auth.mfa.service import SecondFactors
from services.auth.models import User
from services.auth.service import Passwords, Sessions
from services.auth.settings import AuthSettings, DirectorySettings, MfaSettings
from services.auth.signin.service import FirstFactor, SignIn
from services.auth.users.schemas import UserCreate
from services.auth.users.service import Users
from tests.support.doors import FRESH, SECRET, Door, opened

PASSWORD = "correct horse battery"


@pytest.fixture
def time() -> Iterator[StandingClock]:
    """Time that moves only when the test says so."""
    still = StandingClock(clock.now())
    before = clock.use(still)
    yield still
    clock.use(before)


@pytest.fixture
async def db(open_database: Callable[[Service], Awaitable[Database]]) -> Database:
    return await open_database(service)


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords(threads=2)


@pytest.fixture
def sessions(db: Database) -> Sessions:
    access = AccessTokens(SECRET)
    return Sessions(db, access=access, settings=AuthSettings())


@pytest.fixture
def first(db: Database, passwords: Passwords) -> FirstFactor:
    nowhere = Directory(None, DirectorySettings())
    return FirstFactor(db, passwords=passwords, directory=nowhere, identities=Identities(db))


@pytest.fixture
def factors(db: Database, first: FirstFactor) -> SecondFactors:
    seal = Seal(SECRET.get_secret_value(), "auth")
    return SecondFactors(db, seal=seal, settings=MfaSettings(), proves=first.prove_again)


@pytest.fixture
def sign_in(db: Database, sessions: Sessions, first: FirstFactor, factors: SecondFactors) -> SignIn:
    """Without pictures, which have tests of their own."""
    captchas = Captchas(db, settings=AuthSettings(captcha=False))
    return SignIn(db, sessions=sessions, captchas=captchas, first=first, second=factors)


@pytest.fixture
def users(db: Database, passwords: Passwords) -> Users:
    return Users(db, passwords=passwords)


@pytest.fixture
def account(db: Database, passwords: Passwords, tmp_path: Path) -> OwnAccount:
    return OwnAccount(db, passwords=passwords, data_dir=tmp_path)


@pytest.fixture
def no_captcha(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that never asks for pictures; for tests of what else failures lead to."""
    monkeypatch.setenv("OPSJOB_AUTH_CAPTCHA", "false")


@pytest.fixture
async def door(database_url: Callable[[Service], str], tmp_path: Path) -> AsyncIterator[Door]:
    """The service behind its HTTP door."""
    async with opened(service, database_url(service), tmp_path) as running:
        yield running


async def make_user(users: Users, username: str = "ann", *roles: Role) -> User:
    """A user with the password PASSWORD."""
    spec = UserCreate(username=username, password=PASSWORD, roles=list(roles))
    return await users.create(spec)


def principal_of(user: User, session_id: str | None = None) -> Principal:
    """The user as routes see it."""
    return Principal(user.id, user.username, session_id=session_id, proved_until=FRESH)

"""An administrator who is logged in, as the gateway sees that login at each moment."""

from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from libs.contracts.auth import AuthClient
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from services.auth.domain import Role
from services.auth.models import User
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user
from tests.support.doors import Door, error_of

STEP_UP = "/api/auth/step_up"
CREDENTIALS = {"username": "ann", "password": PASSWORD}


@dataclass
class Login:
    """One login; what it may do is asked for with each request, as the gateway does."""

    door: Door
    session_id: str
    refresh_token: str

    async def principal(self) -> Principal | None:
        """Who the gateway makes of it now; None when it has ended."""
        runtime = self.door.runtime
        client = AuthClient(runtime.http, runtime.internal_tokens, "gateway")
        info = await client.principal_of_session(self.session_id)
        return None if info is None else info.as_principal()

    async def ask(self, method: str, path: str, json: object = None) -> httpx.Response:
        return await self.door.request(method, path, by=await self.principal(), json=json)

    async def prove(self, password: str = PASSWORD, otp: str | None = None) -> httpx.Response:
        body = {"password": password} | ({"otp_token": otp} if otp else {})
        return await self.ask("POST", STEP_UP, body)

    async def is_let(self) -> bool:
        """Whether something delicate is done; it has to be that, or asked about."""
        body = {"name": f"role {uuid4().hex[:8]}", "permissions": ["hosts:read"]}
        answer = await self.ask("POST", "/api/permissions/roles", body)
        if answer.status_code == 201:
            return True
        assert error_of(answer, 403) == "step_up_required"
        return False


async def come_in(door: Door, **more: str) -> Login:
    """A new login of ann."""
    answer = await door.request("POST", "/api/auth/login", by=None, json=CREDENTIALS | more)
    assert answer.status_code == 200, answer.text
    content = answer.json()["content"]
    claims = door.runtime.access_tokens.verify(content["access_token"])
    return Login(door, claims.session_id, content["refresh_token"])


@pytest.fixture
async def ann(door: Door, time: StandingClock) -> User:
    """An administrator."""
    return await make_user(door.use_cases(Users), "ann", Role.ADMIN)


@pytest.fixture
async def login(door: Door, ann: User) -> Login:
    """The administrator, who has just logged in."""
    return await come_in(door)

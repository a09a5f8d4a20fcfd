"""API tokens at the gateway: whose they are, and how fast they are worth nothing."""

from datetime import timedelta

from gateway.api.settings import GatewaySettings
from libs.contracts.auth import PrincipalInfo
from libs.kit import clock
from libs.kit.clock import StandingClock
from tests.gateway.api.parts import House, somebody
from tests.support.waiting import eventually


def token_info(*, seconds: float = 3600, user_id: int = 8) -> PrincipalInfo:
    """What auth says about an API token that lives for so long."""
    ends = clock.now() + timedelta(seconds=seconds)
    info = somebody(user_id, session="token:5")
    return info.model_copy(update={"expires_at": ends})


async def test_an_api_token_becomes_its_owner_with_its_own_permissions(house: House) -> None:
    token = house.auth.make_token(token_info())

    answer = await house.client.get("/api/hosts/", headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 200
    principal = house.hosts.principal()
    assert (principal.id, principal.session_id) == (8, "token:5")
    assert principal.permissions == frozenset({"hosts:read"})
    assert house.auth.addresses == ["127.0.0.1"]


async def test_an_unknown_api_token_is_refused_and_not_taken_for_a_jwt(house: House) -> None:
    headers = {"authorization": "Bearer opsjob_" + "x" * 43}

    answer = await house.client.get("/api/hosts/", headers=headers)

    assert answer.status_code == 401
    assert house.visits() == 0


async def test_an_api_token_is_refused_in_the_moment_of_its_end(house: House) -> None:
    still = StandingClock(clock.now())
    before = clock.use(still)
    try:
        token = house.auth.make_token(token_info(seconds=1))
        headers = {"authorization": f"Bearer {token}"}
        assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 200

        still.advance(timedelta(seconds=1))

        assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 401
    finally:
        clock.use(before)


async def test_a_revoked_api_token_is_out_within_the_time_auth_is_believed() -> None:
    house = House(GatewaySettings(credential_seconds=0.05))
    headers = {"authorization": f"Bearer {house.auth.make_token(token_info())}"}
    assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 200

    house.auth.tokens.clear()

    async def refused() -> bool:
        return (await house.client.get("/api/hosts/", headers=headers)).status_code == 401

    await eventually(refused)

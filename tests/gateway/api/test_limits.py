"""How often one may ask, and who pays for whom."""

import pytest
from pydantic import ValidationError

from gateway.api.callers import network_of
from gateway.api.limits import Rates
from gateway.api.settings import GatewaySettings
from libs.kit.errors import TooMany
from tests.gateway.api.parts import House, error_of, somebody


async def _statuses(house: House, times: int, **request: object) -> list[int]:
    answers = [await house.client.request(**request) for _ in range(times)]  # type: ignore[arg-type]  # keyword arguments of httpx
    return [answer.status_code for answer in answers]


async def test_a_user_beyond_the_rate_waits_and_others_do_not() -> None:
    house = House(GatewaySettings(user_rate="5/minute"))
    first, second = house.bearer(somebody(1, session="a")), house.bearer(somebody(2, session="b"))

    statuses = await _statuses(house, 6, method="GET", url="/api/hosts/", headers=first)
    refused = await house.client.get("/api/hosts/", headers=first)
    other = await house.client.get("/api/hosts/", headers=second)

    assert statuses == [200] * 5 + [429]
    assert error_of(refused) == "too_many"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert other.status_code == 200


async def test_attempts_to_log_in_are_bounded_by_address() -> None:
    house = House(GatewaySettings(login_rate="3/minute"))

    statuses = await _statuses(house, 5, method="POST", url="/api/auth/login/", json={})

    assert statuses == [200, 200, 200, 429, 429]


async def test_an_address_cannot_be_changed_by_claiming_another() -> None:
    house = House(GatewaySettings(login_rate="2/minute"))

    answers = [
        await house.client.post(
            "/api/auth/login/", json={}, headers={"x-forwarded-for": f"10.0.0.{number}"}
        )
        for number in range(4)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]  # B036


async def test_guessing_credentials_is_bounded_and_hurts_no_neighbour() -> None:
    house = House(GatewaySettings(failure_rate="3/minute", credential_seconds=0.0))
    inside = house.bearer(somebody(1, session="a"))
    assert (await house.client.get("/api/hosts/", headers=inside)).status_code == 200

    guesses = [
        await house.client.get("/api/hosts/", headers={"authorization": f"Bearer guess{number}"})
        for number in range(6)
    ]
    asked = house.auth.asked
    again = await house.client.get("/api/hosts/", headers=inside)

    assert [guess.status_code for guess in guesses] == [401, 401, 401, 429, 429, 429]
    assert again.status_code == 200
    assert house.auth.asked == asked + 1


async def test_requests_without_a_credential_are_bounded_by_address() -> None:
    house = House(GatewaySettings(address_rate="3/minute"))

    statuses = await _statuses(house, 5, method="GET", url="/api/hosts/")

    assert statuses == [401, 401, 401, 429, 429]


async def test_health_and_pages_are_never_refused_for_their_number() -> None:
    house = House(GatewaySettings(address_rate="1/minute"))

    assert set(await _statuses(house, 5, method="GET", url="/health/live")) == {200}
    assert set(await _statuses(house, 5, method="GET", url="/")) == {200}


async def test_counting_ahead_in_blocks_loses_nothing() -> None:
    rates = Rates(GatewaySettings(user_rate="3000/minute"))

    for _ in range(3000):
        if not rates.users.take("7"):
            await rates.users.pay("7")

    assert not rates.users.take("7")
    with pytest.raises(TooMany):
        await rates.users.pay("7")


async def test_the_default_lets_one_user_ask_thousands_of_times_a_second() -> None:
    rates = Rates(GatewaySettings())

    for _ in range(100_000):
        if not rates.users.take("7"):
            await rates.users.pay("7")


async def test_rates_go_on_in_this_process_while_redis_is_away() -> None:
    settings = GatewaySettings(login_rate="2/minute", rate_storage="redis")
    rates = Rates(settings, redis_url="redis://127.0.0.1:1/0")

    await rates.logins.pay("a")
    await rates.logins.pay("a")

    with pytest.raises(TooMany):
        await rates.logins.pay("a")


def test_one_customer_s_ipv6_addresses_count_as_one() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"login_rate": "many"},
        {"credential_seconds": 2.0, "stream_check_seconds": 3.0},
        {"credential_seconds": 3.0},
        {"trusted_proxies": "not-a-network"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(wrong: dict[str, object]) -> None:
    with pytest.raises((ValidationError, ValueError)):
        GatewaySettings.model_validate(wrong)

"""Proving again through a provider: it has to ask anew, for the same person, in the same login."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from libs.contracts.auth import AuthClient
from libs.kit import clock
from libs.kit.auth import Principal
from services.auth.domain import token_hash
from tests.services.auth.oidc.conftest import (
    BROWSER,
    Trip,
    come_back,
    log_in,
    refused,
    session_of,
)
from tests.support.doors import Door, error_of
from tests.support.oidc_provider import Claims, Provider

PROVE = "/api/auth/oidc/company/prove"


async def somebody(door: Door, provider: Provider) -> Principal:
    """Who has come in through the provider, with a proof that is over."""
    value = session_of(await log_in(door, provider))
    assert value is not None
    client = AuthClient(door.runtime.http, door.runtime.internal_tokens, "gateway")
    info = await client.resolve_session(token_hash(value))
    assert info is not None
    return replace(info.as_principal(), proved_until=0)


async def go(door: Door, provider: Provider, by: Principal) -> Trip:
    """On the way to prove it; the browser was told to ask anew."""
    answer = await door.request("POST", PROVE, by=by, json={"return_to": "/roles"}, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    url = answer.json()["content"]["url"]
    query = parse_qs(urlsplit(url).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    (cookie,) = answer.headers.get_list("set-cookie")
    value = cookie.partition("=")[2].partition(";")[0]
    return Trip(url, query["state"][0], value, provider.visit(url))


async def proved_until(door: Door, by: Principal) -> object:
    shown = await door.content("GET", "/api/auth/step_up", by=by)
    assert (shown["provider"], shown["code"]) == ("company", False)
    return shown["proved_until"]


def asked_now(claims: Claims) -> Claims:
    return {**claims, "auth_time": int(clock.now().timestamp())}


def asked_long_ago(claims: Claims) -> Claims:
    return {**claims, "auth_time": int(clock.now().timestamp()) - 3600}


async def test_a_fresh_sign_in_at_the_provider_proves(door: Door, provider: Provider) -> None:
    by = await somebody(door, provider)
    before = await proved_until(door, by)
    provider.claims = asked_now

    back = await come_back(door, await go(door, provider, by))

    assert back.headers["location"] == "/roles"
    assert session_of(back) is None, "it opens no second login"
    assert str(await proved_until(door, by)) > str(before)
    password = await door.request("POST", "/api/auth/step_up", by=by, json={"password": "x"})
    assert error_of(password, 409) == "proof_elsewhere"


async def test_what_the_provider_remembers_proves_nothing(door: Door, provider: Provider) -> None:
    by = await somebody(door, provider)
    before = await proved_until(door, by)
    for claims in (provider.claims, asked_long_ago):
        provider.claims = claims

        assert refused(await come_back(door, await go(door, provider, by))) == "oidc_refused"

    assert await proved_until(door, by) == before


async def test_somebody_else_at_the_provider_proves_nothing(door: Door, provider: Provider) -> None:
    by = await somebody(door, provider)
    before = await proved_until(door, by)
    provider.claims = asked_now
    provider.person = {"sub": "u-2", "preferred_username": "peter"}

    assert refused(await come_back(door, await go(door, provider, by))) == "oidc_refused"

    assert await proved_until(door, by) == before

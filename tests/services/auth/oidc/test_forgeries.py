"""What opens no login: bad tokens, and ways back that nobody began."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from libs.kit.clock import StandingClock
from tests.services.auth.oidc.conftest import come_back, leave, log_in, refused, session_of, why
from tests.support.doors import Door
from tests.support.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Claims,
    Provider,
    signed,
)

# ---- tokens that are not believed ------------------------------------------------------------


def without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def with_claims(**changed: object) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **changed}


def later(**changed: int) -> Callable[[Claims], Claims]:
    return lambda claims: {
        **claims,
        **{name: int(str(claims["iat"])) + seconds for name, seconds in changed.items()},
    }


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(with_claims(nonce="another"), id="wrong nonce"),
        pytest.param(without("nonce"), id="no nonce"),
        pytest.param(with_claims(aud="somebody else"), id="B033-wrong audience"),
        pytest.param(with_claims(aud=[]), id="no audience"),
        pytest.param(with_claims(aud=[CLIENT_ID, "somebody else"]), id="two audiences, no azp"),
        pytest.param(with_claims(azp="somebody else"), id="given to somebody else"),
        pytest.param(with_claims(iss="https://evil.test"), id="B033-wrong issuer"),
        pytest.param(without("iss"), id="no issuer"),
        pytest.param(later(exp=-61), id="B033-expired"),
        pytest.param(without("exp"), id="B033-no expiry"),
        pytest.param(with_claims(exp="9999999999"), id="B033-expiry as text"),
        pytest.param(later(nbf=3600), id="B033-not yet"),
        pytest.param(later(iat=3600), id="issued in the future"),
        pytest.param(without("sub"), id="nobody"),
        pytest.param(with_claims(sub=""), id="empty subject"),
        pytest.param(with_claims(sub=["u-1"]), id="subject as list"),
        pytest.param(with_claims(sub="u" * 256), id="endless subject"),
    ],
)
async def test_a_token_with_wrong_claims_opens_nothing(
    door: Door, provider: Provider, lie: Callable[[Claims], Claims]
) -> None:
    provider.claims = lie

    assert refused(await log_in(door, provider)) == "oidc_refused"
    assert "token" in (await why(door)).lower()


def unsigned(provider: Provider, claims: Claims) -> str:
    head = jwt.encode({"alg": "HS256"}, dict(claims), OctKey.import_key("x" * 32)).split(".")
    return f"eyJhbGciOiJub25lIn0.{head[1]}."


def with_public_key_as_secret(provider: Provider, claims: Claims) -> str:
    header = b64(json.dumps({"alg": "HS256", "kid": provider.key.kid}).encode())
    whole = f"{header}.{b64(json.dumps(claims).encode())}"
    public = provider.key.as_pem(private=False)
    return f"{whole}.{b64(hmac.digest(public, whole.encode(), 'sha256'))}"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def with_client_secret(provider: Provider, claims: Claims) -> str:
    secret = OctKey.import_key(CLIENT_SECRET.ljust(32, "x"))
    return jwt.encode({"alg": "HS256"}, dict(claims), secret, algorithms=["HS256"])


def by_somebody_else(provider: Provider, claims: Claims) -> str:
    stranger = RSAKey.generate_key(2048, {"kid": str(provider.key.kid)})
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, dict(claims), stranger)


def with_own_key_inside(provider: Provider, claims: Claims) -> str:
    stranger = RSAKey.generate_key(2048, {"kid": "mine"})
    inside = {"alg": "RS256", "kid": "mine", "jwk": stranger.as_dict(private=False)}
    return jwt.encode(inside, dict(claims), stranger)


def changed_afterwards(provider: Provider, claims: Claims) -> str:
    head, _, signature = signed(provider, claims).split(".")
    return f"{head}.{signed(provider, {**claims, 'sub': 'admin'}).split('.')[1]}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(unsigned, id="B031-alg none"),
        pytest.param(with_public_key_as_secret, id="B031-HS256 with the public key"),
        pytest.param(with_client_secret, id="B031-HS256 with a secret"),
        pytest.param(by_somebody_else, id="another key"),
        pytest.param(with_own_key_inside, id="B032-a key inside"),
        pytest.param(changed_afterwards, id="changed"),
        pytest.param(lambda *_: "", id="empty"),
        pytest.param(lambda *_: "a.b", id="garbage"),
        pytest.param(lambda p, c: signed(p, {**c, "x": "y" * 40_000}), id="endless"),
    ],
)
async def test_a_forged_token_opens_nothing(
    door: Door, provider: Provider, forge: Callable[[Provider, Claims], str]
) -> None:
    provider.sign = forge

    assert refused(await log_in(door, provider)) == "oidc_refused"


# ---- ways back that nobody began -------------------------------------------------------------


async def test_a_way_back_works_once(door: Door, provider: Provider) -> None:
    trip = await leave(door, provider)

    assert session_of(await come_back(door, trip)) is not None
    assert refused(await come_back(door, trip)) == "oidc_refused"
    assert "state" in await why(door)


async def test_a_way_back_belongs_to_the_browser_that_began(door: Door, provider: Provider) -> None:
    for cookie in ("", "x" * 43):
        trip = await leave(door, provider)
        assert refused(await come_back(door, trip, cookie=cookie or " ")) == "oidc_refused"
        assert refused(await come_back(door, trip)) == "oidc_refused"


async def test_a_way_back_ends_after_ten_minutes(
    door: Door, provider: Provider, time: StandingClock
) -> None:
    trip = await leave(door, provider)
    time.advance(timedelta(seconds=601))

    assert refused(await come_back(door, trip)) == "oidc_refused"


@pytest.mark.parametrize("state", ["made up", ""])
async def test_a_state_that_nobody_was_given_is_refused(
    door: Door, provider: Provider, state: str
) -> None:
    trip = await leave(door, provider)

    assert refused(await come_back(door, trip, state=state)) == "oidc_refused"


async def test_an_answer_of_another_issuer_is_a_mix_up(door: Door, provider: Provider) -> None:
    trip = await leave(door, provider)

    assert refused(await come_back(door, trip, iss="https://evil.test")) == "oidc_refused"
    assert "issuer" in await why(door)


async def test_an_answer_without_issuer_is_a_mix_up_where_one_is_promised(
    door: Door, provider: Provider
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True

    assert refused(await log_in(door, provider)) == "oidc_refused"
    again = await leave(door, provider)
    assert session_of(await come_back(door, again, iss=provider.issuer)) is not None


async def test_a_login_does_not_come_back_from_another_provider(
    door: Door, provider: Provider
) -> None:
    trip = await leave(door, provider)

    assert refused(await come_back(door, trip, key="other")) == "oidc_refused"
    assert "another provider" in await why(door)


async def test_somebody_who_says_no_is_not_logged_in(door: Door, provider: Provider) -> None:
    trip = await leave(door, provider)

    assert refused(await come_back(door, trip, code="", error="access_denied")) == "oidc_refused"
    assert "access_denied" in await why(door)


async def test_a_code_of_another_login_is_refused_by_its_proof(
    door: Door, provider: Provider
) -> None:
    mine, stolen = await leave(door, provider), await leave(door, provider)

    assert refused(await come_back(door, mine, code=stolen.code)) == "oidc_refused"
    assert "refused the code" in await why(door)

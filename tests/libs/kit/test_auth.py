"""Tokens between parts of the platform and for API clients."""

import base64
import json
from datetime import timedelta

import pytest
from jose import jwt
from pydantic import SecretStr

from libs.kit.auth import AccessTokens, InternalTokens, Principal, bearer
from libs.kit.clock import StandingClock
from libs.kit.errors import Forbidden, Unauthenticated
from tests.libs.kit.things import SECRET

ANN = Principal(7, "ann", ("operator",), frozenset(("hosts:read",)), session_id="s-1", kind="user")


@pytest.fixture
def tokens() -> InternalTokens:
    return InternalTokens(SECRET)


@pytest.fixture
def access() -> AccessTokens:
    return AccessTokens(SECRET)


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_a_principal_arrives_as_it_left(tokens: InternalTokens) -> None:
    token = tokens.issue("hosts", ANN, "gateway")

    assert InternalTokens(SECRET).verify(token, "hosts") == ANN
    assert ANN.can("hosts:read")
    assert not ANN.can("hosts:write")


def test_a_service_speaks_for_itself(tokens: InternalTokens) -> None:
    service = Principal.of_service("execution")

    assert tokens.verify(tokens.issue("hosts", service, "execution"), "hosts") == service
    assert service.can("anything")


def test_a_token_is_for_one_audience(tokens: InternalTokens) -> None:
    token = tokens.issue("hosts", ANN, "gateway")

    with pytest.raises(Unauthenticated):
        tokens.verify(token, "auth")


def test_tokens_are_issued_again_for_half_their_life(
    tokens: InternalTokens, standing: StandingClock
) -> None:
    first = tokens.issue("hosts", ANN, "gateway")

    assert tokens.issue("hosts", ANN, "gateway") == first
    standing.advance(timedelta(seconds=31))
    assert tokens.issue("hosts", ANN, "gateway") != first
    assert tokens.verify(first, "hosts") == ANN


def test_b33_an_old_token_is_refused_also_when_it_was_seen_before(
    tokens: InternalTokens, standing: StandingClock
) -> None:
    token = tokens.issue("hosts", ANN, "gateway")
    tokens.verify(token, "hosts")

    standing.advance(timedelta(seconds=61))

    with pytest.raises(Unauthenticated):
        tokens.verify(token, "hosts")


def test_another_secret_is_another_world(tokens: InternalTokens) -> None:
    other = InternalTokens(SecretStr("another-secret-of-tests-9876543210-zyx"))

    with pytest.raises(Unauthenticated):
        other.verify(tokens.issue("hosts", ANN, "gateway"), "hosts")


def test_b33_a_token_of_one_kind_is_not_one_of_another(
    tokens: InternalTokens, access: AccessTokens
) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(access.issue(7, "s-1", 60), AccessTokens.AUDIENCE)
    with pytest.raises(Unauthenticated):
        access.verify(tokens.issue(AccessTokens.AUDIENCE, ANN, "gateway"))


def test_an_access_token_names_its_session(access: AccessTokens, standing: StandingClock) -> None:
    claims = access.verify(access.issue(7, "s-1", 900))

    assert (claims.user_id, claims.session_id) == (7, "s-1")
    assert timedelta(seconds=898) < claims.expires_at - standing.now() <= timedelta(seconds=900)


def test_b31_tokens_that_were_tampered_with(access: AccessTokens) -> None:
    good = access.issue(7, "s-1", 900)
    header, payload, signature = good.split(".")
    admin = encoded({"sub": "1", "sid": "s-1", "exp": 9e12, "aud": "opsjob-api", "iss": "opsjob"})
    last = signature[-1]
    twin = next(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c != last)
    bad = [
        f"{encoded({'alg': 'none', 'typ': 'opsjob-access'})}.{payload}.",
        f"{encoded({'alg': 'none'})}.{payload}.{signature}",
        f"{encoded({'alg': 'HS256', 'typ': 'opsjob-access'})}.{payload}.{signature}",
        f"{encoded({'alg': 'ES256', 'kid': '../../dev/null'})}.{payload}.{signature}",
        f"{header}.{admin}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature}AA",
        f"{header}.{payload}.{signature}=",
        f"{header}.{payload}.{signature[:-1]}{twin}",
        f"{header}.{payload}!.{signature}",
        f" {good}",
        f"{good}\n",
        "",
        "a.b.c",
        "x" * 1_000_000,
    ]

    for token in bad:
        with pytest.raises(Unauthenticated):
            access.verify(token)


def test_b31_hmac_with_the_public_key_is_refused(access: AccessTokens) -> None:
    token = jwt.encode({"sub": "1", "sid": "s"}, "guess", algorithm="HS256")

    with pytest.raises(Unauthenticated):
        access.verify(token)


def test_verifying_again_is_answered_from_memory(tokens: InternalTokens) -> None:
    token = tokens.issue("hosts", ANN, "gateway")

    first, again = tokens.verify(token, "hosts"), tokens.verify(token, "hosts")

    assert first is again  # nothing was decoded a second time
    assert InternalTokens(SECRET).verify(token, "hosts") is not first


def test_the_caches_are_bounded(access: AccessTokens) -> None:
    for n in range(5000):
        access._verified.put(n, 9e12, access.verify(access.issue(1, "s", 60)) if n == 0 else None)  # type: ignore[arg-type]  # fills the cache cheaply

    assert len(access._verified._entries) <= 4096


def test_internal_routes_take_service_tokens_only(tokens: InternalTokens) -> None:
    for_ann = tokens.issue("hosts/internal", ANN, "execution")
    assert tokens.verify_internal(for_ann, "hosts") == ANN

    with pytest.raises(Forbidden):
        tokens.verify_internal(tokens.issue("hosts", ANN, "gateway"), "hosts")
    with pytest.raises(Unauthenticated):
        tokens.verify_internal(tokens.issue("auth/internal", ANN, "execution"), "hosts")


@pytest.mark.parametrize("header", [None, "", "Basic abc", "bearerabc", "Token abc"])
def test_a_header_without_a_bearer_token(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        bearer(header)

"""S28: keys of tokens change every day and with the secret; a token names its key by our id."""

import base64
import json
from datetime import timedelta

import msgspec
import pytest
from jose import jws
from pydantic import SecretStr

from libs.kit import clock
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.clock import StandingClock
from libs.kit.errors import Unauthenticated
from libs.kit.tokens import KEY_SECONDS, TokenSigner
from tests.libs.kit.things import SECRET

NEW = SecretStr("another-secret-of-tests-9876543210-zyx")
ANN = Principal(7, "ann", session_id="s-1")


def head(token: str) -> dict[str, str]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))  # type: ignore[no-any-return]  # a header of ours


def test_the_key_changes_every_day_and_the_last_one_still_counts(standing: StandingClock) -> None:
    tokens = AccessTokens(SECRET)
    first = tokens.issue(7, "s-1", 3 * KEY_SECONDS)

    standing.advance(timedelta(seconds=KEY_SECONDS))

    second = tokens.issue(7, "s-1", 3 * KEY_SECONDS)
    assert head(first)["kid"] != head(second)["kid"]
    assert AccessTokens(SECRET).verify(first).user_id == 7

    standing.advance(timedelta(seconds=KEY_SECONDS))

    assert AccessTokens(SECRET).verify(second).user_id == 7
    with pytest.raises(Unauthenticated):
        AccessTokens(SECRET).verify(first)  # not expired, but its key is


def test_the_secret_changes_in_two_steps_without_a_refused_token() -> None:
    """First everybody accepts the new secret, then everybody signs with it."""
    before, prepared = InternalTokens(SECRET), InternalTokens(SECRET, accepted=[NEW])
    changed, after = InternalTokens(NEW, accepted=[SECRET]), InternalTokens(NEW)

    def token_of(one: InternalTokens) -> str:
        return one.issue("hosts", ANN, "gateway")

    for signing, reading in (
        (before, prepared),
        (prepared, before),
        (prepared, changed),
        (changed, prepared),
        (changed, after),
        (after, changed),
    ):
        assert reading.verify(token_of(signing), "hosts") == ANN
    with pytest.raises(Unauthenticated):
        after.verify(token_of(before), "hosts")


@pytest.mark.parametrize("service", ["auth", "execution", "hosts/internal", "HOSTS", ""])
def test_a_token_for_one_service_is_refused_at_another(service: str) -> None:
    tokens = InternalTokens(SECRET)
    token = tokens.issue("hosts", Principal.of_service("execution"), "execution")

    with pytest.raises(Unauthenticated):
        InternalTokens(SECRET).verify(token, service)


@pytest.mark.parametrize(
    "change",
    [
        {"kid": "../../../dev/null"},
        {"kid": "00000000.1"},
        {"kid": ""},
        {"kid": "+", "jwk": "{}"},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/key"},
        {"crit": "exp"},
        {"typ": "JWT"},
        {"alg": "HS256"},
        {"alg": "none"},
    ],
)
def test_another_header_is_refused_although_the_signature_is_right(change: dict[str, str]) -> None:
    """The key is found by our id alone, and nothing else may stand in a header."""
    tokens = AccessTokens(SECRET)
    token = tokens.issue(7, "s-1", 900)
    signer = TokenSigner([SECRET], "access")
    key = signer._key(0, int(clock.now().timestamp()) // KEY_SECONDS)
    payload = msgspec.json.decode(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    own = {"typ": "opsjob-access", "kid": key.id}

    assert tokens.verify(jws.sign(payload, key.private, own, "ES256")).user_id == 7
    with pytest.raises(Unauthenticated):
        tokens.verify(_with_head(jws.sign(payload, key.private, own | change, "ES256"), change))


def _with_head(token: str, change: dict[str, str]) -> str:
    """The library refuses to sign some headers; they are put in afterwards."""
    _, payload, signature = token.split(".")
    changed = head(token) | change
    text = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    return f"{text}.{payload}.{signature}"

"""What may be told to the audit log: everything about a change but its secrets, in bounds."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from libs.contracts.audit import audited
from libs.kit.acting import Actor, acting_as, arrived, left, recognised
from libs.kit.masking import MAX_STATE_BYTES, is_secret_name, state_text


class Colour(StrEnum):
    RED = "red"


class Key(BaseModel):
    name: str
    secret: SecretStr
    passphrase: str


def shown(state: Mapping[str, object] | BaseModel) -> dict[str, object]:
    text = state_text(state)
    assert text is not None
    found: dict[str, object] = json.loads(text)
    return found


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password", "Password", "apiKey", "api_key", "API_KEY", "secret"),
        *("client_secret", "refreshToken", "private_key", "key", "otp_token", "recovery_keys"),
        *("session_cookie", "authorization", "passphrase", "captcha_value"),
    ],
)
def test_a_field_with_the_name_of_a_secret_is_masked(name: str) -> None:
    assert is_secret_name(name)
    assert shown({name: "canary", "deep": [{name: "canary"}]}) == {
        name: "***",
        "deep": [{name: "***"}],
    }


@pytest.mark.parametrize(
    "name", ["name", "token_id", "password_changed_at", "secret_names", "public_key", "monkey"]
)
def test_a_field_about_a_secret_is_shown(name: str) -> None:
    assert shown({name: "plain"}) == {name: "plain"}


def test_whether_there_is_a_secret_is_no_secret() -> None:
    state = {"must_change_password": True, "secret": None, "is_secret": False}

    assert shown(state) == state


def test_a_value_that_says_that_it_is_secret_is_masked() -> None:
    row = {"name": "DB", "value": "canary", "is_secret": True}

    assert shown({"variables": [row]}) == {"variables": [{**row, "value": "***"}]}


def test_secrets_are_known_by_their_type_too() -> None:
    made = Key(name="a", secret=SecretStr("canary"), passphrase="canary")

    assert shown(made) == {"name": "a", "secret": "***", "passphrase": "***"}
    assert shown({"raw": b"canary", "list": [SecretStr("canary")]}) == {
        "raw": "***",
        "list": ["***"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer canary-canary",
        "postgresql://user:canary@db/x",
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "eyJhbGciOiJFUzI1NiJ9.eyJjYW5hcnkiOjF9.c2lnbmF0dXJlLWNhbmFyeQ",
    ],
)
def test_credentials_within_a_text_are_masked(text: str) -> None:
    found = str(shown({"note": text})["note"])

    assert "***" in found
    assert "canary" not in found
    assert "c2lnbmF0dXJlLWNhbmFyeQ" not in found


def test_values_of_all_kinds_become_json() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)

    assert shown({"at": at, "colour": Colour.RED, "set": {2, 1}, "nan": float("nan")}) == {
        "at": "2026-01-02T00:00:00+00:00",
        "colour": "red",
        "set": [1, 2],
        "nan": "nan",
    }


def test_what_does_not_fit_is_counted_and_left_out() -> None:
    state = {f"field_{number}": "x" * 400 for number in range(200)}

    text = state_text(state)

    assert text is not None
    assert len(text.encode()) <= MAX_STATE_BYTES + 100
    kept = json.loads(text)
    assert kept["…"] == 200 - (len(kept) - 1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(st.dictionaries(st.text(), _JSON))
def test_whatever_a_state_holds_its_text_is_bounded_json_that_databases_hold(
    state: dict[str, object],
) -> None:
    text = state_text(state)

    assert text is not None
    assert isinstance(json.loads(text), dict)
    assert "\0" not in text
    assert len(text.encode()) <= MAX_STATE_BYTES + 100


def test_without_a_request_the_system_acts() -> None:
    fact = audited("hosts.sweep")

    assert (fact.actor_id, fact.actor_name, fact.actor_kind) == (0, "system", "system")


def test_work_for_somebody_is_recorded_as_theirs() -> None:
    with acting_as(5, "mia", address="192.0.2.1"):
        fact = audited("execution.run", kind="execution", id="x")

    assert (fact.actor_id, fact.actor_name, fact.address) == (5, "mia", "192.0.2.1")


def test_a_request_is_anonymous_until_somebody_is_recognised() -> None:
    token = arrived("hosts", "192.0.2.7", "curl/8 \N{SNOWMAN}" * 100)
    try:
        before = audited("login.failed")
        recognised(3, "jo", "user")
        after = audited("login.success")
    finally:
        left(token)

    assert (before.actor_kind, before.actor_id, before.address) == ("anonymous", 0, "192.0.2.7")
    assert (after.actor_kind, after.actor_id, after.actor_name) == ("user", 3, "jo")
    assert len(after.user_agent) == 200
    assert audited("x").actor_kind == "system"


def test_who_acts_can_be_said_where_the_request_cannot_know() -> None:
    fact = audited("login.failed", outcome="failure", by=Actor(0, "mallory", "anonymous"))

    assert (fact.actor_name, fact.outcome) == ("mallory", "failure")


def test_nobody_becomes_recognised_without_a_request() -> None:
    recognised(3, "jo", "user")

    assert audited("x").actor_name == "system"

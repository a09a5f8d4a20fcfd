"""Logging in through a real OpenID Connect provider, and who is let in."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import select

from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Transaction
from services.auth.domain import token_hash
from services.auth.models import OidcFarewell, OidcFlow
from services.auth.oidc.domain import MAX_HINT
from services.auth.oidc.service import OidcLogins
from services.auth.service import Sessions
from services.auth.users.schemas import UserPatch
from services.auth.users.service import Users
from tests.services.auth.conftest import make_user
from tests.services.auth.oidc.conftest import (
    BROWSER,
    COOKIE,
    OURS,
    come_back,
    leave,
    log_in,
    refused,
    session_of,
    user_of,
    why,
)
from tests.support.doors import Door, error_of
from tests.support.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
)

# ---- the good way ----------------------------------------------------------------------------


async def test_a_login_through_a_provider(door: Door, provider: Provider) -> None:
    provider.person = {
        "sub": "u-1",
        "preferred_username": "olga",
        "name": "Olga Orlova",
        "email": "olga@corp.test",
        "groups": ["ops", "unknown"],
    }

    user = await user_of(door, await log_in(door, provider))

    assert user["username"] == "olga"
    assert user["display_name"] == "Olga Orlova"
    assert user["email"] == "olga@corp.test"
    assert user["roles"] == ["operator"]


async def test_what_leaves_gives_nothing_away(door: Door, provider: Provider) -> None:
    trip = await leave(door, provider)

    query = parse_qs(urlsplit(trip.url).query)
    assert query["redirect_uri"] == [f"{OURS}/api/auth/oidc/company/callback/"]
    assert set(query) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert CLIENT_SECRET not in trip.url

    def read(tx: Transaction) -> OidcFlow:
        return tx.scalars(select(OidcFlow)).one()

    flow: OidcFlow = await door.app.state.database.read(read)
    assert trip.state not in (flow.state_hash, flow.browser_hash)
    assert trip.cookie not in (flow.state_hash, flow.browser_hash)
    assert flow.sealed_verifier.startswith("v1:")


async def logged_in(door: Door, provider: Provider) -> tuple[str, Principal]:
    """The hash of a new session's cookie, and whose it is."""
    value = session_of(await log_in(door, provider))
    assert value is not None
    info = await door.use_cases(Sessions).resolve(token_hash(value))
    assert info is not None
    return token_hash(value), info.as_principal()


async def test_who_logs_out_is_led_to_the_provider_to_log_out_there(
    door: Door, provider: Provider
) -> None:
    provider.metadata["end_session_endpoint"] = f"{provider.issuer}/logout?realm=main"
    session, user = await logged_in(door, provider)

    out = await door.content("POST", "/api/auth/logout", by=user)

    place, _, text = str(out["continue_at"]).partition("?")
    query = parse_qs(text)
    (hint,) = query.pop("id_token_hint")
    assert jwt.decode(hint, provider.key).claims["sub"] == "u-1"
    assert place == f"{provider.issuer}/logout"
    assert query == {
        "realm": ["main"],
        "client_id": [CLIENT_ID],
        "post_logout_redirect_uri": [f"{OURS}/login"],
    }
    assert await door.use_cases(Sessions).resolve(session) is None


async def kept(door: Door) -> list[str]:
    """What logins keep of the provider's tokens."""

    def read(tx: Transaction) -> list[str]:
        return list(tx.scalars(select(OidcFarewell.sealed_token)).all())

    found: list[str] = await door.app.state.database.read(read)
    return found


async def test_what_names_a_login_on_its_way_out_is_sealed_and_ends_with_it(
    door: Door, provider: Provider
) -> None:
    provider.metadata["end_session_endpoint"] = f"{provider.issuer}/logout"
    provider.person["name"] = "x" * MAX_HINT
    _, user = await logged_in(door, provider)
    assert await kept(door) == [], "it would not fit into an address"
    out = await door.content("POST", "/api/auth/logout", by=user)
    assert "id_token_hint" not in str(out["continue_at"])
    del provider.person["name"]
    _, user = await logged_in(door, provider)

    (sealed,) = await kept(door)
    assert sealed.startswith("v1:")
    await door.use_cases(OidcLogins).purge()
    assert await kept(door) == [sealed], "the login lives"
    await door.content("DELETE", "/api/auth/sessions", by=user)
    await door.use_cases(OidcLogins).purge()
    assert await kept(door) == []


@pytest.mark.parametrize("endpoint", [None, "https://elsewhere.test/logout", "javascript:x()"])
async def test_a_logout_leads_nowhere_else(
    door: Door, provider: Provider, endpoint: str | None
) -> None:
    provider.metadata["end_session_endpoint"] = endpoint
    _, user = await logged_in(door, provider)

    assert await kept(door) == []
    assert await door.content("POST", "/api/auth/logout", by=user) == {"continue_at": None}


async def test_the_cookie_of_the_way_is_short_lived_and_goes_at_the_end(
    door: Door, provider: Provider
) -> None:
    start = await door.request("GET", "/api/auth/oidc/company/start", by=None, headers=BROWSER)
    back = await log_in(door, provider)

    (kept,) = start.headers.get_list("set-cookie")
    parts = {part.strip().lower() for part in kept.split(";")[1:]}
    assert parts == {"httponly", "secure", "samesite=lax", "path=/", "max-age=600"}
    (gone,) = [one for one in back.headers.get_list("set-cookie") if one.startswith(COOKIE)]
    assert "max-age=0" in gone.lower()


async def test_groups_give_and_take_at_every_login(door: Door, provider: Provider) -> None:
    provider.person["groups"] = ["ops"]
    first = await user_of(door, await log_in(door, provider))
    provider.person["groups"] = "dev"
    second = await user_of(door, await log_in(door, provider))
    del provider.person["groups"]
    third = await user_of(door, await log_in(door, provider))

    assert first["id"] == second["id"] == third["id"]
    assert [first["roles"], second["roles"], third["roles"]] == [["operator"], ["viewer"], []]


async def test_a_renamed_person_stays_the_same_user(door: Door, provider: Provider) -> None:
    first = await user_of(door, await log_in(door, provider))
    provider.person["preferred_username"] = "olga.new"

    assert (await user_of(door, await log_in(door, provider)))["id"] == first["id"]


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256", {"kid": "ec"}), "ES256"),
        (RSAKey.generate_key(2048, {"kid": "rsa"}), "PS256"),
    ],
)
async def test_other_asymmetric_signatures_are_fine(
    door: Door, provider: Provider, key: ECKey | RSAKey, algorithm: str
) -> None:
    provider.key, provider.algorithm = key, algorithm

    await user_of(door, await log_in(door, provider))


async def test_new_keys_of_the_provider_are_fetched_when_a_token_names_one(
    door: Door, provider: Provider, time: StandingClock
) -> None:
    await user_of(door, await log_in(door, provider))
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    time.advance(timedelta(seconds=11))

    await user_of(door, await log_in(door, provider))
    await user_of(door, await log_in(door, provider))

    assert provider.fetched_keys == 2


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/executions/7?tab=log", "/executions/7?tab=log"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("/\\evil.test/", "/"),
        ("\\/evil.test", "/"),
        ("/ok\r\nset-cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
async def test_the_way_back_leads_to_this_site_alone(
    door: Door, provider: Provider, wanted: str, leads_to: str
) -> None:
    answer = await come_back(door, await leave(door, provider, wanted))

    assert answer.status_code == 303
    assert session_of(answer) is not None
    assert answer.headers["location"] == leads_to


# ---- people ----------------------------------------------------------------------------------


async def test_a_local_name_is_never_taken_over(door: Door, provider: Provider) -> None:
    await make_user(door.use_cases(Users), "Olga")

    assert refused(await log_in(door, provider)) == "oidc_refused"
    assert "belongs to another" in await why(door)


async def test_who_is_disabled_here_stays_outside(door: Door, provider: Provider) -> None:
    user = await user_of(door, await log_in(door, provider))
    await door.use_cases(Users).change(int(str(user["id"])), UserPatch(is_active=False))

    assert refused(await log_in(door, provider)) == "oidc_refused"


async def test_people_of_a_provider_have_no_password_here(door: Door, provider: Provider) -> None:
    await user_of(door, await log_in(door, provider))

    for password in ("", "!", "olga"):
        body = {"username": "olga", "password": password}
        answer = await door.request("POST", "/api/auth/login", by=None, json=body)
        assert error_of(answer, 401) == "invalid_credentials"


class TestPolicies:
    """Settings that narrow who comes in."""

    @pytest.fixture
    def configured(self, configured: Callable[..., None], request: pytest.FixtureRequest) -> None:
        configured(**getattr(request, "param", {}))

    @pytest.mark.parametrize("configured", [{"provision": "mapped"}], indirect=True)
    async def test_only_members_of_groups_that_count(self, door: Door, provider: Provider) -> None:
        assert refused(await log_in(door, provider)) == "oidc_refused"
        provider.person["groups"] = ["ops"]
        assert session_of(await log_in(door, provider)) is not None

    @pytest.mark.parametrize("configured", [{"provision": "known"}], indirect=True)
    async def test_nobody_for_the_first_time(self, door: Door, provider: Provider) -> None:
        assert refused(await log_in(door, provider)) == "oidc_refused"

    @pytest.mark.parametrize("configured", [{"required_amr": ["mfa", "otp"]}], indirect=True)
    async def test_only_with_a_method_that_is_required(
        self, door: Door, provider: Provider
    ) -> None:
        assert refused(await log_in(door, provider)) == "oidc_refused"
        provider.person["amr"] = ["pwd", "otp"]
        assert session_of(await log_in(door, provider)) is not None

    @pytest.mark.parametrize("configured", [{"default_roles": ["viewer"]}], indirect=True)
    async def test_everybody_begins_with_default_roles(
        self, door: Door, provider: Provider
    ) -> None:
        user = await user_of(door, await log_in(door, provider))

        assert user["roles"] == []  # a rule for groups mentions it, so groups decide


# ---- a provider that fails -------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"issuer": "https://evil.test"}, id="another issuer"),
        pytest.param({"token_endpoint": 7}, id="no endpoint"),
        pytest.param({"jwks_uri": "http://127.0.0.2:1/keys"}, id="keys elsewhere"),
        pytest.param({"token_endpoint": "http://127.0.0.2:1/token"}, id="token elsewhere"),
    ],
)
async def test_metadata_that_cannot_be_used(
    door: Door, provider: Provider, metadata: dict[str, object]
) -> None:
    provider.metadata = metadata
    start = await door.request("GET", "/api/auth/oidc/company/start", by=None, headers=BROWSER)

    if start.status_code != 303:
        assert error_of(start, 503) == "oidc_unavailable"
    else:
        assert refused(await log_in(door, provider)) == "oidc_unavailable"


async def test_a_token_endpoint_that_breaks(door: Door, provider: Provider) -> None:
    provider.token_status = 500

    assert refused(await log_in(door, provider)) == "oidc_unavailable"


async def test_an_unknown_provider(door: Door) -> None:
    answer = await door.request("GET", "/api/auth/oidc/nobody/start", by=None)

    assert error_of(answer, 404) == "provider_not_found"


# ---- options ---------------------------------------------------------------------------------


async def test_the_options_say_how_to_log_in_and_nothing_secret(
    door: Door, provider: Provider
) -> None:
    answer = await door.request("GET", "/api/auth/options", by=None)

    assert answer.json()["content"] == {
        "captcha": False,
        "directory": False,
        "oidc_providers": [
            {"id": "company", "name": "Company"},
            {"id": "other", "name": "Other"},
        ],
        "second_factor": "optional",
        "password_policy": {"min_length": 8, "max_length": 256},
    }
    for secret in (CLIENT_SECRET, CLIENT_ID, provider.issuer):
        assert secret not in answer.text

"""Logging in through a real OpenID Connect provider, good and bad, over HTTP."""

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select

from libs.kit.clock import StandingClock
from libs.kit.db import Transaction
from libs.kit.db.tables import outbox
from services.auth.domain import token_hash
from services.auth.models import OidcFlow
from services.auth.service import Sessions
from services.auth.users.schemas import UserPatch
from services.auth.users.service import Users
from tests.services.auth.conftest import make_user
from tests.support.doors import Door, error_of
from tests.support.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Claims,
    Provider,
    serving,
    signed,
)

OURS = "https://ops.test"
BROWSER = {"x-forwarded-proto": "https", "user-agent": "a browser"}
COOKIE = "__Host-opsjob-login"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as running:
        yield running


@pytest.fixture
def configured(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Points the service at the provider; keywords change its settings."""

    def configure(**changed: object) -> None:
        company = {
            "name": "Company",
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "groups": {"ops": ["role:operator"], "dev": ["role:viewer"]},
            **changed,
        }
        other = {"name": "Other", "issuer": f"{provider.issuer}/other", "client_id": "x"}
        providers = json.dumps({"company": company, "other": other})
        monkeypatch.setenv("OPSJOB_AUTH_OIDC_PROVIDERS", providers)

    monkeypatch.setenv("OPSJOB_AUTH_OIDC_PUBLIC_URL", OURS)
    monkeypatch.setenv("OPSJOB_OUTBOUND_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("OPSJOB_OUTBOUND_ALLOW_HTTP", "true")
    configure()
    return configure


@pytest.fixture
async def door(configured: Callable[..., None], door: Door) -> Door:
    """The service, which knows the provider."""
    return door


@dataclass
class Trip:
    """A browser that was sent to the provider and has not come back yet."""

    url: str
    state: str
    cookie: str
    code: str


async def leave(door: Door, provider: Provider, return_to: str | None = None) -> Trip:
    params = None if return_to is None else {"return_to": return_to}
    answer = await door.request(
        "GET", "/api/auth/oidc/company/start", by=None, headers=BROWSER, params=params
    )
    assert answer.status_code == 303, answer.text
    url = answer.headers["location"]
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith(f"{COOKIE}=")
    state = parse_qs(urlsplit(url).query)["state"][0]
    value = cookie.partition("=")[2].partition(";")[0]
    return Trip(url, state, value, provider.visit(url))


async def come_back(
    door: Door, trip: Trip, *, key: str = "company", cookie: str | None = None, **params: str
) -> httpx.Response:
    value = trip.cookie if cookie is None else cookie
    query = {"state": trip.state, "code": trip.code, **params}
    return await door.request(
        "GET",
        f"/api/auth/oidc/{key}/callback",
        by=None,
        params={name: value for name, value in query.items() if value},
        headers={**BROWSER, "cookie": f"{COOKIE}={value}"},
    )


async def log_in(door: Door, provider: Provider) -> httpx.Response:
    return await come_back(door, await leave(door, provider))


def session_of(answer: httpx.Response) -> str | None:
    """The value of the session's cookie, if one was set."""
    cookies = [one for one in answer.headers.get_list("set-cookie") if "__Host-opsjob=" in one]
    return cookies[0].partition("=")[2].partition(";")[0] if cookies else None


async def user_of(door: Door, answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["location"] == "/", await why(door)
    value = session_of(answer)
    assert value is not None
    info = await door.use_cases(Sessions).resolve(token_hash(value))
    assert info is not None
    return await door.content("GET", f"/api/auth/users/{info.user_id}")


def refused(answer: httpx.Response) -> str:
    """The code of the error with which the page of the login is opened; nobody is logged in."""
    assert answer.status_code == 303
    assert session_of(answer) is None
    parts = urlsplit(answer.headers["location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/login")
    return parse_qs(parts.query)["error"][0]


async def why(door: Door) -> str:
    """What the audit log was told last about a refusal."""

    def read(tx: Transaction) -> list[str]:
        rows = tx.execute(select(outbox.c.body).where(outbox.c.type == "audit.audited"))
        return [json.loads(row[0])["detail"] for row in rows]

    details: list[str] = await door.app.state.database.read(read)
    return details[-1] if details else ""


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

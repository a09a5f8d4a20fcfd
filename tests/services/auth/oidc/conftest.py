"""A real provider on a port, and browsers that go there and come back."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from libs.kit.db import Transaction
from libs.kit.db.tables import outbox
from services.auth.domain import token_hash
from services.auth.service import Sessions
from tests.support.doors import Door
from tests.support.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    serving,
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
        told = select(outbox.c.body).where(outbox.c.type == "audit.audited").order_by(outbox.c.id)
        rows = tx.execute(told)
        return [json.loads(row[0])["detail"] for row in rows]

    details: list[str] = await door.app.state.database.read(read)
    return details[-1] if details else ""

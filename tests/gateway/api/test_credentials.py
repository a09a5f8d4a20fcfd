"""Who comes in, as whom, and how fast somebody is out again."""

import asyncio
import base64
import json

import httpx
import pytest
from pydantic import SecretStr

from gateway.api.settings import GatewaySettings
from libs.contracts.auth import PrincipalInfo
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.errors import Unauthenticated
from tests.gateway.api.parts import (
    ACCESS,
    INTERNAL,
    PROOF,
    SECRET,
    AuthInMemory,
    House,
    error_of,
    somebody,
)
from tests.support.waiting import eventually


async def test_a_bearer_token_becomes_an_internal_token_for_the_service(house: House) -> None:
    response = await house.client.get("/api/hosts/", headers=house.bearer(somebody(42)))

    assert response.status_code == 200
    principal = house.hosts.principal()
    assert (principal.id, principal.username, principal.kind) == (42, "user-42", "user")
    assert principal.permissions == frozenset({"hosts:read"})


async def test_a_session_cookie_becomes_an_internal_token_and_is_not_passed_on(
    house: House,
) -> None:
    response = await house.client.get("/api/hosts/", headers=house.cookie(somebody(43)))

    assert response.status_code == 200
    assert house.hosts.principal().id == 43
    assert house.hosts.last.header("cookie") is None


async def test_each_service_gets_a_token_of_its_own(house: House) -> None:
    headers = house.bearer()
    for path in ("/api/hosts/", "/api/auth/me/", "/api/executor/execution-records/"):
        assert (await house.client.get(path, headers=headers)).status_code == 200

    for witness in house.witnesses.values():
        assert witness.principal().id == 7


async def test_nobody_without_a_credential_reaches_a_service(house: House) -> None:
    response = await house.client.get("/api/hosts/")

    assert response.status_code == 401
    assert error_of(response) == "unauthenticated"
    assert response.headers["www-authenticate"] == "Bearer"
    assert house.visits() == 0


@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/auth/refresh"])
async def test_getting_in_needs_no_credential_and_carries_none(house: House, path: str) -> None:
    response = await house.client.post(path, json={}, headers={"cookie": "opsjob_session=x"})

    assert response.status_code == 200
    visit = house.witnesses["auth"].last
    assert visit.header("authorization") is None
    assert visit.header("cookie") is None


@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/auth/logout/", "/api/auth/me/"])
async def test_only_the_very_call_is_open_not_its_neighbours(house: House, path: str) -> None:
    response = await house.client.get(path)

    assert response.status_code == 401


async def test_auth_is_asked_once_for_many_requests_at_a_time(house: House) -> None:
    headers = house.bearer()

    answers = await asyncio.gather(
        *(house.client.get("/api/hosts/", headers=headers) for _ in range(20))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert house.auth.asked == 1


async def test_a_question_survives_the_caller_who_asked_it_first(house: House) -> None:
    class SlowAuth(AuthInMemory):
        answering = asyncio.Event()

        async def principal_of_session(self, session_id: str) -> PrincipalInfo | None:
            await self.answering.wait()
            return await super().principal_of_session(session_id)

    slow = House(GatewaySettings(), auth=SlowAuth())
    headers = slow.bearer()
    first = asyncio.create_task(slow.client.get("/api/hosts/", headers=headers))
    second = asyncio.create_task(slow.client.get("/api/hosts/", headers=headers))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    first.cancel()
    SlowAuth.answering.set()

    assert (await second).status_code == 200


async def test_a_disabled_user_is_out_within_the_time_auth_is_believed() -> None:
    house = House(GatewaySettings(credential_seconds=0.05))
    headers = house.bearer()
    assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 200

    house.auth.sessions.clear()

    async def refused() -> bool:
        return (await house.client.get("/api/hosts/", headers=headers)).status_code == 401

    await eventually(refused)


async def test_a_change_in_auth_takes_effect_at_once(house: House) -> None:
    headers = house.bearer()
    assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 200

    await house.client.post("/api/auth/logout/", json={}, headers=headers)
    house.auth.sessions.clear()

    assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 401


async def test_without_auth_nobody_new_gets_in(house: House) -> None:
    headers = house.bearer()
    house.auth.down = True

    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.status_code == 503
    assert error_of(response) == "unavailable"
    assert int(response.headers["retry-after"]) >= 1
    assert house.visits() == 0


async def test_an_inactive_user_is_refused_even_if_the_session_lives(house: House) -> None:
    info = somebody().model_copy(update={"is_active": False})

    for headers in (house.bearer(info), house.cookie(info)):
        assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 401


async def test_the_same_person_may_show_token_and_cookie(house: House) -> None:
    headers = house.bearer(somebody(5)) | house.cookie(somebody(5))

    response = await house.client.post("/api/hosts/", json={}, headers=headers)

    assert response.status_code == 200
    assert house.hosts.principal().id == 5


async def test_a_dead_cookie_beside_a_good_token_changes_nothing(house: House) -> None:
    headers = house.bearer(somebody(5)) | {"cookie": f"opsjob_session={'d' * 43}"}

    assert (await house.client.get("/api/hosts/", headers=headers)).status_code == 200


async def test_two_people_in_one_request_are_refused(house: House) -> None:
    headers = house.bearer(somebody(5)) | house.cookie(somebody(6))

    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.status_code == 400
    assert error_of(response) == "credentials_conflict"


def _tampered(token: str, **header: object) -> str:
    original, payload, signature = token.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(original + "=="))
    encoded = base64.urlsafe_b64encode(json.dumps(decoded | header).encode()).decode().rstrip("=")
    return f"{encoded}.{payload}.{signature}"


def _bad_tokens() -> list[object]:
    good = ACCESS.issue(7, "s-7", 900)
    head, payload, _ = good.split(".")
    other = AccessTokens(SecretStr("another-secret-with-40-different-characters-9876543210"))
    internal = INTERNAL.issue("hosts", Principal(7, "user-7"), "gateway-api")
    cases = {
        "B031-none": f"{_tampered(good, alg='none').rpartition('.')[0]}.",
        "B031-none-signed": _tampered(good, alg="none"),
        "B031-hs256": _tampered(good, alg="HS256"),
        "B031-rs256": _tampered(good, alg="RS256"),
        "B031-empty-signature": f"{head}.{payload}.",
        "B031-trailing-bytes": f"{good}AAAA",
        "B031-padding": f"{good}==",
        "B032-kid": _tampered(good, kid="../../dev/null"),
        "B032-jku": _tampered(good, jku="https://evil.test/keys"),
        "B032-crit": _tampered(good, crit=["x"]),
        "B033-other-key": other.issue(7, "s-7", 900),
        "B033-expired": ACCESS.issue(7, "s-7", -1),
        "B033-internal-token": internal,
        "B034-one-megabyte": "x" * 5000,
        "B034-empty": "",
        "B034-two-words": f"{good} {good}",
        "B034-list": f"{good},{good}",
    }
    return [pytest.param(token, id=name) for name, token in cases.items()]


@pytest.mark.parametrize("token", _bad_tokens())
async def test_a_token_that_is_not_exactly_right_is_refused(house: House, token: str) -> None:
    house.auth.log_in(somebody())

    response = await house.client.get("/api/hosts/", headers={"authorization": f"Bearer {token}"})

    assert response.status_code == 401
    assert house.visits() == 0


async def test_a_token_of_someone_else_s_session_is_refused(house: House) -> None:
    house.auth.log_in(somebody(8, session="s-8"))
    stolen = ACCESS.issue(7, "s-8", 900)

    response = await house.client.get("/api/hosts/", headers={"authorization": f"Bearer {stolen}"})

    assert response.status_code == 401


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Basic dXNlcjpwYXNz", id="B034-basic"),
        pytest.param("Bearer", id="B034-bare"),
        pytest.param("Token abc", id="B034-other-scheme"),
    ],
)
async def test_other_schemes_are_refused(house: House, value: str) -> None:
    response = await house.client.get("/api/hosts/", headers={"authorization": value})

    assert response.status_code == 401


async def test_two_authorization_headers_are_refused(house: House) -> None:
    good = house.bearer()["authorization"]
    headers = [("authorization", good), ("authorization", "Basic dXNlcjpwYXNz")]

    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.status_code == 400  # B034
    assert error_of(response) == "bad_request"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(query, id=f"B034-query-{number}")
        for number, query in enumerate(
            ["access_token={}", "page=1&token={}", "JWT={}", "x={}", "api_key=1", "session_id=1"]
        )
    ],
)
async def test_a_token_in_the_address_is_refused_even_if_it_is_good(
    house: House, query: str
) -> None:
    headers = house.bearer()
    token = headers["authorization"].removeprefix("Bearer ")

    response = await house.client.get(f"/api/hosts/?{query.format(token)}", headers=headers)

    assert response.status_code == 400
    assert error_of(response) == "token_in_query"
    assert house.visits() == 0


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param(f"opsjob_session={'c' * 43}; opsjob_session={'d' * 43}", id="B035-two"),
        pytest.param(f"opsjob_session={'c' * 43}; opsjob_session={'c' * 43}", id="B035-twice"),
        pytest.param(f"opsjob_session={'c' * 42}", id="B035-truncated"),
        pytest.param("opsjob_session=", id="B035-empty"),
        pytest.param(f"opsjob_session={'e' * 43}", id="B035-logged-out"),
        pytest.param(f"__Host-opsjob={'c' * 43}", id="B035-secure-name-over-http"),
        pytest.param("opsjob_session=../../etc/passwd", id="B035-strange"),
    ],
)
async def test_a_cookie_that_is_not_exactly_right_is_refused(house: House, cookie: str) -> None:
    house.auth.log_in_browser(somebody())

    response = await house.client.get("/api/hosts/", headers={"cookie": cookie})

    assert response.status_code == 401
    assert house.visits() == 0


async def test_over_https_only_the_host_bound_cookie_counts(house: House) -> None:
    value = house.auth.log_in_browser(somebody())
    transport = httpx.ASGITransport(app=house.gateway)

    async with httpx.AsyncClient(transport=transport, base_url="https://console.test") as client:
        plain = await client.get("/api/hosts/", headers={"cookie": f"opsjob_session={value}"})
        bound = await client.get("/api/hosts/", headers={"cookie": f"__Host-opsjob={value}"})

    assert (plain.status_code, bound.status_code) == (401, 200)


async def test_tokens_of_the_gateway_are_for_one_service_only() -> None:
    token = INTERNAL.issue("hosts", Principal(7, "user-7"), "gateway-api")

    with pytest.raises(Unauthenticated):
        InternalTokens(SECRET).verify(token, "execution")


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param({"x-requested-with"}, id="B037-no-header"),
        pytest.param({"origin"}, id="B037-no-origin"),
        pytest.param({"origin", "x-requested-with"}, id="B037-nothing"),
    ],
)
async def test_a_change_by_cookie_needs_every_proof(house: House, missing: set[str]) -> None:
    proof = {name: value for name, value in PROOF.items() if name not in missing}

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = await house.client.request(
            method, "/api/hosts/1", headers=house.cookie() | proof
        )
        assert response.status_code == 403
        assert error_of(response) == "csrf_failed"
    assert house.visits() == 0


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param({"origin": origin}, id=f"B037-{number}")
        for number, origin in enumerate(
            [
                "null",
                "http://console.test.evil.test",
                "https://console.test",
                "http://console.test:8080",
                "HTTP://CONSOLE.TEST",
                "http://evil.test",
                "http://console.test/",
                "",
            ]
        )
    ]
    + [
        pytest.param({"sec-fetch-site": "cross-site"}, id="B037-cross-site"),
        pytest.param({"sec-fetch-site": "same-site"}, id="B037-same-site"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_from_another_site_is_refused(
    house: House, foreign: dict[str, str], method: str
) -> None:
    headers = house.cookie() | PROOF | foreign

    response = await house.client.request(method, "/api/hosts/1", headers=headers)

    assert response.status_code == 403
    assert error_of(response) == "csrf_failed"
    assert house.visits() == 0


@pytest.mark.parametrize(
    "foreign", [{"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}]
)
async def test_another_site_cannot_log_somebody_in(house: House, foreign: dict[str, str]) -> None:
    response = await house.client.post("/api/auth/login/", json={}, headers=foreign)

    assert response.status_code == 403
    assert house.visits() == 0


@pytest.mark.parametrize(
    "proof", [{"origin": "http://console.test"}, {"sec-fetch-site": "same-origin"}]
)
async def test_a_change_from_the_console_is_welcome(house: House, proof: dict[str, str]) -> None:
    headers = house.cookie() | {"x-requested-with": "opsjob"} | proof

    assert (await house.client.post("/api/hosts/", json={}, headers=headers)).status_code == 200


async def test_an_origin_named_in_the_settings_is_our_own() -> None:
    house = House(GatewaySettings(public_origins=("https://jobs.example",)))
    headers = house.cookie() | PROOF | {"origin": "https://jobs.example"}

    assert (await house.client.post("/api/hosts/", json={}, headers=headers)).status_code == 200


async def test_programs_with_a_token_prove_no_origin(house: House) -> None:
    assert (await house.client.post("/api/hosts/", json={}, headers=house.bearer())).is_success

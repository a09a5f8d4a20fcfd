"""What services see of a request's headers, and what callers see of ours."""

import httpx
import pytest

from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, error_of

FORGED = [
    pytest.param(name, value, id=f"{item}-{name}")
    for item, name, value in [
        ("B036", "X-User-Id", "1"),
        ("B036", "X-User-Name", "admin"),
        ("B036", "X-Roles", "admin"),
        ("B036", "X-Internal", "1"),
        ("B036", "X_User_Id", "1"),
        ("B036", "X-Real-IP", "127.0.0.1"),
        ("B036", "Forwarded", "for=127.0.0.1"),
        ("B036", "X-Forwarded-Host", "evil.test"),
        ("B026", "X-Original-URL", "/internal/sessions/resolve"),
        ("B026", "X-Rewrite-URL", "/internal/sessions/resolve"),
        ("B024", "X-HTTP-Method", "DELETE"),
        ("B024", "X-HTTP-Method-Override", "DELETE"),
        ("B024", "X-Method-Override", "DELETE"),
        ("B036", "Proxy-Authorization", "Basic eA=="),
        ("B036", "Via", "1.1 evil"),
        ("B012", "TE", "trailers"),
    ]
]


@pytest.mark.parametrize(("name", "value"), FORGED)
async def test_headers_that_claim_something_stay_outside(
    house: House, name: str, value: str
) -> None:
    response = await house.client.get("/api/hosts/", headers=house.bearer() | {name: value})

    assert response.status_code == 200
    assert house.hosts.last.method == "GET"
    assert house.hosts.last.header(name.lower()) is None


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(claim, id=f"B036-for-{number}")
        for number, claim in enumerate(
            ["10.0.0.1", "10.0.0.1, 10.0.0.2", "::1", "garbage", "x" * 10_000, "127.0.0.1\t"]
        )
    ],
)
async def test_the_real_peer_counts_whatever_is_claimed(house: House, claim: str) -> None:
    headers = house.bearer() | {"x-forwarded-for": claim, "x-forwarded-proto": "https"}

    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.status_code == 200
    assert house.hosts.last.header("x-forwarded-for") == "127.0.0.1"
    assert house.hosts.last.header("x-forwarded-proto") == "http"


@pytest.mark.parametrize(
    ("claim", "believed"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("6.6.6.6, garbage", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "127.0.0.1"),
    ],
)
async def test_a_trusted_proxy_is_believed_about_its_own_peer(claim: str, believed: str) -> None:
    house = House(GatewaySettings(trusted_proxies="127.0.0.0/8"))
    headers = house.bearer() | {"x-forwarded-for": claim, "x-forwarded-proto": "https"}

    await house.client.get("/api/hosts/", headers=headers)

    assert house.hosts.last.header("x-forwarded-for") == believed
    assert house.hosts.last.header("x-forwarded-proto") == "https"


async def test_headers_for_the_service_arrive(house: House) -> None:
    headers = house.bearer() | {"Idempotency-Key": "k-1", "Last-Event-ID": "5", "Accept": "a/b"}

    await house.client.get("/api/hosts/", headers=headers)

    visit = house.hosts.last
    assert visit.header("idempotency-key") == "k-1"
    assert visit.header("last-event-id") == "5"
    assert visit.header("accept") == "a/b"


async def test_headers_named_by_the_connection_header_go_no_further(house: House) -> None:
    headers = house.bearer() | {"Connection": "close, If-Match", "If-Match": "7"}

    await house.client.get("/api/hosts/", headers=headers)

    assert house.hosts.last.header("if-match") is None


async def test_the_connection_header_cannot_take_our_own_headers_away(house: House) -> None:
    headers = house.bearer() | {"Connection": "authorization, x-request-id, x-forwarded-for"}

    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.status_code == 200
    assert house.hosts.principal().id == 7
    assert house.hosts.last.header("x-request-id")


async def test_a_sane_request_id_is_kept_from_end_to_end(house: House) -> None:
    headers = house.bearer() | {"x-request-id": "deploy-2024.42_a"}

    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.headers.get_list("x-request-id") == ["deploy-2024.42_a"]
    assert house.hosts.last.header("x-request-id") == "deploy-2024.42_a"


@pytest.mark.parametrize(
    "claim", ["short", "x" * 65, "has space here", "new\tline-123", "<script>abc"]
)
async def test_any_other_request_id_is_replaced(house: House, claim: str) -> None:
    response = await house.client.get(
        "/api/hosts/", headers=house.bearer() | {"x-request-id": claim}
    )

    assert response.headers["x-request-id"] != claim
    assert len(response.headers["x-request-id"]) == 27
    assert house.hosts.last.header("x-request-id") == response.headers["x-request-id"]


@pytest.mark.parametrize(
    "path", ["/api/hosts/", "/api/nothing", "/", "/health/live", "/assets/x.js"]
)
async def test_every_answer_wears_the_security_headers(house: House, path: str) -> None:
    response = await house.client.get(path, headers=house.bearer())

    policy = response.headers["content-security-policy"]
    is_data = path.startswith(("/api/", "/health"))
    wanted = ("default-src 'none'", "sandbox") if is_data else ("default-src 'self'",)
    for rule in (*wanted, "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert is_data or "object-src 'none'" in policy
    assert "script-src" not in policy  # scripts follow default-src
    assert "unsafe-eval" not in policy
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in response.headers["permissions-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in response.headers
    assert "access-control-allow-origin" not in response.headers


async def test_strict_transport_security_is_sent_over_https_only(house: House) -> None:
    transport = httpx.ASGITransport(app=house.gateway)

    async with httpx.AsyncClient(transport=transport, base_url="https://console.test") as client:
        answers = [await client.get(path) for path in ("/", "/api/hosts/", "/health/live")]

    for answer in answers:
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_answers_of_the_api_are_never_stored(house: House) -> None:
    house.hosts.answer_headers = [(b"cache-control", b"public"), (b"server", b"x/1.0")]

    response = await house.client.get("/api/hosts/", headers=house.bearer())

    assert response.headers.get_list("cache-control") == ["no-store"]
    assert "server" not in response.headers


async def test_cookies_and_other_headers_of_a_service_reach_the_caller(house: House) -> None:
    house.hosts.answer_headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]

    response = await house.client.get("/api/hosts/", headers=house.bearer())

    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "该地址不存在。"),
        ("en", "There is nothing at this address."),
        ("", "There is nothing at this address."),
        ("fr", "There is nothing at this address."),
        (",".join(["xx"] * 5000), "There is nothing at this address."),  # B029
    ],
)
async def test_errors_speak_the_language_of_the_caller(
    house: House, language: str, sentence: str
) -> None:
    response = await house.client.get("/api/nothing", headers={"accept-language": language})

    assert response.json()["message"] == sentence


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([(f"x-{n}", "1") for n in range(200)], id="B012-200-headers"),
        pytest.param([("x-large", "v" * 64 * 1024)], id="B012-64-KiB"),
    ],
)
async def test_heads_beyond_the_limits_are_refused(
    house: House, headers: list[tuple[str, str]]
) -> None:
    response = await house.client.get("/api/hosts/", headers=headers)

    assert response.status_code == 431
    assert error_of(response) == "headers_too_large"


@pytest.mark.parametrize("host", ["evil@console.test", "a b", "", "console.test:99999999", "x/y"])
async def test_a_host_that_is_not_a_host_is_refused(house: House, host: str) -> None:
    response = await house.client.get("/api/hosts/", headers={"host": host})

    assert response.status_code == 400  # B012
    assert error_of(response) == "bad_request"


async def test_two_hosts_are_refused(house: House) -> None:
    response = await house.client.get("/health/live", headers=[("host", "a"), ("host", "b")])

    assert response.status_code == 400


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS", "BREW", "get"])
async def test_methods_that_nothing_answers_are_refused(house: House, method: str) -> None:
    request = house.client.build_request("GET", "/api/hosts/", headers=house.bearer())
    request.method = method

    refused = await house.client.send(request)

    assert refused.status_code == 405  # B024
    assert "GET" in refused.headers["allow"]
    assert house.visits() == 0


async def test_a_path_or_query_of_absurd_length_is_refused(house: House) -> None:
    for address in ("/api/hosts/" + "x" * 3000, "/api/hosts/?search=" + "x" * 9000):
        response = await house.client.get(address, headers=house.bearer())
        assert response.status_code == 414  # B017
        assert error_of(response) == "uri_too_long"

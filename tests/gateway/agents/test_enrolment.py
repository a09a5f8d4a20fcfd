"""Enrolment and the rest of plain HTTP on the agents' port."""

import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.rig import Rig
from tests.support.agents import Message, enrol_over_http, enrol_request
from tests.support.waiting import eventually


def body(token: str = "tok", **changes: object) -> Message:
    """A correct request, unless changed."""
    request = enrol_request(token, Ed25519PrivateKey.generate())
    return request.model_dump(mode="json") | changes


async def post(
    gate: Rig, content: bytes | str | Message, path: str = "/api/agents/register", **headers: str
) -> httpx.Response:
    """One POST to the gateway."""
    data = json.dumps(content) if isinstance(content, dict) else content
    sent = {"content-type": "application/json"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    async with httpx.AsyncClient() as client:
        return await client.post(f"http://127.0.0.1:{gate.port}{path}", content=data, headers=sent)


async def test_a_token_becomes_an_identity_that_can_open_a_session(gate: Rig) -> None:
    token = (await gate.hosts.issue_enrolment_token(None, 600)).token

    identity = await enrol_over_http("127.0.0.1", gate.port, token)

    agent = gate.agent(identity)
    await agent.connect()
    assert agent.is_connected


async def test_the_answer_is_an_envelope(gate: Rig) -> None:
    token = (await gate.hosts.issue_enrolment_token(None, 600)).token

    response = await post(gate, body(token), path="/api/agents/register/")

    answer = response.json()
    assert response.status_code == 201
    assert answer["code"] == 201
    assert answer["success"] is True
    assert set(answer["content"]) == {
        *("agent_id", "host_id", "host_name", "identity_epoch", "trust")
    }


async def test_every_bad_token_gets_the_same_answer(gate: Rig) -> None:
    token = (await gate.hosts.issue_enrolment_token(None, 600)).token
    await post(gate, body(token))

    answers = []
    for bad in (token, "unknown", token.upper(), token[:-1], "x" * 256):
        response = await post(gate, body(bad))
        answer = response.json()
        answer["content"].pop("request_id")
        answers.append((response.status_code, answer))

    assert all(answer == answers[0] for answer in answers)
    status, answer = answers[0]
    assert status == 401
    assert answer["content"] == {"error": "enrolment_refused", "details": {}}


async def test_the_refusal_speaks_chinese_on_demand(gate: Rig) -> None:
    response = await post(gate, body("bad"), accept_language="zh-CN")

    assert "令牌" in response.json()["message"]


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (b"", 400, "malformed"),
        (b" ", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b"{} {}", 400, "malformed"),
        (b'{"token":"a","token":"b"}', 400, "malformed"),
        (b'{"token":NaN}', 400, "malformed"),
        (b"\xef\xbb\xbf{}", 400, "malformed"),
        (b'{"token":"\xff"}', 400, "malformed"),
        (b"[" * 60_000, 400, "malformed"),
        (json.dumps({"token": "\ud800"}).encode(), 400, "malformed"),
        (b"{}", 422, "invalid"),
        (json.dumps(body() | {"token": 5}).encode(), 422, "invalid"),
        (json.dumps(body(extra=1)).encode(), 422, "invalid"),
        (json.dumps(body(public_key="!")).encode(), 422, "invalid"),
        (json.dumps(body(hostname="a\x1b[31m")).encode(), 422, "invalid"),
        (b" " * (64 * 1024 + 1), 413, "too_large"),
    ],
)
async def test_bodies_that_cannot_be_right(
    gate: Rig, content: bytes, status: int, error: str
) -> None:
    response = await post(gate, content)

    assert response.status_code == status
    assert response.json()["content"]["error"] == error
    assert gate.hosts.calls["enrol"] == 0


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-7"],
)
async def test_other_content_types(gate: Rig, kind: str) -> None:
    response = await post(gate, body(), content_type=kind)

    assert response.status_code == 415


async def test_a_compressed_body_is_not_read(gate: Rig) -> None:
    response = await post(gate, body(), content_encoding="gzip")

    assert response.status_code == 415


async def test_hosts_out_of_reach(gate: Rig) -> None:
    gate.hosts.is_up = False

    response = await post(gate, body())

    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1


async def test_too_many_enrolments_of_one_peer(rigs: Rigs) -> None:
    gate = await rigs(enrolments_per_peer=0.01, enrolment_burst_per_peer=2)

    statuses = [(await post(gate, body())).status_code for _ in range(4)]

    assert statuses == [401, 401, 429, 429]


async def test_too_many_enrolments_of_everybody(rigs: Rigs) -> None:
    gate = await rigs(enrolments_per_second=0.01, enrolment_burst=1)

    await post(gate, body())
    response = await post(gate, body())

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/health/", 200),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
        ("GET", "/metrics", 200),
        ("POST", "/health", 405),
        ("GET", "/api/agents/register", 405),
        ("PUT", "/api/agents/register", 405),
        ("GET", "/", 404),
        ("GET", "/internal/agents/identity", 404),
        ("POST", "/internal/agents/enrol", 404),
        ("POST", "/api/agents/register/../../internal/agents/enrol", 404),
        ("POST", "//internal/agents/enrol", 404),
        ("GET", "/ws", 404),
        ("POST", "/ws/agent/x", 404),
    ],
)
async def test_paths(gate: Rig, method: str, path: str, status: int) -> None:
    connection = gate.raw()
    await connection.open()

    connection.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())

    assert (await connection.everything()).split(b" ")[1] == str(status).encode()


async def test_the_first_bytes_may_come_one_by_one(gate: Rig) -> None:
    for path, answer in ((b"/health", b"HTTP/1.1 200"), (b"/ws/agent/x", b"HTTP/1.1 426")):
        connection = gate.raw()
        await connection.open()

        for byte in b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n":
            connection.write(bytes([byte]))

        assert (await connection.everything()).startswith(answer)


@pytest.mark.parametrize(
    "request_head",
    [
        b"HELLO\r\n\r\n",
        b"POST /api/agents/register HTTP/1.1\r\n\r\n",
        b"POST /api/agents/register HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/agents/register HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\n",
        b"POST /api/agents/register HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20_000,
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_bytes_that_are_not_http(gate: Rig, request_head: bytes) -> None:
    connection = gate.raw()
    await connection.open()

    connection.write(request_head)

    assert (await connection.everything()).split(b" ")[1] in (b"400", b"501")


async def test_a_body_announced_too_large_is_refused_before_it_is_sent(gate: Rig) -> None:
    connection = gate.raw()
    await connection.open()

    connection.write(
        b"POST /api/agents/register HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    )

    assert (await connection.everything()).startswith(b"HTTP/1.1 413")


async def test_expect_100_continue(gate: Rig) -> None:
    connection = gate.raw()
    await connection.open()
    content = json.dumps(body()).encode()

    connection.write(
        b"POST /api/agents/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(content)
    )
    assert (await connection.some()).startswith(b"HTTP/1.1 100")
    connection.write(content)

    assert b"HTTP/1.1 401" in await connection.everything()


async def test_a_request_that_never_ends_is_cut_off(rigs: Rigs) -> None:
    gate = await rigs(handshake_seconds=0.2)
    connection = gate.raw()
    await connection.open()

    connection.write(b"POST /api/agents/register HTTP/1.1\r\nHost: x\r\n")

    await eventually(lambda: connection.is_closed)


async def test_without_redis_the_gateway_is_alive_but_not_ready(gate: Rig) -> None:
    gate.gateway.uplink.is_healthy = False

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gate.port}") as client:
        ready = await client.get("/health/ready")
        live = await client.get("/health/live")

    assert (ready.status_code, live.status_code) == (503, 200)
    assert ready.json()["content"]["redis"] == "down"

"""Bytes that are no HTTP, on a real socket: a clear answer or none, and the connection ends."""

import asyncio
import json

import pytest

from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, exchange_bytes, served

SETTINGS = GatewaySettings(head_seconds=0.3, body_idle_seconds=0.3)
GET = b"GET /api/hosts/ HTTP/1.1\r\n"
POST = b"POST /api/auth/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"

BAD_REQUESTS = {
    "B011-ten-gigabytes": POST + b"content-length: 10000000000\r\n\r\n{}",
    "B011-negative-length": POST + b"content-length: -1\r\n\r\n",
    "B011-two-lengths": POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    "B011-length-and-chunked": POST
    + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "B011-chunk-size-negative": POST + b"transfer-encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "B011-chunk-size-0x": POST + b"transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "B011-chunk-size-17-digits": POST
    + b"transfer-encoding: chunked\r\n\r\n11111111111111111\r\n{}\r\n0\r\n\r\n",
    "B011-strange-coding": POST + b"transfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "B012-200-headers": GET
    + b"host: x\r\n"
    + b"".join(b"a%d: 1\r\n" % number for number in range(200))
    + b"connection: close\r\n\r\n",
    "B012-64-KiB-header": GET + b"host: x\r\na: " + b"x" * 65536 + b"\r\nconnection: close\r\n\r\n",
    "B012-endless-header": GET + b"host: x\r\na: " + b"x" * 400_000,
    "B012-endless-headers": GET + b"host: x\r\n" + b"a: 1\r\n" * 60_000,
    "B012-obs-fold": GET + b"host: x\r\na: 1\r\n 2\r\n\r\n",
    "B012-name-with-space": GET + b"host: x\r\na b: 1\r\n\r\n",
    "B012-space-before-colon": GET + b"host: x\r\ncontent-length : 1\r\n\r\n",
    "B012-bare-carriage-return": GET + b"host: x\r\na: 1\r2\r\n\r\n",
    "B012-bare-line-feed": GET + b"host: x\na: 1\n\n",
    "B012-no-host": GET + b"connection: close\r\n\r\n",
    "B012-two-hosts": GET + b"host: x\r\nhost: y\r\nconnection: close\r\n\r\n",
    "B012-user-in-host": GET + b"host: evil@x\r\nconnection: close\r\n\r\n",
    "B012-nul-in-header": GET + b"host: x\r\na: 1\x002\r\n\r\n",
    "B025-raw-utf-8": b"GET /\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n",
    "B025-nul-in-path": b"GET /\x00 HTTP/1.1\r\nhost: x\r\n\r\n",
    "B026-authority-form": b"CONNECT evil.test:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    "B026-asterisk": b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    "B034-bearer-with-line-end": GET + b"host: x\r\nauthorization: Bearer a\r\n b\r\n\r\n",
    "B034-one-megabyte-bearer": GET + b"host: x\r\nauthorization: Bearer " + b"x" * 1_000_000,
    "no-http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is a TLS hello",
    "http-2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.fixture
async def hasty() -> House:
    """A gateway with short patience, for peers that go on for ever."""
    return House(SETTINGS)


@pytest.mark.parametrize("sent", [pytest.param(v, id=k) for k, v in BAD_REQUESTS.items()])
async def test_bad_http_is_refused_and_the_connection_ends(hasty: House, sent: bytes) -> None:
    async with served(hasty.gateway, SETTINGS) as port:
        try:
            answer = await exchange_bytes(port, sent)
        except ConnectionResetError:
            answer = b""

    assert answer[9:12] in (b"", b"400", b"404", b"405", b"413", b"431", b"501")
    assert hasty.visits() == 0


async def test_refusals_of_the_parser_wear_the_envelope_too(house: House) -> None:
    async with served(house.gateway) as port:
        answer = await exchange_bytes(port, b"nonsense\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"x-content-type-options: nosniff" in head
    assert json.loads(body)["content"]["error"] == "bad_request"


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HT", id="half-a-line"),
        pytest.param(GET + b"host: x\r\na: ", id="half-a-header"),
        pytest.param(POST + b"content-length: 100\r\n\r\n{", id="B011-shorter-than-declared"),
    ],
)
async def test_a_peer_that_stops_in_the_middle_is_dropped(hasty: House, begun: bytes) -> None:
    async with served(hasty.gateway, SETTINGS) as port:
        answer = await exchange_bytes(port, begun)

    assert answer[9:10] != b"5"
    assert hasty.visits() == 0


async def test_bytes_behind_a_whole_request_end_the_connection_after_its_answer(
    house: House,
) -> None:
    async with served(house.gateway) as port:
        answer = await exchange_bytes(port, POST + b"content-length: 2\r\n\r\n{}surplus")

    assert answer.startswith(b"HTTP/1.1 200 ")  # B011: longer than declared
    assert answer.count(b"HTTP/1.1") == 1
    assert house.witnesses["auth"].last.body == b"{}"


async def test_an_absolute_address_is_the_same_address(house: House) -> None:
    async with served(house.gateway) as port:
        inside = await exchange_bytes(
            port,
            b"GET http://x/internal/hosts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )

    assert inside[9:12] == b"404"  # B026
    assert house.visits() == 0


async def test_a_connection_carries_many_requests(house: House) -> None:
    token = house.bearer()["authorization"].encode()
    request = GET + b"host: x\r\nauthorization: " + token + b"\r\n\r\n"
    async with served(house.gateway) as port:
        answer = await exchange_bytes(
            port, request * 5 + GET + b"host: x\r\nconnection: close\r\n\r\n"
        )

    assert answer.count(b"HTTP/1.1 200 OK") == 5
    assert answer.count(b"HTTP/1.1 401 ") == 1


async def test_an_upgrade_that_nobody_offers_is_an_ordinary_request(house: House) -> None:
    async with served(house.gateway) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /ws/agent/x HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        line = await reader.readline()
        writer.close()

    assert line.startswith(b"HTTP/1.1 404 ")

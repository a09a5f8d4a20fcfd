"""A service behind a socket looks like a mounted one, and fails clearly."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.api.remote import RemoteUpstream
from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, Witness, error_of, served, somebody
from tests.support.waiting import eventually


class Far:
    """A house whose hosts service is the given app behind a socket."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def get(self, path: str = "/api/hosts/", **more: str) -> httpx.Response:
        """GET with a good credential."""
        return await self.house.client.get(path, headers=self.house.bearer() | more)


@pytest.fixture
async def witness() -> Witness:
    """What stands at the far end."""
    return Witness("hosts")


@pytest.fixture
async def far(witness: Witness) -> AsyncIterator[Far]:
    """A gateway with the witness behind a socket."""
    async with (
        served(witness) as port,
        RemoteUpstream(f"http://127.0.0.1:{port}", service="hosts") as upstream,
    ):
        yield Far(House(GatewaySettings(), upstreams={"hosts": upstream}))


async def test_a_request_arrives_as_it_would_at_a_mounted_service(
    far: Far, witness: Witness
) -> None:
    response = await far.get("/api/hosts/5/?page=2&search=a%20b", accept="x/y")

    assert response.status_code == 200
    visit = witness.last
    assert (visit.method, visit.path, visit.query) == ("GET", "/api/hosts/5", "page=2&search=a%20b")
    assert visit.header("accept") == "x/y"
    assert visit.header("cookie") is None
    assert visit.header("x-request-id") == response.headers["x-request-id"]
    assert witness.principal().id == 7


async def test_nothing_is_added_that_the_caller_did_not_send(far: Far, witness: Witness) -> None:
    request = httpx.Request("GET", "http://console.test/api/hosts", headers=far.house.bearer())

    await far.house.client.send(request)

    assert {name for name, _ in witness.last.headers} == {
        "authorization",
        "host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
    }


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 3_000_000])
async def test_bodies_of_every_size_arrive_whole(far: Far, witness: Witness, size: int) -> None:
    response = await far.house.client.post(
        "/api/hosts/", content=b"x" * size, headers=far.house.bearer()
    )

    assert response.json()["content"]["bytes"] == size
    assert witness.last.body == b"x" * size


async def test_a_body_of_undeclared_size_arrives_whole(far: Far, witness: Witness) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(200):
            yield f"{number:1024}".encode()

    await far.house.client.post("/api/hosts/", content=pieces(), headers=far.house.bearer())

    assert len(witness.last.body) == 200 * 1024


async def test_an_undeclared_body_beyond_the_limit_is_stopped(witness: Witness) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    async with (
        served(witness) as port,
        RemoteUpstream(f"http://127.0.0.1:{port}", service="hosts") as upstream,
    ):
        house = House(GatewaySettings(max_body_bytes=50_000), upstreams={"hosts": upstream})
        response = await house.client.post("/api/hosts/", content=pieces(), headers=house.bearer())

    assert response.status_code == 413
    assert witness.visits == []


class Fixed:
    """An app with one answer."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], *chunks: bytes) -> None:
        self.status = status
        self.headers = headers
        self.chunks = chunks

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _answer_of(app: Fixed, **headers: str) -> httpx.Response:
    async with (
        served(app) as port,
        RemoteUpstream(f"http://127.0.0.1:{port}", service="hosts") as upstream,
    ):
        return await Far(House(GatewaySettings(), upstreams={"hosts": upstream})).get(**headers)


async def test_a_redirect_is_the_caller_s_business() -> None:
    response = await _answer_of(Fixed(307, [(b"location", b"/elsewhere")]))

    assert response.status_code == 307
    assert response.headers["location"] == "/elsewhere"


async def test_packed_answers_stay_packed() -> None:
    packed = gzip.compress(b"hello")
    headers = [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed))]

    response = await _answer_of(Fixed(200, headers, packed))

    assert response.text == "hello"
    assert response.headers["content-encoding"] == "gzip"


async def test_a_large_answer_arrives_whole() -> None:
    response = await _answer_of(Fixed(200, [], *[b"y" * 50_000] * 40))

    assert len(response.content) == 2_000_000


async def test_cookies_of_one_caller_are_never_sent_for_another() -> None:
    witness = Witness("hosts")
    witness.answer_headers = [(b"set-cookie", b"who=one; Path=/")]
    async with (
        served(witness) as port,
        RemoteUpstream(f"http://127.0.0.1:{port}", service="hosts") as upstream,
    ):
        far = Far(House(GatewaySettings(), upstreams={"hosts": upstream}))
        first = await far.get()
        far.house.client.cookies.clear()
        await far.get()

    assert first.headers["set-cookie"].startswith("who=one")
    assert witness.last.header("cookie") is None


async def test_a_service_that_is_away_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with RemoteUpstream(url, service="hosts") as upstream:
            response = await Far(House(GatewaySettings(), upstreams={"hosts": upstream})).get()

    assert response.status_code == 503
    assert error_of(response) == "service_unavailable"
    assert response.json()["content"]["details"] == {"service": "hosts"}
    assert int(response.headers["retry-after"]) >= 1


async def _speak(answer: bytes) -> asyncio.Server:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", 0)


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal"]
)
async def test_a_service_that_breaks_off_is_unavailable(answer: bytes) -> None:
    server = await _speak(answer)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, RemoteUpstream(url, service="hosts") as upstream:
        response = await Far(House(GatewaySettings(), upstreams={"hosts": upstream})).get()

    assert response.status_code == 503


async def test_a_long_answer_that_breaks_off_is_not_mistaken_for_a_whole_one() -> None:
    server = await _speak(b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\nbegin")
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    house = House(GatewaySettings())
    async with server, RemoteUpstream(url, service="hosts") as upstream:
        house = House(GatewaySettings(), upstreams={"hosts": upstream})
        async with served(house.gateway) as port, httpx.AsyncClient() as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"http://127.0.0.1:{port}/api/hosts/", headers=house.bearer())


class Patient:
    """An app that answers only when the caller has gone."""

    def __init__(self) -> None:
        self.asked = 0
        self.left = 0

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        self.asked += 1
        message: Message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        self.left += 1


async def test_work_stops_when_the_caller_has_gone() -> None:
    patient = Patient()
    async with (
        served(patient) as behind,
        RemoteUpstream(f"http://127.0.0.1:{behind}", service="hosts") as upstream,
    ):
        house = House(GatewaySettings(), upstreams={"hosts": upstream})
        headers = house.bearer(somebody())
        async with served(house.gateway) as port:
            async with httpx.AsyncClient(timeout=60) as client:
                url = f"http://127.0.0.1:{port}/api/hosts/"
                asking = asyncio.create_task(client.get(url, headers=headers))
                await eventually(lambda: patient.asked == 1)
                asking.cancel()
                await asyncio.wait({asking})

            await eventually(lambda: patient.left == 1)

"""Connections to a service: kept while they can be trusted, never a moment longer."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from gateway.api import wire
from gateway.api.remote import RemoteUpstream
from gateway.api.settings import GatewaySettings
from gateway.api.wire import Pool
from tests.gateway.api.parts import House, Witness, error_of, served
from tests.support.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Script:
    """A service that follows a script: for each request of a connection, bytes or None to close."""

    def __init__(self, *connections: list[bytes | None]) -> None:
        self._connections = list(connections)
        self.requests: list[bytes] = []
        self.opened = 0
        self.closed = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, by the next script; the last one serves all further connections."""
        lines = self._connections[min(self.opened, len(self._connections) - 1)]
        self.opened += 1
        try:
            for line in lines:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                if line is None:
                    return
                writer.write(line)
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.closed += 1


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[House]:
    """A gateway whose hosts service follows the script."""
    server = await asyncio.start_server(script.talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with RemoteUpstream(url, service="hosts") as upstream:
        yield House(GatewaySettings(), upstreams={"hosts": upstream})
    await eventually(lambda: script.opened == script.closed)
    server.close()
    await server.wait_closed()


async def _ask(house: House, method: str = "GET") -> httpx.Response:
    return await house.client.request(method, "/api/hosts/", headers=house.bearer())


async def test_one_connection_carries_one_request_after_the_other() -> None:
    script = Script([OK] * 5)
    async with scripted(script) as house:
        answers = [await _ask(house) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert script.opened == 1


async def test_requests_at_the_same_time_get_connections_of_their_own() -> None:
    witness = Witness("hosts")
    async with (
        served(witness) as port,
        RemoteUpstream(f"http://127.0.0.1:{port}", service="hosts") as upstream,
    ):
        house = House(GatewaySettings(), upstreams={"hosts": upstream})
        headers = house.bearer()
        answers = await asyncio.gather(
            *(house.client.get(f"/api/hosts/{n}/", headers=headers) for n in range(50))
        )

    paths = [answer.json()["content"]["path"] for answer in answers]
    assert paths == [f"/api/hosts/{n}" for n in range(50)]


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("DELETE", 200), ("POST", 503)])
async def test_a_kept_connection_that_was_closed_costs_only_what_may_not_be_repeated(
    method: str, status: int
) -> None:
    script = Script([OK, None], [OK])
    async with scripted(script) as house:
        assert (await _ask(house)).status_code == 200

        response = await _ask(house, method)

    assert response.status_code == status


async def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    script = Script([None])
    async with scripted(script) as house:
        response = await _ask(house)

    assert error_of(response) == "service_unavailable"
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "surplus",
    [
        pytest.param(OK + OK, id="two-answers"),
        pytest.param(OK + b"HTTP/1.1 200 OK\r\ncontent-le", id="half-an-answer"),
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), id="close"),
    ],
)
async def test_what_comes_behind_an_answer_is_never_taken_for_the_next(surplus: bytes) -> None:
    other = b'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"own"'
    script = Script([surplus, other], [other])
    async with scripted(script) as house:
        first = await _ask(house)
        second = await _ask(house)

    assert (first.text, second.text) == ("{}", '"own"')
    assert script.opened == 2


async def test_an_interim_answer_is_not_the_answer() -> None:
    async with scripted(Script([b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK])) as house:
        response = await _ask(house)

    assert response.status_code == 200
    assert "link" not in response.headers


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\na b\r\n\r\n{}",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ],
)
async def test_an_answer_that_can_be_read_in_two_ways_is_none(answer: bytes) -> None:
    async with scripted(Script([answer, None])) as house:
        response = await _ask(house)

    assert response.status_code == 503


async def test_a_slow_reader_slows_the_service_down() -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b"x" * 1_000_000)
                await writer.drain()
                sent += 1
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with RemoteUpstream(url, service="hosts") as upstream:
        house = House(GatewaySettings(), upstreams={"hosts": upstream})
        token = house.bearer()["authorization"]
        async with served(house.gateway) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=65536)
            writer.write(
                f"GET /api/hosts/ HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n".encode()
            )
            await reader.readuntil(b"\r\n\r\n")
            await eventually(lambda: sent > 0)
            for _ in range(200):
                await asyncio.sleep(0)
            before = sent
            read = 0
            while read < 100_000_000:
                read += len(await reader.read(1_000_000))
            writer.close()
    server.close()

    assert before < 50
    assert sent == 100


@pytest.mark.parametrize("url", ["unix:///x", "hosts:8000", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="not the address"):
        RemoteUpstream(url, service="hosts")


async def test_a_connection_that_never_came_about_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each refused connection was looked at later, failed then, and filled the log."""
    monkeypatch.setattr(wire, "_LOOK_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(wire, "IDLE_SECONDS", 0.0)
    loop = asyncio.get_running_loop()
    failures: list[str] = []
    loop.set_exception_handler(lambda _, context: failures.append(context["message"]))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        pool = Pool("127.0.0.1", closed.getsockname()[1], tls=None)
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await pool.take()
    looked = loop.time() + 0.05
    await eventually(lambda: loop.time() > looked)

    assert not failures

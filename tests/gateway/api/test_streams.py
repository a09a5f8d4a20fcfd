"""Live streams through a real server: every event at once, nobody longer than allowed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.api.remote import RemoteUpstream
from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, error_of, exchange_bytes, served, somebody
from tests.gateway.api.services import Events, three_services
from tests.support.waiting import eventually

STREAM = "/api/realtime/sse/logs/x/"
QUICK = GatewaySettings(credential_seconds=0.02, stream_check_seconds=0.02, streams_per_user=3)


class Stage:
    """A gateway on a real port in front of a stream."""

    def __init__(self, house: House, events: Events, port: int) -> None:
        self.house = house
        self.events = events
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10)
        self.port = port


@asynccontextmanager
async def staged(
    mode: str, folder: Path, settings: GatewaySettings = QUICK
) -> AsyncIterator[Stage]:
    """Embedded: the service is mounted. Remote: it is behind a socket."""
    events = Events()
    services = three_services(folder, events)
    if mode == "embedded":
        house = House(settings, upstreams=dict(services))
        async with served(house.gateway) as port:
            stage = Stage(house, events, port)
            async with stage.client:
                yield stage
        return
    async with served(services["execution"]) as behind:
        upstream = RemoteUpstream(f"http://127.0.0.1:{behind}", service="execution")
        house = House(settings, upstreams={**services, "execution": upstream})
        async with served(house.gateway) as port:
            stage = Stage(house, events, port)
            async with stage.client:
                yield stage


@pytest.fixture(params=["embedded", "remote"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """The same behaviour both ways."""
    async with staged(request.param, tmp_path) as made:
        yield made


async def _closed(stage: Stage) -> None:
    await eventually(lambda: stage.events.closed == stage.events.opened)


async def test_each_event_arrives_before_the_next_is_made(stage: Stage) -> None:
    async with stage.client.stream("GET", STREAM, headers=stage.house.bearer()) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        chunks = response.aiter_raw()
        for number in range(5):
            stage.events.say(f"line {number}")
            assert await anext(chunks) == f"data: line {number}\n\n".encode()

        stage.events.end()
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
    await _closed(stage)


async def test_a_reader_who_leaves_is_noticed_by_the_service(stage: Stage) -> None:
    async with stage.client.stream("GET", STREAM, headers=stage.house.bearer()) as response:
        stage.events.say("one")
        await anext(response.aiter_raw())

    await _closed(stage)


@pytest.mark.parametrize("credential", ["bearer", "cookie"])
async def test_a_user_who_is_disabled_watches_no_longer(stage: Stage, credential: str) -> None:
    headers = getattr(stage.house, credential)()
    async with stage.client.stream("GET", STREAM, headers=headers) as response:
        stage.events.say("one")
        chunks = response.aiter_raw()
        await anext(chunks)

        stage.house.auth.sessions.clear()
        stage.house.auth.cookies.clear()

        assert await anext(chunks) == b'event: revoked\ndata: {"reason":"signed_out"}\n\n'
        with pytest.raises(StopAsyncIteration):  # B100
            await anext(chunks)
    await _closed(stage)
    again = await stage.client.get(STREAM, headers=headers)
    assert again.status_code == 401


async def test_a_user_whose_rights_change_is_asked_to_come_again(stage: Stage) -> None:
    headers = stage.house.bearer(somebody(permissions=("hosts:read", "executions:read")))
    async with stage.client.stream("GET", STREAM, headers=headers) as response:
        stage.events.say("one")
        chunks = response.aiter_raw()
        await anext(chunks)

        stage.house.bearer(somebody(permissions=("hosts:read",)))

        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
    await _closed(stage)


async def test_streams_end_when_auth_stays_away(stage: Stage) -> None:
    async with stage.client.stream("GET", STREAM, headers=stage.house.bearer()) as response:
        stage.events.say("one")
        chunks = response.aiter_raw()
        await anext(chunks)

        stage.house.auth.down = True

        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
    await _closed(stage)


async def test_one_user_has_a_limited_number_of_streams(stage: Stage) -> None:
    first, second = (
        stage.house.bearer(somebody(1, session="a")),
        stage.house.bearer(somebody(2, session="b")),
    )
    open_streams = [asyncio.create_task(stage.client.get(STREAM, headers=first)) for _ in range(3)]
    await eventually(lambda: stage.events.opened == 3)

    refused = await stage.client.get(STREAM, headers=first)
    other = asyncio.create_task(stage.client.get(STREAM, headers=second))
    await eventually(lambda: stage.events.opened == 4)

    assert refused.status_code == 429  # B100
    assert error_of(refused) == "too_many_streams"
    for _ in range(4):
        stage.events.end()
    answers = await asyncio.gather(*open_streams, other)
    assert {answer.status_code for answer in answers} == {200}

    async def none_is_open() -> bool:
        return "opsjob_gateway_open_streams 0.0\n" in (await stage.client.get("/metrics")).text

    await eventually(none_is_open)


@pytest.mark.parametrize("method", ["POST", "HEAD"])
async def test_a_stream_is_read_with_get_only(stage: Stage, method: str) -> None:
    response = await stage.client.request(method, STREAM, headers=stage.house.bearer())

    assert response.status_code == 405  # B101
    assert stage.events.opened == 0


async def test_a_last_event_id_is_passed_on_as_it_is(house: House) -> None:
    for value in ("-1", "1" * 30, "abc"):  # B099: the service judges it
        headers = house.bearer() | {"last-event-id": value}
        await house.client.get(STREAM, headers=headers)
        assert house.witnesses["execution"].last.header("last-event-id") == value


@pytest.mark.parametrize(
    "value", [pytest.param(b"1\r\n 2", id="B099-crlf"), pytest.param(b"1\x002", id="B099-nul")]
)
async def test_a_last_event_id_with_control_characters_is_refused(
    house: House, value: bytes
) -> None:
    async with served(house.gateway) as port:
        answer = await exchange_bytes(
            port, b"GET / HTTP/1.1\r\nhost: x\r\nlast-event-id: " + value + b"\r\n\r\n"
        )

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_reader_who_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    settings = GatewaySettings(stalled_reader_seconds=0.2)
    events = Events()
    house = House(settings, upstreams=dict(three_services(tmp_path, events)))
    token = house.bearer()["authorization"]
    async with served(house.gateway, settings) as port:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"GET {STREAM} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n".encode())
        for _ in range(300):
            events.say("x" * 64 * 1024)  # more than the kernel holds

        await eventually(lambda: events.opened == 1 and events.closed == 1)  # B101
        writer.close()

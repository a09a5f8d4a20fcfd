"""S57: what each part does in Valkey works as its own user, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from limits import parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.exceptions import NoPermissionError

from gateway.agents.settings import AgentGatewaySettings
from gateway.agents.uplink import Uplink
from libs.contracts.agents import LOGS, RESULTS, STATUS, gateway_key, session_key
from libs.kit.bus import BatchStream, stream_of
from libs.kit.bus.survival import ensure_groups
from libs.kit.queue import Jobs, Queue, task
from libs.kit.redis import Redis, connect
from libs.kit.settings import Settings
from services.embedded import valkey_users
from services.execution.changes.service import CHANNEL, Changes
from tests.support.tree import REPOSITORY
from tests.support.valkey import ValkeyServer, short_folder
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

PASSWORD = "of-the-parts"
PARTS = sorted(valkey_users.USERS)
SERVICES = ("auth", "hosts", "execution")
REFUSED = [
    ("EVAL", "return 1", "0"),
    ("SCRIPT", "LOAD", "return 1"),
    ("FUNCTION", "LIST"),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "dir", "/tmp"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("RANDOMKEY",),
    ("ACL", "LIST"),
    ("CLIENT", "LIST"),
    ("MONITOR",),
    ("SHUTDOWN", "NOSAVE"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("MODULE", "LIST"),
    ("GET", "secrets"),
    ("SET", "secrets", "1"),
    ("XADD", "facts:of-nobody", "*", "a", "b"),
    ("PUBLISH", "another-channel", "x"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    """A Valkey with our users; without a name one is its administrator."""
    made = ValkeyServer(short_folder("opsjob-users-"))
    lines = valkey_users.lines(PASSWORD).splitlines()
    made.start(*(word for line in lines for word in ("--user", *line.split()[1:])))
    yield made
    made.stop()


@pytest.fixture
async def admin(server: ValkeyServer) -> AsyncIterator[Redis]:
    client = connect(server.url)
    await client.flushall()
    await client.execute_command("ACL", "LOG", "RESET")  # type: ignore[no-untyped-call]
    yield client
    await client.aclose()


def url_of(server: ValkeyServer, part: str) -> str:
    return server.url.replace("unix://", f"unix://{part}:{PASSWORD}@")


@pytest.fixture
async def user(
    server: ValkeyServer, admin: Redis, request: pytest.FixtureRequest
) -> AsyncIterator[Redis]:
    client = connect(url_of(server, request.param))
    yield client
    await client.aclose()


async def nothing_was_refused(admin: Redis) -> bool:
    return not await admin.execute_command("ACL", "LOG")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("user", PARTS, indirect=True)
async def test_s57_no_part_may_script_administer_list_or_touch_what_is_not_its_own(
    user: Redis,
) -> None:
    assert await user.ping()
    for command in REFUSED:
        with pytest.raises(NoPermissionError):
            await user.execute_command(*command)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("user", SERVICES, indirect=True)
async def test_s57_a_service_adds_to_its_own_facts_only(
    user: Redis, request: pytest.FixtureRequest
) -> None:
    own = request.node.callspec.params["user"]
    await user.xadd(stream_of(own), {"id": "1"})
    await user.xadd(stream_of("audit"), {"id": "1"})

    for other in {*SERVICES} - {own}:
        await ensure_groups(user, [stream_of(other)], own)
        with pytest.raises(NoPermissionError):
            await user.xadd(stream_of(other), {"id": "1"})
        with pytest.raises(NoPermissionError):
            await user.delete(stream_of(other))


@pytest.mark.parametrize("user", ["gateway-agents"], indirect=True)
async def test_the_agent_gateway_writes_what_agents_say_and_forgets_its_sessions(
    user: Redis, admin: Redis
) -> None:
    uplink = Uplink(user, "gw-1", AgentGatewaySettings())
    mine, moved = session_key("agent-1"), session_key("agent-2")
    writing = asyncio.create_task(uplink.run())
    try:
        for key in (mine, moved):
            uplink.touch(key, 45)
        uplink.forget(session_key("agent-3"))  # what is held goes with what else is written
        await eventually(lambda: admin.exists(mine, moved))
        await admin.set(moved, "gw-2")
        for key in (mine, moved):
            uplink.forget(key)
        await eventually(lambda: is_gone(admin, mine))
        assert await admin.get(moved) == b"gw-2"
        for key in (RESULTS, LOGS, STATUS):
            await BatchStream.append(user, key, [{"t": "x"}], 100)
        await user.set(f"{gateway_key('gw-1')}:mark", "1", ex=10, get=True)
        await user.expire(gateway_key("gw-1"), 10)
        await user.xread({gateway_key("gw-1"): "0", stream_of("hosts"): "0"}, block=1)
        await user.xrevrange(stream_of("hosts"), count=1)
        await user.delete(gateway_key("gw-1"))
        assert await nothing_was_refused(admin)
        with pytest.raises(NoPermissionError):
            await user.xadd(stream_of("hosts"), {"a": "b"})
        with pytest.raises(NoPermissionError):
            await user.xread({RESULTS: "0"})
    finally:
        await ended(writing)


async def ended(*loops: asyncio.Task[None]) -> None:
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


async def is_heard(redis: Redis, channel: str) -> bool:
    ((_, listeners),) = await redis.pubsub_numsub(channel)
    return bool(listeners)


async def is_gone(redis: Redis, key: str) -> bool:
    return not await redis.exists(key)


@pytest.mark.parametrize("user", ["execution"], indirect=True)
async def test_execution_takes_what_agents_say_and_tells_gateways_and_itself(
    user: Redis, admin: Redis
) -> None:
    await BatchStream.append(admin, RESULTS, [{"t": "x"}], 100)
    taken: list[object] = []

    async def take(batch: object) -> None:
        taken.append(batch)

    changes = Changes(user, "one")
    loops = [
        asyncio.create_task(
            BatchStream().consume(user, [RESULTS], "execution", "one", take, remove=True)
        ),
        asyncio.create_task(changes.run()),
    ]
    try:
        await eventually(lambda: bool(taken))
        await eventually(lambda: is_heard(admin, CHANNEL))
        with changes.watching("e-1") as bell:
            bell.rung.clear()
            await admin.publish(CHANNEL, b"\x92\xa3two\x91\xa3e-1")
            await user.publish(CHANNEL, b"\x92\xa3two\x91\xa3e-1")
            await eventually(bell.rung.is_set)
        await user.mget([session_key("agent-1")])
        await user.xadd(gateway_key("gw-1"), {"batch": b""})
        assert await nothing_was_refused(admin)
        with pytest.raises(NoPermissionError):
            await user.xadd(RESULTS, {"batch": b""})
    finally:
        await ended(*loops)


class _Counted:
    def __init__(self) -> None:
        self.runs = 0


@task()
async def count_once(counted: _Counted) -> None:
    """A job that leaves a mark."""
    counted.runs += 1


@pytest.mark.parametrize("user", ["worker"], indirect=True)
async def test_the_worker_runs_jobs(user: Redis, admin: Redis) -> None:
    counted = _Counted()
    working = asyncio.create_task(Jobs(user, [(count_once, {_Counted: counted})]).run())
    try:
        assert await Queue(user).enqueue(count_once)
        await eventually(lambda: counted.runs == 1)
        await eventually(lambda: is_gone(admin, "opsjob:jobs"))
        assert await nothing_was_refused(admin)
    finally:
        await ended(working)


async def test_the_api_gateway_counts_rates_by_a_script_only_where_that_is_set(
    server: ValkeyServer, admin: Redis
) -> None:
    for line in valkey_users.lines(PASSWORD, with_rates=True).splitlines():
        if line.startswith("user gateway-api "):
            await admin.execute_command("ACL", "SETUSER", *line.split()[1:])  # type: ignore[no-untyped-call]
    uri = "async+redis+" + url_of(server, "gateway-api")
    storage = RedisStorage(uri, implementation="redispy", key_prefix="opsjob_rates")
    limiter = FixedWindowRateLimiter(storage)

    hits = [await limiter.hit(parse("2/minute"), "user/1") for _ in range(3)]

    client = storage.bridge.get_connection()  # type: ignore[attr-defined]  # every bridge has it
    assert hits == [True, True, False]
    assert await limiter.test(parse("2/minute"), "user/1") is False
    await limiter.get_window_stats(parse("2/minute"), "user/1")
    await client.aclose()
    assert await nothing_was_refused(admin)
    assert valkey_users.SCRIPTS not in valkey_users.lines(PASSWORD)


def test_the_file_for_the_container_is_fresh() -> None:
    kept = (REPOSITORY / "deploy/valkey/users.conf").read_text()

    assert kept == valkey_users.template()
    assert "on nopass" not in kept.replace("user health on nopass resetkeys", "")


def test_a_url_names_the_user_of_each_part(tmp_path: Path) -> None:
    settings = Settings(
        database_url="sqlite:///{service}.db",
        secret="0123456789abcdef0123456789abcdef",
        redis_url="redis://{service}:x@valkey:6379/0",
        data_dir=tmp_path,
    )

    assert settings.redis_url_of("auth") == "redis://auth:x@valkey:6379/0"

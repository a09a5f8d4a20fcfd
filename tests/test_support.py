"""The tests' own tools keep their promises."""

import asyncio
import socket

import pytest

from tests.support.network import NetworkRefused, is_local
from tests.support.waiting import eventually, eventually_sync


async def test_eventually_waits_for_a_true_answer() -> None:
    answers = iter([0, None, "", 7])

    assert await eventually(lambda: next(answers)) == 7


async def test_eventually_awaits_an_async_probe() -> None:
    rung = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, rung.set)

    async def probe() -> bool:
        return rung.is_set()

    assert await eventually(probe)


async def test_eventually_says_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"the door: not true after 0\.05 s.*last answer \[\]"):
        await eventually(list, timeout=0.05, message="the door")


def test_the_form_without_a_loop_takes_asserts_as_not_yet() -> None:
    seen = iter([1, 2, 3])

    def probe() -> bool:
        assert next(seen) == 3
        return True

    assert eventually_sync(probe)


def test_a_connection_beyond_loopback_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(NetworkRefused):
        sock.connect(("192.0.2.1", 80))


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (("127.0.0.1", 1), True),
        (("::1", 1, 0, 0), True),
        ("/run/some.sock", True),
        (("example.org", 80), False),
        (("10.0.0.1", 80), False),
    ],
)
def test_only_loopback_and_unix_sockets_are_local(address: object, local: bool) -> None:
    assert is_local(address) is local

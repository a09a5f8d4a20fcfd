"""The committed table is the one of the code, and the socket's table is what the gateway does."""

import json

import pytest

from libs.kit.redis import Redis
from libs.protocol.codec import encode
from tests.gateway.agents.fake_hosts import FakeHosts
from tests.gateway.agents.rig import rig
from tests.libs.protocol.samples import MESSAGES
from tests.matrix.sockets import Spoken, spoken, undecided
from tests.matrix.table import PAGE, fresh


def test_the_page_is_fresh() -> None:
    """`make authorization` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == fresh()


def test_every_message_of_the_socket_has_its_place() -> None:
    assert not undecided()
    assert {one.name for one in spoken()} <= set(MESSAGES)


@pytest.mark.parametrize("message", spoken(), ids=lambda one: one.name)
async def test_what_becomes_of_each_message(redis: Redis, message: Spoken) -> None:
    """From a peer without proof, and from a proven agent; refused ones reach nobody."""
    async with rig(redis, FakeHosts(), files=None) as gate:
        if message.before_proof == "4401":
            stranger = gate.agent()
            await stranger.open()
            stranger.send(sample(message.name))
            assert (await stranger.wait_ended()).code == 4401
        if message.by_proven == "4400":
            agent = await gate.connected()
            agent.send(sample(message.name))
            assert (await agent.wait_ended()).code == 4400
        else:
            agent = await gate.connected()
            agent.send(sample(message.name))
            if message.name == "bye":
                assert (await agent.wait_ended()).code == 1000
            else:
                agent.send(sample("heartbeat"))
                assert agent.is_connected


def sample(name: str) -> dict[str, object]:
    """A well-formed message of a type."""
    decoded: dict[str, object] = json.loads(encode(MESSAGES[name]))
    return decoded

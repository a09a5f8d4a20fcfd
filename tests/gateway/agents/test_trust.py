"""The trust bundle on its way to agents, and signed orders on theirs to agents of before."""

import base64
import json

from pydantic import SecretStr

from gateway.agents.downlink import Downlink
from gateway.agents.roster import Roster
from gateway.agents.session import Session
from gateway.agents.unwrapping import unwrapped
from libs.kit.bus import StreamMark
from tests.gateway.agents.rig import Rig
from tests.support.waiting import eventually


def signed(purpose: str, **payload: object) -> bytes:
    """An order of which only the payload matters here."""
    text = base64.b64encode(json.dumps({"purpose": purpose, **payload}).encode()).decode()
    frame = {"type": "signed", "v": 1, "purpose": purpose, "kid": "a", "payload": text, "sig": ""}
    return json.dumps(frame, separators=(",", ":")).encode()


async def test_an_agent_gets_the_bundle_and_every_later_one(gate: Rig) -> None:
    agent = gate.agent()
    agent.keeps_received = True
    gate.hosts.bundle = '{"number":1}'
    await gate.gateway._trust.refresh()
    await agent.connect()
    await eventually(lambda: _bundles(agent.received) == ['{"number":1}'])

    gate.hosts.bundle = '{"number":2}'
    await gate.gateway._trust.refresh()
    await gate.gateway._trust.refresh()

    await eventually(lambda: _bundles(agent.received) == ['{"number":1}', '{"number":2}'])


def _bundles(received: list[dict[str, object]]) -> list[object]:
    return [message["bundle"] for message in received if message["type"] == "trust"]


async def test_without_hosts_the_last_bundle_stays(gate: Rig) -> None:
    gate.hosts.bundle = "{}"
    await gate.gateway._trust.refresh()
    gate.hosts.is_up = False

    await gate.gateway._trust.refresh()

    assert gate.gateway._trust.bundle == "{}"


def test_an_agent_of_before_gets_the_order_as_it_knows_it() -> None:
    offer = signed("task.run", agent_id="a", order={"task_id": "t", "script": "ü\n"})
    grant = signed(
        "task.grant", task_id="t", attempt=1, epoch=2, boot_id="b", expires="x", agent_id="a"
    )
    cancel = signed(
        "task.cancel", task_id="t", attempt=1, reason="r", grace_seconds=10.0, counter=7
    )
    other = b'{"type":"ack"}'

    plain = [json.loads(frame) for frame in unwrapped([offer, grant, cancel, other])]

    assert plain == [
        {"type": "offer", "order": {"task_id": "t", "script": "ü\n"}},
        {"type": "grant", "task_id": "t", "attempt": 1, "epoch": 2, "boot_id": "b"},
        {"type": "cancel", "task_id": "t", "attempt": 1, "reason": "r", "grace_seconds": 10.0},
        {"type": "ack"},
    ]


class Recording(Roster):
    """Nobody is connected here; remembers who was looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def find(self, agent_id: str) -> Session | None:
        """Nobody."""
        self.asked.append(agent_id)
        return None


def test_an_entry_that_none_of_us_made_reaches_no_agent() -> None:
    """An acknowledgement that somebody wrote into Redis would free output that nobody stored."""
    roster = Recording()
    mark = StreamMark(SecretStr("the secret of this installation"))
    downlink = Downlink(roster, stream="gateway:g", mark=mark)
    batch = b"\x91\x82\xa2to\xa1a\xa5frame\xc4\x02{}"

    downlink.deliver({b"batch": batch})
    downlink.deliver({b"batch": batch, b"mark": mark.of("gateway:other", "", batch)})
    downlink.deliver({b"batch": batch + b" ", b"mark": mark.of("gateway:g", "", batch)})
    assert roster.asked == []

    downlink.deliver({b"batch": batch, b"mark": mark.of("gateway:g", "", batch)})
    assert roster.asked == ["a"]

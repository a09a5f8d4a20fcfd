"""Bad input on the agents' socket, B083 to B089: refused whole, counted, bounded."""

import json
import struct

import pytest

from libs.contracts.agents import LOGS, RESULTS
from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.rig import Rig
from tests.gateway.agents.samples import (
    CLAIM,
    OUTPUT,
    RESULT,
    assert_serves_others,
    eventually_claim,
)
from tests.support.agents import Message, Refused
from tests.support.waiting import eventually

# ---- B083 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "early",
    [
        CLAIM,
        RESULT,
        {"type": "bye", "code": 1000, "reason": ""},
        {"type": "grant", "task_id": "t", "attempt": 1, "epoch": 1, "boot_id": "b"},
    ],
    ids=lambda message: str(message["type"]),
)
async def test_b083_any_message_before_authentication(gate: Rig, early: Message) -> None:
    agent = gate.agent()
    await agent.open()

    agent.send(early)

    assert (await agent.wait_ended()).code == 4401
    assert await gate.stream(RESULTS) == []
    await assert_serves_others(gate)


async def test_b083_output_before_authentication(gate: Rig) -> None:
    agent = gate.agent()
    await agent.open()

    agent.send(OUTPUT)

    assert (await agent.wait_ended()).code == 4400
    assert await gate.stream(LOGS) == []


async def test_b083_a_message_right_behind_the_hello_is_not_handled(gate: Rig) -> None:
    agent = gate.agent()
    await agent.open()
    challenge = await agent.expect("challenge")

    agent.send(agent.hello(challenge))
    agent.send(CLAIM)

    assert (await agent.wait_ended()).code == 4401
    assert await gate.stream(RESULTS) == []


async def test_b083_two_authentications(gate: Rig) -> None:
    agent = await gate.connected()

    agent.send(agent.hello({"nonce": "n" * 32, "gateway_id": gate.gateway.gateway_id}))

    assert (await agent.wait_ended()).code == 4400


async def test_b083_no_authentication_in_time(rigs: Rigs) -> None:
    gate = await rigs(handshake_seconds=0.2)
    agent = gate.agent()
    await agent.open()

    ended = await agent.wait_ended()

    assert (ended.code, ended.reason) == (4401, "handshake_timeout")


async def test_b083_half_open_handshakes_are_capped_and_do_not_keep_agents_out(
    rigs: Rigs,
) -> None:
    gate = await rigs(max_unauthenticated=20)
    idle = [gate.raw() for _ in range(60)]
    for number, connection in enumerate(idle):
        await connection.open()
        connection.write(b"GET /ws/agent/x HTTP/1.1\r\nHost: x\r\n" if number % 2 else b"G")

    agent = await gate.connected()

    assert agent.is_connected
    await eventually(lambda: sum(not connection.is_closed for connection in idle) <= 20)


# ---- B084 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ([("Origin", "https://evil.example")], 403, "browser_refused"),
        ([("Origin", "null")], 403, "browser_refused"),
        ([("Cookie", "a=b")], 403, "browser_refused"),
        ([("Sec-WebSocket-Protocol", "")], 400, "unknown_subprotocol"),
        ([("Sec-WebSocket-Protocol", "opsjob.agent.v2")], 400, "unknown_subprotocol"),
        ([("Sec-WebSocket-Protocol", "OPSJOB.AGENT.V1")], 400, "unknown_subprotocol"),
        ([("Sec-WebSocket-Version", "8")], 426, "upgrade_required"),
        ([("Sec-WebSocket-Version", "")], 426, "upgrade_required"),
        ([("Upgrade", "h2c")], 426, "upgrade_required"),
        ([("Connection", "keep-alive")], 426, "upgrade_required"),
    ],
)
async def test_b084_wrong_opening_headers(
    gate: Rig, headers: list[tuple[str, str]], status: int, error: str
) -> None:
    agent = gate.agent()

    with pytest.raises(Refused) as refused:
        await agent.open(headers=headers)

    assert refused.value.status == status
    assert json.loads(refused.value.body)["content"]["error"] == error


@pytest.mark.parametrize(
    "path",
    ["/ws/", "/ws/agent/", "/ws/agent/a/b", "/ws/agent/a?token=x", "/ws/agent/%2e%2e", "/ws/other"],
)
async def test_b084_other_paths(gate: Rig, path: str) -> None:
    with pytest.raises(Refused) as refused:
        await gate.agent().open(path)

    assert refused.value.status == 404


async def test_b084_http_1_0(gate: Rig) -> None:
    connection = gate.raw()
    await connection.open()

    connection.write(
        b"GET /ws/agent/x HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )

    assert (await connection.everything()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("version", "code"), [(0, 4400), (99, 4426), ("1", 4400), (None, 4400)])
async def test_b084_other_protocol_versions(gate: Rig, version: object, code: int) -> None:
    agent = gate.agent()
    await agent.open()
    hello = agent.hello(await agent.expect("challenge"))
    hello["protocol"] = version
    if version is None:
        del hello["protocol"]

    agent.send(hello)

    assert (await agent.wait_ended()).code == code


# ---- B085, B089 ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ('{"type":"surprise"}', "unknown_type"),
        ('{"task_id":"t","attempt":1}', "missing_field"),
        ('{"type":1}', "bad_field"),
        ('{"type":"claim","task_id":"t"}', "missing_field"),
        ('{"type":"claim","task_id":"t","attempt":1,"extra":1}', "unknown_field"),
        ('{"type":"claim","task_id":"t","attempt":1,"attempt":2}', "duplicate_key"),
        ('{"type":"claim","task_id":"t","attempt":true}', "bad_field"),
        ('{"type":"claim","task_id":"t","attempt":NaN}', "bad_field"),
        ('{"type":"claim","task_id":"../t","attempt":1}', "bad_field"),
        ('{"type":"claim","task_id":"t\\u0000","attempt":1}', "bad_field"),
        ('{"type":"claim","task_id":"\\ud800","attempt":1}', "bad_field"),
        ("[]", "not_an_object"),
        ('"claim"', "not_an_object"),
        ("", "not_json"),
        ("\ufeff{}", "not_json"),
        ("{} {}", "not_json"),
        ("[" * 100_000, "not_json"),
        ('{"type":"offer"}', "missing_field"),
        ('{"type":"result_ack","task_id":"t","attempt":1}', "out_of_place"),
    ],
)
async def test_b085_malformed_messages_end_the_session(gate: Rig, frame: str, reason: str) -> None:
    agent = await gate.connected()

    agent.send_raw(frame)

    ended = await agent.wait_ended()
    assert (ended.code, ended.reason) == (4400, f"refused_message: {reason}")
    assert await gate.stream(RESULTS) == []


@pytest.mark.parametrize("frame", [b"", b"\x00", b'{"type":"claim","task_id":"t","attempt":1}'])
async def test_b085_binary_where_text_is_expected(gate: Rig, frame: bytes) -> None:
    agent = await gate.connected()

    agent.send_raw(frame)

    assert (await agent.wait_ended()).code == 4400


async def test_b085_nothing_behind_a_refused_message_is_handled(gate: Rig) -> None:
    agent = await gate.connected()

    agent.send_raw("{}")
    agent.send(CLAIM)

    assert (await agent.wait_ended()).code == 4400
    await assert_serves_others(gate)
    claims = [m["agent_id"] for m in await gate.messages(RESULTS, "claim")]
    assert agent.agent_id not in claims


async def test_b089_a_text_frame_that_is_not_utf_8(gate: Rig) -> None:
    agent = await gate.connected()
    assert agent.line is not None

    agent.line.write(frame(0x81, b'{"type":"\xff"}'))

    assert (await agent.wait_ended()).code == 1007


# ---- B086, B087, B088 ------------------------------------------------------------------------


def frame(head: int, payload: bytes, *, mask: bool = True, length: int | None = None) -> bytes:
    """A raw WebSocket frame; `length` may lie about what follows."""
    size = len(payload) if length is None else length
    bit = 0x80 if mask else 0
    if size < 126:
        top = struct.pack("!BB", head, bit | size)
    elif size < 65_536:
        top = struct.pack("!BBH", head, bit | 126, size)
    else:
        top = struct.pack("!BBQ", head, bit | 127, size)
    return top + (b"\0\0\0\0" if mask else b"") + payload


RAW_FRAMES: dict[str, tuple[bytes, int]] = {
    "64 MB announced": (frame(0x81, b"x", length=64 * 2**20), 1009),
    "2^63 announced": (frame(0x81, b"x", length=2**63 - 1), 1009),
    "1 MB and one byte": (frame(0x81, b"x", length=2**20 + 1), 1009),
    "control frame of 126 bytes": (frame(0x89, b"x" * 126), 1002),
    "fragmented ping": (frame(0x09, b""), 1002),
    "RSV1": (frame(0xC1, b"{}"), 1002),
    "RSV2": (frame(0xA1, b"{}"), 1002),
    "reserved opcode 3": (frame(0x83, b""), 1002),
    "reserved opcode B": (frame(0x8B, b""), 1002),
    "unmasked": (frame(0x81, b"{}", mask=False), 1002),
    "continuation of nothing": (frame(0x80, b"x"), 1002),
    "text inside a fragmented text": (frame(0x01, b"a") + frame(0x81, b"b"), 1002),
    "close 1005": (frame(0x88, struct.pack("!H", 1005)), 1002),
    "close 999": (frame(0x88, struct.pack("!H", 999)), 1002),
    "close 65535": (frame(0x88, struct.pack("!H", 65_535)), 1002),
    "close of one byte": (frame(0x88, b"\x03"), 1002),
    "close reason not UTF-8": (frame(0x88, struct.pack("!H", 1000) + b"\xff"), 1007),
}


@pytest.mark.parametrize("name", RAW_FRAMES)
async def test_b086_frames_that_rfc_6455_forbids(gate: Rig, name: str) -> None:
    data, code = RAW_FRAMES[name]
    agent = await gate.connected()
    assert agent.line is not None

    agent.line.write(data)

    assert (await agent.wait_ended()).code == code
    await assert_serves_others(gate)


async def test_b086_ten_thousand_fragments_of_one_byte(gate: Rig) -> None:
    agent = await gate.connected()
    assert agent.line is not None

    agent.line.send_fragments([b" "] * 10_000)

    assert (await agent.wait_ended()).code == 1009


async def test_b086_a_fragmented_message_that_never_ends(gate: Rig) -> None:
    agent = await gate.connected()
    assert agent.line is not None

    agent.line.send_fragments([b" " * 60_000] * 20, is_finished=False)

    assert (await agent.wait_ended()).code == 1009


async def test_b086_control_frames_between_fragments_are_fine(gate: Rig) -> None:
    agent = await gate.connected()
    assert agent.line is not None
    text = json.dumps(CLAIM).encode()

    agent.line.write(frame(0x01, text[:9]) + frame(0x89, b"hi") + frame(0x80, text[9:]))

    await eventually_claim(gate, agent)


async def test_b087_compression_is_never_agreed_on(gate: Rig) -> None:
    agent = gate.agent()

    await agent.open(headers=[("Sec-WebSocket-Extensions", "permessage-deflate")])

    assert agent.line is not None
    agent.line.write(frame(0xC1, b"\x00" * 1000))
    assert (await agent.wait_ended()).code == 1002


@pytest.mark.parametrize("kind", ["ping", "pong"])
async def test_b088_a_flood_of_control_frames_ends_the_session(rigs: Rigs, kind: str) -> None:
    gate = await rigs(messages_per_second=100)
    agent = await gate.connected()
    assert agent.line is not None

    for _ in range(1_000):
        (agent.line.ping if kind == "ping" else agent.line.pong)()

    assert (await agent.wait_ended()).code == 4429

"""Frames that are not exactly one valid message are refused as a whole."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.protocol import messages as m
from libs.protocol.codec import MAX_MESSAGE_BYTES, decode, decode_output, encode, encode_output
from libs.protocol.errors import ProtocolError
from tests.libs.protocol.samples import MESSAGES, OUTPUT


def changed(name: str, **fields: Any) -> str:
    return json.dumps({**json.loads(encode(MESSAGES[name])), **fields})


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("{} {}", "not_json"),
        ("\ufeff{}", "not_json"),
        (b"\xff\xfe", "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "not_an_object"),
        ('"claim"', "not_an_object"),
        ("null", "not_an_object"),
        ("{}", "missing_field"),
        ('{"type":7}', "bad_field"),
        ('{"type":"explode"}', "unknown_type"),
        ('{"type":"output"}', "unknown_type"),
        ('{"type":"claim","task_id":"t"}', "missing_field"),
        ('{"type":"claim","task_id":"t","task_id":"u","attempt":1}', "duplicate_key"),
        (changed("claim", surprise=1), "unknown_field"),
        (changed("claim", attempt="1"), "bad_field"),
        (changed("claim", attempt=True), "bad_field"),
        (changed("claim", attempt=1.0), "bad_field"),
        (changed("claim", attempt=0), "bad_field"),
        ('{"type":"claim","task_id":"t","attempt":NaN}', "bad_field"),
        (f'{{"type":"claim","task_id":"t","attempt":{"9" * 5000}}}', "bad_field"),
        (changed("claim", task_id="../etc"), "bad_field"),
        (changed("claim", task_id="a" * 65), "bad_field"),
        (changed("claim", task_id="a\n"), "bad_field"),
        (changed("claim", task_id=""), "bad_field"),
        (changed("ack", seq=-1), "bad_field"),
        (changed("ack", seq=2**53 + 1), "bad_field"),
        (changed("ack", offset=-1), "bad_field"),
        (changed("ack", stream="stdfoo"), "bad_field"),
        (changed("reject", reason="because"), "bad_field"),
        (changed("reject", detail="\ud800"), "bad_field"),
        (changed("heartbeat", cpu_percent=101), "bad_field"),
        (changed("heartbeat", disk_free_bytes=-1), "bad_field"),
        (changed("heartbeat", at="yesterday"), "bad_field"),
        (changed("hello", protocol=0), "bad_field"),
        (changed("hello", protocol="1"), "bad_field"),
        (changed("hello", tasks=[{"task_id": "t", "attempt": 1}]), "missing_field"),
        (changed("hello", signature="AA=="), "bad_field"),
        (changed("offer", order=[]), "bad_field"),
        (changed("cancel", grace_seconds=1e400), "bad_field"),
        (" " * (MAX_MESSAGE_BYTES + 1), "too_large"),
    ],
)
def test_a_frame_that_is_no_message_is_refused(frame: str | bytes, reason: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        decode(frame)

    assert refused.value.reason == reason


def test_a_field_marked_as_extension_is_left_out() -> None:
    assert decode(changed("claim", x_hint="later version")) == MESSAGES["claim"]


def test_an_old_peer_without_a_field_that_has_a_default_is_understood() -> None:
    offer = json.loads(encode(MESSAGES["offer"]))
    del offer["order"]["max_processes"]

    assert decode(json.dumps(offer)) == MESSAGES["offer"]


def test_an_order_that_uses_nothing_new_is_written_as_before() -> None:
    order = json.loads(encode(MESSAGES["offer"]))["order"]

    later = {"action", "success_codes", "outputs", "secrets", "on_output_limit", "limits", "files"}
    assert not later & order.keys()


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "format"},
        {"success_codes": [256]},
        {"outputs": 1},
        {"secrets": [{"name": "A B", "sealed": "AQID"}]},
        {"secrets": [{"name": "A", "sealed": "not base64!"}]},
        {"on_output_limit": "ignore"},
        {"limits": {"memory_bytes": 0}},
        {"files": {"target": ""}},
        {"files": {"target": "/srv", "items": [{"path": "a"}]}},
    ],
)
def test_a_bad_part_of_an_order_refuses_the_whole(changes: dict[str, object]) -> None:
    offer = json.loads(encode(MESSAGES["offer"]))
    offer["order"].update(changes)

    with pytest.raises(ProtocolError):
        decode(json.dumps(offer))


def test_a_message_that_would_be_refused_is_not_sent() -> None:
    with pytest.raises(ProtocolError):
        encode(m.Claim("../x", 1))
    with pytest.raises(ProtocolError):
        encode(m.Started("t", 1, 1, "7", "now"))  # type: ignore[arg-type]


def test_nul_in_a_script_is_refused() -> None:
    order = replace(MESSAGES["offer"].order, script="echo \0")  # type: ignore[union-attr]

    with pytest.raises(ProtocolError):
        encode(m.Offer(order))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\x02{}",
        b"\xff\xff\xff\xff{}",
        encode_output(OUTPUT, b"hello\n")[:-1],
        encode_output(OUTPUT, b"hello\n") + b"x",
        b"\0\0\0\x10" + b'{"type":"claim"}',
    ],
)
def test_an_output_frame_that_does_not_fit_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_output(frame)


def test_output_of_another_length_than_stated_is_not_sent() -> None:
    with pytest.raises(ProtocolError):
        encode_output(OUTPUT, b"hello")
    with pytest.raises(ProtocolError):
        encode_output(replace(OUTPUT, length=70_000), b"x" * 70_000)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_else(frame: bytes) -> None:
    for read in (decode, decode_output):
        with pytest.raises(ProtocolError):
            read(frame)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_arbitrary_values_in_a_field_never_raise_anything_else(value: object) -> None:
    frame = {**json.loads(encode(MESSAGES["started"])), "epoch": value}

    with pytest.raises(ProtocolError):
        decode(json.dumps(frame))

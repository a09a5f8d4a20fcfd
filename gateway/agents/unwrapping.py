"""Signed orders for agents of versions that know no signatures: the plain message inside."""

import base64
from collections.abc import Sequence
from typing import Final

import msgspec

_MARK: Final = b'{"type":"signed"'
_KINDS: Final = {"task.run": "offer", "task.grant": "grant", "task.cancel": "cancel"}
_PLAIN: Final = {
    "grant": ("task_id", "attempt", "epoch", "boot_id"),
    "cancel": ("task_id", "attempt", "reason", "grace_seconds"),
}


class _Fields(msgspec.Struct):
    type: str = ""
    purpose: str = ""
    payload: str = ""


_fields = msgspec.json.Decoder(_Fields).decode


def unwrapped(frames: Sequence[bytes]) -> list[bytes]:
    """The same messages for an agent of a version that knows no signatures; others as they are."""
    return [_plain(frame) if frame.startswith(_MARK) else frame for frame in frames]


def _plain(frame: bytes) -> bytes:
    signed = _fields(frame)
    payload: dict[str, object] = msgspec.json.decode(base64.b64decode(signed.payload))
    kind = _KINDS[signed.purpose]
    if kind == "offer":
        return msgspec.json.encode({"type": kind, "order": payload["order"]})
    return msgspec.json.encode({"type": kind} | {name: payload[name] for name in _PLAIN[kind]})

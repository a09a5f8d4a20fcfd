"""What the platform signs: bytes with a prefix for one purpose, and what they say.

The signed bytes are `opsjob/<purpose>/v1`, a zero byte, the length of the payload (8 bytes, big
endian) and the payload itself: no signature for one purpose can serve for another. A payload is
parsed only after its signature was checked, and then strictly.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Annotated, Literal, Union

from libs.protocol.codec import decode_record
from libs.protocol.errors import ProtocolError
from libs.protocol.fields import AtMost, Attempt, Between, Count, Id, Moment, Signature, Text, Word
from libs.protocol.messages import Cancel, Grant, Offer, Order
from libs.protocol.signed import Base64, KeyId, Purpose

RUN, GRANT, CANCEL = "task.run", "task.grant", "task.cancel"
CONTROL, CONFIG = "control", "config"
CERTIFICATE, REVOCATION = "certificate", "revocation"
ORDER_PURPOSES = (RUN, GRANT, CANCEL)
"""What an agent carries out. Nothing is signed for `control` and `config` yet: the prefixes are
taken, so that nothing signed for one of these can ever be mistaken for the other."""
PURPOSES = (*ORDER_PURPOSES, CONTROL, CONFIG, CERTIFICATE, REVOCATION)
ROOT = "root"

_LENGTH = struct.Struct(">Q")
PublicKey = Annotated[str, Text(44, pattern=r"[A-Za-z0-9+/]{43}=")]


def statement(purpose: str, payload: bytes) -> bytes:
    """The bytes that are signed. Raises ProtocolError for a purpose that is not known."""
    if purpose not in PURPOSES:
        raise ProtocolError("bad_field", "purpose")
    return b"".join((f"opsjob/{purpose}/v1\0".encode(), _LENGTH.pack(len(payload)), payload))


def exact(text: str) -> bytes:
    """The bytes of standard base64; ProtocolError unless this text is the only one for them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProtocolError("bad_field", "base64") from None
    if base64.b64encode(raw).decode() != text:
        raise ProtocolError("bad_field", "base64 with spare bits")
    return raw


@dataclass(frozen=True)
class TaskRun:
    """May be claimed by this agent, from `not_before` to `expires`."""

    purpose: Literal["task.run"]
    agent_id: Id
    task_id: Id
    attempt: Attempt
    not_before: Moment
    expires: Moment
    order: Order

    def message(self) -> Offer:
        """What it means."""
        return Offer(self.order)


@dataclass(frozen=True)
class TaskGrant:
    """May start now, once, on this boot."""

    purpose: Literal["task.grant"]
    agent_id: Id
    task_id: Id
    attempt: Attempt
    not_before: Moment
    expires: Moment
    epoch: Count
    boot_id: Id

    def message(self) -> Grant:
        """What it means."""
        return Grant(self.task_id, self.attempt, self.epoch, self.boot_id)


@dataclass(frozen=True)
class TaskCancel:
    """Must end; `counter` rises with every control order for this agent."""

    purpose: Literal["task.cancel"]
    agent_id: Id
    task_id: Id
    attempt: Attempt
    not_before: Moment
    expires: Moment
    counter: Count
    reason: Word
    grace_seconds: Annotated[float, Between(0.0, 3_600.0)]

    def message(self) -> Cancel:
        """What it means."""
        return Cancel(self.task_id, self.attempt, self.reason, self.grace_seconds)


SignedOrder = Union[TaskRun, TaskGrant, TaskCancel]
_RECORDS: dict[str, type] = {RUN: TaskRun, GRANT: TaskGrant, CANCEL: TaskCancel}


def read_order(purpose: str, payload: bytes) -> SignedOrder:
    """The order in a payload whose signature was checked for this purpose.

    Raises ProtocolError for anything that is not exactly one, and for ids that differ between the
    envelope and the order in it.
    """
    record = _RECORDS.get(purpose)
    if record is None:
        raise ProtocolError("bad_field", "purpose")
    found: SignedOrder = decode_record(record, payload)
    if isinstance(found, TaskRun):
        order = found.order
        inside = (order.agent_id, order.task_id, order.attempt)
        if inside != (found.agent_id, found.task_id, found.attempt):
            raise ProtocolError("bad_field", "ids of the order")
    return found


# ---- trust -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vouched:
    """A payload signed by the root key, as a bundle holds it."""

    payload: Base64
    sig: Signature


@dataclass(frozen=True)
class Certificate:
    """The root vouches for a key, for these purposes, for this time."""

    purpose: Literal["certificate"]
    kid: KeyId
    public_key: PublicKey
    purposes: Annotated[tuple[Purpose, ...], AtMost(16)]
    not_before: Moment
    expires: Moment


@dataclass(frozen=True)
class Revocation:
    """Keys that count for nothing any more. A list with a lower number is older, never obeyed."""

    purpose: Literal["revocation"]
    number: Count
    kids: Annotated[tuple[KeyId, ...], AtMost(1_000)]
    issued_at: Moment


@dataclass(frozen=True)
class Bundle:
    """All that an agent needs to check orders; only the root key in it has to be believed."""

    v: Annotated[int, Between(1, 1)]
    root: PublicKey
    certificates: Annotated[tuple[Vouched, ...], AtMost(32)]
    revocation: Vouched


def read_bundle(text: str) -> Bundle:
    """The parts of a bundle, none of them checked."""
    return decode_record(Bundle, text)


def read_certificate(payload: bytes) -> Certificate:
    """A certificate; check the root's signature first."""
    return decode_record(Certificate, payload)


def read_revocation(payload: bytes) -> Revocation:
    """A list of revoked keys; check the root's signature first."""
    return decode_record(Revocation, payload)

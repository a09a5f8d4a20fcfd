"""What gets signed: the session challenge, an enrolment, and the payload of a result."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Annotated, Optional

from libs.protocol.codec import check_record, decode_record
from libs.protocol.fields import (
    AtMost,
    Attempt,
    Between,
    Count,
    Id,
    Moment,
    Sha256,
    Text,
    Word,
    sparse,
    to_json,
)
from libs.protocol.messages import Outcome
from libs.protocol.orders import VariableName

MAX_OUTPUTS = 256
MAX_OUTPUT_BYTES = 64 * 1024
"""The largest file of outputs that an agent reads."""
_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True)
class StreamTotal:
    """One stream of a finished task: number of chunks and gaps, bytes written, their SHA-256.

    `bytes` and `sha256` are about everything that the script wrote, also about bytes that a gap
    replaces in the log. `sha256` is None for a lost task, whose end nobody saw.
    """

    seq: Count
    bytes: Count
    sha256: Optional[Sha256]


@dataclass(frozen=True)
class StreamTotals:
    """Both streams."""

    stdout: StreamTotal
    stderr: StreamTotal


@dataclass(frozen=True)
class ProcessTotals:
    """Descendants left when the main process ended, how many got a signal, how many survived."""

    found: Count
    signalled: Count
    left: Count


@dataclass(frozen=True)
class Notice:
    """Something that did not change the end and that people should know; `name` says of what."""

    code: Word
    name: Annotated[str, Text(256)] = ""


@sparse("outputs", "warnings")
@dataclass(frozen=True)
class ResultPayload:
    """The signed part of a result.

    `exit_code` is set for a process that ended by itself, `signal` for one ended by a signal,
    neither for `lost` and `failed_to_start`. `reason` is a stable word, empty for a plain exit;
    an `exited` task with a reason has failed, whatever its code. `outputs` are the values that
    the script set for later steps.
    """

    task_id: Id
    attempt: Attempt
    epoch: Count
    agent_id: Id
    outcome: Outcome
    exit_code: Optional[Annotated[int, Between(0, 255)]]
    signal: Optional[Annotated[int, Between(1, 64)]]
    reason: Annotated[str, Text(256)]
    duration_ms: Count
    started_at: Optional[Moment]
    ended_at: Optional[Moment]
    streams: StreamTotals
    processes: ProcessTotals
    outputs: Annotated[
        dict[VariableName, Annotated[str, Text(MAX_OUTPUT_BYTES)]], AtMost(MAX_OUTPUTS)
    ] = field(default_factory=dict)
    warnings: Annotated[tuple[Notice, ...], AtMost(100)] = ()


def write_payload(payload: ResultPayload) -> str:
    """The exact text to sign and send; raises ProtocolError if a reader would refuse it."""
    raw = to_json(payload)
    check_record(ResultPayload, raw)
    return _write(raw)


def read_payload(text: str) -> ResultPayload:
    """The values of a payload; check the signature over the text first."""
    return decode_record(ResultPayload, text)


def session_statement(
    nonce: str, gateway_id: str, *, agent_id: str, identity_epoch: int, boot_id: str
) -> bytes:
    """The bytes that an agent signs to open a session."""
    fields = (nonce, gateway_id, agent_id, str(identity_epoch), boot_id)
    return b"opsjob/session/v1\0" + "\n".join(fields).encode()


def enrolment_statement(
    token: str, *, public_key: str, boot_id: str, machine_id: str, sealing_key: str = ""
) -> bytes:
    """The bytes that a new key signs to prove that it asks for the enrolment itself.

    Keys are the base64 texts of the raw keys; the token enters as the hex of its SHA-256. An
    agent without a sealing key signs the older statement, so that neither can stand for the other.
    """
    digest = hashlib.sha256(token.encode()).hexdigest()
    fields = [digest, public_key, boot_id, machine_id]
    if not sealing_key:
        return b"opsjob/enrol/v1\0" + "\n".join(fields).encode()
    return b"opsjob/enrol/v2\0" + "\n".join([*fields, sealing_key]).encode()


def result_statement(payload: str) -> bytes:
    """The bytes that an agent signs to vouch for a result; `payload` is the exact JSON text."""
    return b"opsjob/result/v1\0" + payload.encode()

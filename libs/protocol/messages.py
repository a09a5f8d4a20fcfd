"""The messages between agent gateway and agent.

The life of a session, over `GET /ws/agent/{agent_id}` with the subprotocol of `version`:

    gateway                                    agent
    challenge(nonce, gateway_id) ────────────► signs nonce, gateway, identity and boot
    checks key and epoch ◄──────────────────── hello(identity, inventory, journalled tasks)
    welcome(heartbeat, window) ──────────────► from here on, work:
    trust(bundle) ───────────────────────────► keys with which orders are checked (`envelope`)
    tempo(heartbeat) ────────────────────────► another pause than that of the welcome

    offer(order) ────────────────────────────► reject(reason), or
    compare-and-set ◄───────────────────────── claim(task, attempt)       repeated until answered
    grant(epoch, boot) or refuse ────────────► journal: GRANTED, STARTING; then the script starts
                     ◄──────────────────────── started(pid, epoch)
    ack(floor) / want(seq) ◄─────────────────► output(seq, offset) + bytes, gap(what is missing)
    cancel ──────────────────────────────────► ends the process tree
    result_ack ◄────────────────────────────── result(payload, signature) repeated until answered
                     ◄──────────────────────── heartbeat(load)
    bye ◄────────────────────────────────────► bye, then the socket closes

Offers, grants and cancels come inside of `signed`, with a signature that gateways cannot make.
Messages are JSON objects in text frames, `output` alone is a binary frame (see `codec`).
Rules that hold whatever happens: no start without a grant for this task, attempt, agent and
boot; a (task, attempt) in the agent's journal never starts again; bytes leave the agent's spool
only below an acknowledged floor; a result is repeated until it is acknowledged.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Optional, Union

from libs.protocol.fields import (
    MAX_INTEGER,
    AtMost,
    Attempt,
    Between,
    Count,
    Id,
    Length,
    Line,
    Moment,
    Percent,
    Sha256,
    Signature,
    StreamName,
    Text,
    Word,
    sparse,
)
from libs.protocol.orders import (
    Action,
    ExitCode,
    FileProgress,
    FileWork,
    Limits,
    OnOutputLimit,
    Secret,
)
from libs.protocol.signed import Security, Signed, Trust

Version = Annotated[int, Between(1, 65_535)]
Seconds = Annotated[float, Between(0.05, 31_622_400.0)]
ScriptType = Literal["shell", "python", "javascript", "perl", "powershell", "go"]
JournalState = Literal["granted", "starting", "running", "exited", "damaged"]
RejectReason = Literal[
    "interpreter_missing",
    "run_as_unknown",
    "run_as_denied",
    "cwd_missing",
    "order_invalid",
    "limits_exceeded",
    "damaged",
    "already_ran",
    "cancelled",
    "secret_unreadable",
    "action_unknown",
    "policy_account",
    "policy_run_time",
    "policy_script_type",
    "policy_files",
    "policy_signer",
    "policy_maintenance",
    "policy_unusable",
]
Outcome = Literal["exited", "timeout", "cancelled", "failed_to_start", "lost"]


@dataclass(frozen=True)
class Challenge:
    """Gateway: prove who you are; the first message of every session."""

    nonce: Annotated[str, Text(128, pattern=r"[A-Za-z0-9_-]{16,128}")]
    gateway_id: Id
    server_time: Moment
    type: Literal["challenge"] = "challenge"


@dataclass(frozen=True)
class JournalledTask:
    """A task whose result was not acknowledged yet, as the agent's journal knows it."""

    task_id: Id
    attempt: Attempt
    state: JournalState


@dataclass(frozen=True)
class Hello:
    """Agent: the answer to the challenge, an inventory, and all tasks still open here."""

    agent_id: Id
    identity_epoch: Count
    boot_id: Id
    protocol: Version
    agent_version: Annotated[str, Text(64)]
    signature: Signature
    hostname: Annotated[str, Text(255)]
    os_type: Annotated[str, Text(64)]
    os_version: Annotated[str, Text(128)]
    arch: Annotated[str, Text(64)]
    cpu_count: Annotated[int, Between(1, 65_536)]
    memory_bytes: Count
    interpreters: Annotated[tuple[ScriptType, ...], AtMost(32)]
    concurrency: Annotated[int, Between(1, 10_000)]
    tasks: Annotated[tuple[JournalledTask, ...], AtMost(10_000)]
    type: Literal["hello"] = "hello"


@dataclass(frozen=True)
class Welcome:
    """Gateway: the session is open; windows are bytes in flight per task."""

    heartbeat_seconds: Annotated[float, Between(0.05, 3_600.0)]
    server_time: Moment
    window_bytes: Annotated[int, Between(64 * 1024, 2**30)]
    session_id: Id
    type: Literal["welcome"] = "welcome"


@dataclass(frozen=True)
class Tempo:
    """Gateway: from now on heartbeats come at this pace; the next one not later than before."""

    heartbeat_seconds: Annotated[float, Between(0.05, 3_600.0)]
    type: Literal["tempo"] = "tempo"


@sparse(
    *("action", "success_codes", "outputs", "secrets", "on_output_limit", "limits", "files"),
)
@dataclass(frozen=True)
class Order:
    """What to run; `script` is kept byte for byte, hashed as UTF-8.

    With `outputs` the script may write `NAME=value` lines to the file named in its variable
    OPSJOB_OUTPUT. `success_codes` do not change what the agent reports as the end, they tell it
    whether an end by a limit needs a reason.
    """

    execution_id: Id
    task_id: Id
    attempt: Attempt
    agent_id: Id
    host_name: Annotated[str, Text(255)]
    script: Annotated[str, Text(1_000_000)]
    script_sha256: Sha256
    script_type: ScriptType
    args: Annotated[tuple[Annotated[str, Text(131_071)], ...], AtMost(1_000)]
    env: Annotated[
        dict[Annotated[str, Text(256, least=1)], Annotated[str, Text(131_071)]], AtMost(1_000)
    ]
    run_as: Optional[Annotated[str, Text(256, least=1)]]
    cwd: Optional[Annotated[str, Text(4_096, least=1)]]
    timeout_seconds: Seconds
    not_after: Moment
    max_output_bytes: Annotated[int, Between(0, MAX_INTEGER)]
    max_processes: Optional[Annotated[int, Between(1, 1_000_000)]] = None
    action: Action = "script"
    success_codes: Annotated[tuple[ExitCode, ...], AtMost(256)] = (0,)
    outputs: bool = False
    secrets: Annotated[tuple[Secret, ...], AtMost(100)] = ()
    on_output_limit: OnOutputLimit = "cut"
    limits: Optional[Limits] = None
    files: Optional[FileWork] = None


@dataclass(frozen=True)
class Offer:
    """Gateway: a task waits for this agent; nothing starts before the grant."""

    order: Order
    type: Literal["offer"] = "offer"


@dataclass(frozen=True)
class Claim:
    """Agent: a slot is free; may this attempt start here?"""

    task_id: Id
    attempt: Attempt
    type: Literal["claim"] = "claim"


@dataclass(frozen=True)
class Reject:
    """Agent: this order cannot run here; said instead of a claim."""

    task_id: Id
    attempt: Attempt
    reason: RejectReason
    detail: Line
    type: Literal["reject"] = "reject"


@dataclass(frozen=True)
class Grant:
    """Gateway: start, once, on this boot of this agent."""

    task_id: Id
    attempt: Attempt
    epoch: Count
    boot_id: Id
    type: Literal["grant"] = "grant"


@dataclass(frozen=True)
class Refuse:
    """Gateway: the claim came too late or was not for this agent; forget the offer."""

    task_id: Id
    attempt: Attempt
    reason: Word
    type: Literal["refuse"] = "refuse"


@dataclass(frozen=True)
class Started:
    """Agent: the script runs; `pid` is that of the script's first process."""

    task_id: Id
    attempt: Attempt
    epoch: Count
    pid: Annotated[int, Between(1, 2**31)]
    started_at: Moment
    type: Literal["started"] = "started"


@dataclass(frozen=True)
class Output:
    """Agent: `length` raw bytes of one stream follow; seq counts output and gaps from 0."""

    execution_id: Id
    task_id: Id
    attempt: Attempt
    stream: StreamName
    seq: Count
    offset: Count
    length: Length
    type: Literal["output"] = "output"


@dataclass(frozen=True)
class Gap:
    """Agent: these bytes were written by the script and are not kept; it takes a seq."""

    execution_id: Id
    task_id: Id
    attempt: Attempt
    stream: StreamName
    seq: Count
    offset: Count
    length: Annotated[int, Between(1, MAX_INTEGER)]
    reason: Word
    type: Literal["gap"] = "gap"


@dataclass(frozen=True)
class Ack:
    """Gateway: chunks below `seq`, bytes below `offset` are durable; the agent may free them."""

    task_id: Id
    attempt: Attempt
    stream: StreamName
    seq: Count
    offset: Count
    type: Literal["ack"] = "ack"


@dataclass(frozen=True)
class Want:
    """Gateway: something is missing; send again from here."""

    task_id: Id
    attempt: Attempt
    stream: StreamName
    seq: Count
    offset: Count
    type: Literal["want"] = "want"


@dataclass(frozen=True)
class Result:
    """Agent: how it ended; `payload` is the exact JSON text that was signed (see `payload`)."""

    execution_id: Id
    task_id: Id
    attempt: Attempt
    payload: Annotated[str, Text(262_144, least=2)]
    signature: Signature
    type: Literal["result"] = "result"


@dataclass(frozen=True)
class ResultAck:
    """Gateway: the result is stored; the agent may forget the task's details."""

    task_id: Id
    attempt: Attempt
    type: Literal["result_ack"] = "result_ack"


@dataclass(frozen=True)
class Cancel:
    """Gateway: end this task; TERM first, KILL after the grace."""

    task_id: Id
    attempt: Attempt
    reason: Word
    grace_seconds: Annotated[float, Between(0.0, 3_600.0)]
    type: Literal["cancel"] = "cancel"


@sparse("maintenance")
@dataclass(frozen=True)
class Heartbeat:
    """Agent: alive, and how busy the host is; rates are bytes since the host booted.

    During `maintenance` the host takes on nothing new.
    """

    at: Moment
    running: Annotated[int, Between(0, 1_000_000)]
    queued: Annotated[int, Between(0, 1_000_000)]
    cpu_percent: Percent
    memory_percent: Percent
    disk_percent: Percent
    disk_free_bytes: Count
    net_rx_bytes: Count
    net_tx_bytes: Count
    load1: Annotated[float, Between(0.0, 1_000_000.0)]
    maintenance: bool = False
    type: Literal["heartbeat"] = "heartbeat"


@dataclass(frozen=True)
class Progress:
    """Agent: how far the files of a task are; at most once a second, and nobody repeats it."""

    task_id: Id
    attempt: Attempt
    files: Annotated[tuple[FileProgress, ...], AtMost(100)]
    type: Literal["progress"] = "progress"


@dataclass(frozen=True)
class Bye:
    """Either side: the session ends now; `code` is the WebSocket close code that follows."""

    code: Annotated[int, Between(1_000, 4_999)]
    reason: Line
    type: Literal["bye"] = "bye"


FromAgent = Union[Hello, Claim, Reject, Started, Gap, Progress, Result, Heartbeat, Security, Bye]
"""Text frames of an agent; `Output` comes as a binary frame."""
FromGateway = Union[
    Challenge,
    Welcome,
    Tempo,
    Trust,
    Signed,
    Offer,
    Grant,
    Refuse,
    Ack,
    Want,
    ResultAck,
    Cancel,
    Bye,
]
"""Offer, Grant and Cancel come inside of Signed; by themselves only agents of before take them."""
Message = Union[FromAgent, FromGateway]

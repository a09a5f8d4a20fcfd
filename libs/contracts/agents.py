"""What the services and the agent gateways say to each other about agents.

Four Redis streams carry it. None is the only copy of anything: agents repeat what was not
acknowledged, and the services repeat what was not answered, so any of them may vanish.
An entry has three fields: `gateway`, the id of the gateway, `batch`, a msgpack list of maps, and
`mark`, which only holders of the installation's secret can make.
"""

from typing import Final, Literal, NotRequired, TypedDict

RESULTS: Final = "agent_results"
"""Claims, rejections, starts, progress and results; one group, `execution`."""

LOGS: Final = "agent_logs"
"""Output chunks and gaps; one group, `execution`."""

STATUS: Final = "agent_status"
"""Connections, disconnections and heartbeats; groups `hosts` and `execution`."""

FIELD_BATCH: Final = "batch"
FIELD_GATEWAY: Final = "gateway"
FIELD_MARK: Final = "mark"
"""By which readers tell entries of ours from those that somebody wrote into Redis."""

MISSED_HEARTBEATS: Final = 3
"""After so many an agent counts as gone. How often one beats stands in its signs of life."""

SESSION_SECONDS: Final = 45
"""How long `agent_session:{agent_id}` lives unless a heartbeat renews it; three heartbeats."""


def session_key(agent_id: str) -> str:
    """The Redis key that says which gateway holds an agent's connection."""
    return f"agent_session:{agent_id}"


def gateway_key(gateway_id: str) -> str:
    """The stream on which a gateway receives frames for its agents."""
    return f"gateway:{gateway_id}"


class JournalledTask(TypedDict):
    """A task in an agent's journal whose result was not acknowledged yet."""

    task_id: str
    attempt: int
    state: str
    """granted, starting, running, exited or damaged."""


class Connected(TypedDict):
    """An agent proved its key; its inventory and what its journal holds."""

    t: Literal["connected"]
    agent_id: str
    gateway_id: str
    session_id: str
    boot_id: str
    at: str
    hello: dict[str, object]
    tasks: list[JournalledTask]
    again: NotRequired[bool]
    """True when the gateway repeats itself because Redis was away: `tasks` is what hello said
    back then and proves nothing about tasks that came later."""
    heartbeat_seconds: NotRequired[float]
    """How often this session beats; after three that are missing it counts as gone."""


class Disconnected(TypedDict):
    """A connection ended; it says nothing about the tasks on the host."""

    t: Literal["disconnected"]
    agent_id: str
    gateway_id: str
    session_id: str
    at: str


class Heartbeat(TypedDict):
    """A sign of life with the host's load."""

    t: Literal["heartbeat"]
    agent_id: str
    gateway_id: str
    session_id: str
    boot_id: str
    at: str
    metrics: dict[str, object]
    heartbeat_seconds: NotRequired[float]


class Uplink(TypedDict):
    """A claim, rejection, start, progress or result; agent, boot and session are the gateway's
    own words. A progress may be missing; nobody repeats it."""

    t: Literal["claim", "reject", "started", "progress", "result"]
    agent_id: str
    boot_id: str
    session_id: str
    task_id: str
    attempt: int
    epoch: NotRequired[int]
    pid: NotRequired[int]
    started_at: NotRequired[str]
    reason: NotRequired[str]
    detail: NotRequired[str]
    execution_id: NotRequired[str]
    payload: NotRequired[str]
    signature: NotRequired[str]
    files: NotRequired[list[dict[str, object]]]
    """Of a progress: `path`, `state`, `done`, `size`, `bytes_per_second`, `seconds_left`."""


class Output(TypedDict):
    """A piece of a task's output, or of what is missing from it (`t` is gap, no data)."""

    t: Literal["output", "gap"]
    agent_id: str
    execution_id: str
    task_id: str
    attempt: int
    stream: Literal["stdout", "stderr"]
    seq: int
    offset: int
    length: int
    data: NotRequired[bytes]
    reason: NotRequired[str]


class Frame(TypedDict):
    """A protocol message, ready to be forwarded to one agent as it is."""

    to: str
    frame: bytes


class Close(TypedDict):
    """Ask the gateway to end one agent's session."""

    close: str
    code: int
    reason: str

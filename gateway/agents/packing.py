"""Protocol messages as the msgpack maps of the streams; ownership comes from the session."""

from typing import Final

import msgspec

from libs.contracts.agents import LOGS, RESULTS
from libs.protocol.messages import (
    Claim,
    Gap,
    Heartbeat,
    Hello,
    Message,
    Output,
    Progress,
    Reject,
    Started,
)
from libs.protocol.messages import Result as ResultMessage
from libs.protocol.signed import Security

STREAM_OF: Final[dict[type, str]] = {
    Claim: RESULTS,
    Reject: RESULTS,
    Started: RESULTS,
    Progress: RESULTS,
    ResultMessage: RESULTS,
    Security: RESULTS,
    Gap: LOGS,
}
"""Which text messages of an agent go on, and where to."""

_pack = msgspec.msgpack.Encoder().encode


def pack_entry(entry: dict[str, object]) -> bytes:
    """One map of a batch."""
    return _pack(entry)


def pack_message(message: Message, *, agent_id: str, boot_id: str, session_id: str) -> bytes:
    """A claim, start, result and so on; whose it is comes from the session alone."""
    entry = dict(vars(message))
    entry["t"] = entry.pop("type")
    entry["agent_id"] = agent_id
    if STREAM_OF[type(message)] is RESULTS:
        entry["boot_id"] = boot_id
        entry["session_id"] = session_id
    return _pack(entry)


def pack_output(header: Output, data: bytes, *, agent_id: str) -> bytes:
    """A piece of output with its bytes."""
    entry = dict(vars(header))
    entry["t"] = entry.pop("type")
    entry["agent_id"] = agent_id
    entry["data"] = data
    return _pack(entry)


def pack_hello(hello: Hello) -> bytes:
    """Inventory and journal as two members, kept per session to announce it again."""
    inventory = {k: v for k, v in vars(hello).items() if k not in _NOT_INVENTORY}
    tasks = [vars(task) for task in hello.tasks]
    return _pack([inventory, tasks])


def metrics_of(beat: Heartbeat) -> dict[str, object]:
    """The load of a host; `at` is what the host's own clock said."""
    return {k: v for k, v in vars(beat).items() if k != "type"}


_NOT_INVENTORY: Final = frozenset({"type", "signature", "tasks", "agent_id", "boot_id"})

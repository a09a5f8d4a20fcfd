"""What is inside of signed orders, for tests that play the agent."""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

_KINDS = {"task.run": "offer", "task.grant": "grant", "task.cancel": "cancel"}
_OUTER = frozenset({"purpose", "agent_id", "not_before", "expires", "counter"})


def opened(message: Mapping[str, Any]) -> dict[str, Any]:
    """The plain message in a signed one; any other message as it is."""
    if message.get("type") != "signed":
        return dict(message)
    payload = msgspec.json.decode(base64.b64decode(message["payload"]))
    kind = {"type": _KINDS[payload["purpose"]]}
    if kind["type"] == "offer":
        return kind | {"order": payload["order"]}
    return kind | {name: value for name, value in payload.items() if name not in _OUTER}

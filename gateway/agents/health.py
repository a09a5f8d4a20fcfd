"""Whether this gateway is alive and ready, and what it counted."""

import json
from collections.abc import Callable

from gateway.agents.web import WebAnswer, WebRequest
from libs.kit.errors import JSON_HEADERS, envelope
from libs.kit.metrics import exposition


class Health:
    """`status` says whether new agents can be served right now, and why not."""

    def __init__(self, status: Callable[[], tuple[bool, dict[str, object]]]) -> None:
        self._status = status

    async def live(self, request: WebRequest) -> WebAnswer:
        """The process answers."""
        return _answer(200, {"status": "alive"}, request)

    async def ready(self, request: WebRequest) -> WebAnswer:
        """200 while agents can connect and their messages reach Redis, else 503."""
        is_ready, details = self._status()
        content = {"status": "ready" if is_ready else "not_ready", **details}
        return _answer(200 if is_ready else 503, content, request)

    async def metrics(self, request: WebRequest) -> WebAnswer:
        """The Prometheus text format."""
        kind, body = exposition()
        return WebAnswer(200, [("content-type", kind)], body)


def _answer(status: int, content: dict[str, object], request: WebRequest) -> WebAnswer:
    headers = [*JSON_HEADERS, ("x-request-id", request.request_id)]
    if status == 503:
        headers.append(("retry-after", "2"))
    message = "OK" if status == 200 else "This gateway cannot serve agents right now."
    return WebAnswer(
        status, headers, json.dumps(envelope(content, status=status, message=message)).encode()
    )

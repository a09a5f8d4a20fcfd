"""The opening handshake: what an agent's HTTP request must look like, checked before anything."""

import re
from typing import Final

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from gateway.agents.web import WebAnswer, failure
from libs.kit.errors import AppError, Forbidden, Malformed, NotFound
from libs.protocol.version import SUBPROTOCOL

_PATH: Final = re.compile(r"/ws/agent/([A-Za-z0-9][A-Za-z0-9_-]{0,63})/?")
_PHRASES: Final = {403: "Forbidden", 404: "Not Found", 426: "Upgrade Required"}


class UpgradeRequired(AppError):
    """The address speaks WebSocket version 13 only."""

    status = 426
    code = "upgrade_required"
    message = "This address speaks WebSocket, version 13."
    message_zh = "该地址仅支持 WebSocket（版本 13）。"


class BrowserRefused(Forbidden):
    """Agents send neither Origin nor Cookie; whoever does is a browser, on somebody's behalf."""

    code = "browser_refused"
    message = "This address is for agents, not for browsers."
    message_zh = "该地址仅供 Agent 使用，不支持浏览器。"


class UnknownSubprotocol(Malformed):
    """Another protocol, or another version of it."""

    code = "unknown_subprotocol"
    message = f"This gateway speaks {SUBPROTOCOL}."
    message_zh = f"该网关仅支持 {SUBPROTOCOL}。"


def agent_of(request: Request) -> str:
    """The agent id in the path of a correct request; raises what is wrong with it."""
    headers = request.headers
    if request.protocol != "HTTP/1.1":
        raise Malformed("Agents connect with HTTP/1.1.")
    found = _PATH.fullmatch(request.path)
    if found is None:
        raise NotFound
    if "Origin" in headers or "Cookie" in headers:
        raise BrowserRefused
    if not _asks_for_websocket(headers):
        raise UpgradeRequired
    offered = [part.strip() for part in _one(headers, "Sec-WebSocket-Protocol").split(",")]
    if SUBPROTOCOL not in offered:
        raise UnknownSubprotocol
    return found[1]


def refusal(error: AppError) -> Response:
    """The error as the answer to an opening handshake."""
    answer: WebAnswer = failure(error)
    headers = Headers(answer.headers)
    headers["Content-Length"] = str(len(answer.body))
    headers["Connection"] = "close"
    if answer.status == 426:
        headers["Upgrade"] = "websocket"
        headers["Sec-WebSocket-Version"] = "13"
    return Response(answer.status, _PHRASES.get(answer.status, "Refused"), headers, answer.body)


def _asks_for_websocket(headers: Headers) -> bool:
    connection = {part.strip().lower() for part in _one(headers, "Connection").split(",")}
    return (
        "upgrade" in connection
        and _one(headers, "Upgrade").lower() == "websocket"
        and _one(headers, "Sec-WebSocket-Version") == "13"
    )


def _one(headers: Headers, name: str) -> str:
    return ", ".join(headers.get_all(name))

"""The API gateway and every service in one process: public over TCP, internal over a unix socket."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.app import create_gateway
from gateway.api.settings import GatewaySettings
from libs.contracts.auth import AuthClient
from libs.kit import logging
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.client import InProcess
from libs.kit.ids import new_id
from libs.kit.redis import connect
from libs.kit.service import Runtime
from libs.kit.settings import Settings
from services import registry
from services.embedded.serving import Server, serve_until_told

Body = Callable[[], int | None]
_CONSOLE = Path(__file__).parents[2] / "frontend" / "dist"


@dataclass(frozen=True)
class Plan:
    """What the control plane is given: settings and two sockets that listen already."""

    settings: Settings
    public: socket.socket
    control: socket.socket


class ByHostName:
    """Takes `http://hosts/…` on the control socket to the service called hosts."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = {name.encode("ascii"): app for name, app in apps.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        named = next((value for key, value in scope["headers"] if key == b"host"), b"")
        app = self._apps.get(named.partition(b":")[0])
        if app is None:
            await send({"type": "http.response.start", "status": 421, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

"""The addresses that the gateway answers itself: health, metrics, documentation."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import ASGIApp

from gateway.api.callers import Caller
from gateway.api.errors import MethodRefused, NoSuchAddress
from gateway.api.exchange import PAGE_POLICY, Exchange
from gateway.api.heads import Header, RequestHead
from gateway.api.health import HealthCheck
from gateway.api.metrics import GatewayMetrics
from gateway.api.openapi import Schema
from gateway.api.pages import DOCUMENTATION
from gateway.api.settings import GatewaySettings
from libs.kit.auth import InternalTokens
from libs.kit.errors import envelope
from libs.kit.metrics import exposition

_HTML: Final[Header] = (b"content-type", b"text/html; charset=utf-8")
_ASK_AGAIN: Final[Header] = (b"cache-control", b"no-cache")
_RETRY: Final[Header] = (b"retry-after", b"2")

Page = Callable[[RequestHead, Caller, Exchange], Awaitable[None]]


class LocalPages:
    """A closed list of paths; they need no credential and say nothing that needs one."""

    def __init__(
        self,
        settings: GatewaySettings,
        upstreams: Mapping[str, ASGIApp],
        tokens: InternalTokens,
        metrics: GatewayMetrics,
    ) -> None:
        self._metrics_token = settings.metrics_token
        self._health = HealthCheck(upstreams)
        self._schema = Schema(upstreams, tokens)
        self._registry = CollectorRegistry()
        self._registry.register(metrics)
        self._pages: dict[str, Page] = {
            "/health": self._summary,
            "/health/live": self._live,
            "/health/ready": self._ready,
            "/metrics": self._metrics,
        }
        if settings.docs:
            self._pages |= {"/api/docs": self._docs, "/api/schema": self._document}

    def page(self, path: str) -> Page | None:
        """What answers a canonical path, or None."""
        return self._pages.get(path)

    async def answer(
        self, page: Page, method: str, head: RequestHead, caller: Caller, exchange: Exchange
    ) -> None:
        """Reading is all that these addresses offer."""
        if method not in ("GET", "HEAD"):
            raise MethodRefused(method=method)
        await page(head, caller, exchange)

    async def _summary(self, _head: RequestHead, _caller: Caller, exchange: Exchange) -> None:
        health = await self._health.look()
        body = envelope(health.content(), status=200, message=health.status)
        await exchange.answer_json(200, msgspec.json.encode(body))

    async def _live(self, _head: RequestHead, _caller: Caller, exchange: Exchange) -> None:
        body = envelope({"status": "ok"})
        await exchange.answer_json(200, msgspec.json.encode(body))

    async def _ready(self, _head: RequestHead, _caller: Caller, exchange: Exchange) -> None:
        health = await self._health.look()
        status = 200 if health.ready else 503
        body = envelope(health.content(), status=status, message=health.status)
        extra = () if health.ready else (_RETRY,)
        await exchange.answer_json(status, msgspec.json.encode(body), *extra)

    async def _metrics(self, head: RequestHead, caller: Caller, exchange: Exchange) -> None:
        if not self._may_read_metrics(head, caller):
            raise NoSuchAddress()
        content_type, body = exposition()
        body += generate_latest(self._registry)
        kind = (b"content-type", content_type.encode("ascii"))
        await exchange.answer(200, body, (kind, *exchange.dressed))

    def _may_read_metrics(self, head: RequestHead, caller: Caller) -> bool:
        if self._metrics_token is None:
            return caller.is_this_machine
        wanted = b"Bearer " + self._metrics_token.get_secret_value().encode("utf-8")
        return hmac.compare_digest(head.authorization or b"", wanted)

    async def _docs(self, _head: RequestHead, _caller: Caller, exchange: Exchange) -> None:
        shared = [pair for pair in exchange.dressed if pair[0] != b"content-security-policy"]
        policy = (b"content-security-policy", PAGE_POLICY)
        await exchange.answer(200, DOCUMENTATION, (_HTML, policy, *shared))

    async def _document(self, head: RequestHead, _caller: Caller, exchange: Exchange) -> None:
        document = await self._schema.document()
        unstored = [pair for pair in exchange.dressed if pair[0] != b"cache-control"]
        headers = [*unstored, _ASK_AGAIN, (b"etag", document.etag)]
        if document.etag in (head.passed(b"if-none-match") or b""):
            await exchange.answer(304, b"", headers)
            return
        kind = (b"content-type", b"application/json")
        await exchange.answer(200, document.body, [kind, *headers])

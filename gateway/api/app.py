"""The gateway itself: takes a request apart, checks it, and hands it to the service it is for."""

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.admission import Admission
from gateway.api.bodies import CountedBody, check_body
from gateway.api.callers import Caller, Callers
from gateway.api.credentials import Credentials, Identity, login_cookie
from gateway.api.csrf import SAFE_METHODS
from gateway.api.errors import (
    AddressTooLong,
    BodyTooLarge,
    Broken,
    MethodRefused,
    NoSuchAddress,
    ServiceUnreachable,
    TokenInQuery,
)
from gateway.api.exchange import Dressing, Exchange, new_request_id
from gateway.api.heads import Header, Heads, RequestHead
from gateway.api.limits import Rates, StreamSlots
from gateway.api.local import LocalPages
from gateway.api.metrics import GatewayMetrics
from gateway.api.refusals import RefusedAtGate
from gateway.api.routing import (
    OpenDoor,
    Route,
    belongs_to_platform,
    carries_token,
    locate,
    open_door,
)
from gateway.api.settings import GatewaySettings
from gateway.api.spa import Console
from gateway.api.streams import SIGNED_OUT, Streams
from libs.contracts.audit import AuditClient
from libs.contracts.auth import AuthClient
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.errors import AppError

_log = logging.getLogger(__name__)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_ALLOW: Final[Header] = (b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE")
_GONE: Final = 499
"""Counted, never sent: the caller went away before an answer began."""


@dataclass(slots=True)
class Visit:
    """One request on its way to a service."""

    scope: Scope
    path: str
    route: Route
    head: RequestHead
    caller: Caller
    door: OpenDoor | None = None

    def as_seen_by_service(self, exchange: Exchange, identity: Identity | None) -> Scope:
        """The scope with the canonical path and with headers of which each is our word."""
        caller = self.caller
        raw_path: bytes = self.scope["raw_path"]
        headers = [
            *self.head.passed_on,
            *caller.headers,
            (b"x-request-id", exchange.request_id),
        ]
        if identity is not None:
            headers.append(identity.header_for(self.route.service))
        if self.door is not None and self.door.takes_login_cookie:
            cookie = login_cookie(self.head, scheme=caller.scheme)
            headers += [] if cookie is None else [cookie]
        return {
            **self.scope,
            "path": self.path,
            "raw_path": raw_path[:-1] if raw_path.endswith(b"/") else raw_path,
            "scheme": caller.scheme,
            "client": (caller.address, 0),
            "headers": headers,
        }


@runtime_checkable
class Closable(Protocol):
    """An upstream that holds connections."""

    async def aclose(self) -> None: ...


class Gateway:
    """An ASGI application; see `create_gateway`."""

    def __init__(
        self,
        settings: GatewaySettings,
        upstreams: Mapping[str, ASGIApp],
        credentials: Credentials,
        local: LocalPages,
        *,
        rates: Rates,
        slots: StreamSlots,
        metrics: GatewayMetrics,
        refusals: RefusedAtGate,
        lifespan: AbstractAsyncContextManager[object] | None,
    ) -> None:
        self._settings = settings
        self._upstreams = upstreams
        self._credentials = credentials
        self._local = local
        self._metrics = metrics
        self._refusals = refusals
        self._lifespan = lifespan
        self._admission = Admission(settings, credentials, rates)
        self._heads = Heads(max_headers=settings.max_headers, max_bytes=settings.max_head_bytes)
        self._callers = Callers(settings.trusted_proxies)
        self._console = Console(settings.static_dir)
        self._dressing = Dressing(hsts_seconds=settings.hsts_seconds)
        self._streams = Streams(
            credentials.resolve, slots=slots, check_seconds=settings.stream_check_seconds
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the life of the server; sockets other than HTTP are turned away."""
        if scope["type"] != "http":
            await self._live(scope, receive, send)
            return
        began = time.perf_counter()
        head_only = scope["method"] == "HEAD"
        exchange = Exchange(send, head_only=head_only, dressed=self._dressing.data)
        try:
            await self._serve(scope, receive, exchange)
        except AppError as error:
            await self._refuse(error, scope, exchange)
        except Exception:
            # The last resort: whatever went wrong, the caller gets an envelope and we get a trace.
            if not exchange.complete:
                _log.exception("A request broke.", extra={"route": exchange.route})
                await self._refuse(Broken(), scope, exchange)
        status = exchange.status or _GONE
        figures = self._metrics.route(exchange.route)
        if exchange.is_stream:
            figures.count_stream(status)
        else:
            figures.count(status, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        head = self._heads.read(scope["headers"])
        exchange.request_id = head.request_id or new_request_id()
        exchange.body_unread = head.announces_body
        caller = self._callers.identify(scope, head)
        exchange.address = caller.address
        if caller.scheme == "https":
            exchange.dressed = self._dressing.secure_data
        method = scope["method"]
        if method not in _METHODS:
            raise MethodRefused(method=method[:20])
        raw_path, query = scope["raw_path"], scope["query_string"]
        if len(raw_path) > self._settings.max_path_bytes:
            raise AddressTooLong(limit_bytes=self._settings.max_path_bytes)
        if query:
            self._check_query(query)
        path, route = locate(raw_path)
        if route is None:
            await self._answer_here(path, method, head, caller, exchange)
            return
        exchange.route = route.prefix
        door = open_door(method, path)
        await self._forward(Visit(scope, path, route, head, caller, door), receive, exchange)

    def _check_query(self, query: bytes) -> None:
        if len(query) > self._settings.max_query_bytes:
            raise AddressTooLong(limit_bytes=self._settings.max_query_bytes)
        if carries_token(query):
            raise TokenInQuery()

    async def _forward(self, visit: Visit, receive: Receive, exchange: Exchange) -> None:
        """Admits the caller and lets the service answer."""
        scope, head, route, door = visit.scope, visit.head, visit.route, visit.door
        method = scope["method"]
        limit = (door or route).max_body_bytes or self._settings.max_body_bytes
        counted: CountedBody | None = None
        if (head.announces_body or head.content_encoding) and check_body(head, limit):
            receive = counted = CountedBody(receive, limit, exchange.mute)
        identity: Identity | None = None
        if door:
            await self._admission.admit_anybody(head, visit.caller, door)
        else:
            identity = self._admission.recognise(
                head, visit.caller, method
            ) or await self._admission.admit(head, visit.caller, method)
        upstream = self._upstreams.get(route.service)
        if upstream is None:
            raise ServiceUnreachable(service=route.service)
        inner = visit.as_seen_by_service(exchange, identity)
        if route.streams and identity is not None:
            exchange.is_stream = True
            work = self._streams.run(identity, lambda: upstream(inner, receive, exchange.send))
            await exchange.finish(last_event=SIGNED_OUT if await work else b"")
        elif counted is None:
            await upstream(inner, receive, exchange.send)
        else:
            await self._send_counted(upstream, inner, counted, exchange)
        if route.service == "auth" and method not in SAFE_METHODS and door is None:
            self._credentials.forget()

    async def _send_counted(
        self, upstream: ASGIApp, scope: Scope, body: CountedBody, exchange: Exchange
    ) -> None:
        """Lets the service answer, unless the body turns out too large on its way there."""
        try:
            await upstream(scope, body, exchange.send)
        except Exception:
            if not body.exceeded:
                raise
        if body.exceeded and not exchange.started:
            raise BodyTooLarge(limit=body.limit)

    async def _answer_here(
        self, path: str, method: str, head: RequestHead, caller: Caller, exchange: Exchange
    ) -> None:
        """The gateway's own addresses, then the pages and files of the console."""
        page = self._local.page(path)
        if page is not None:
            exchange.route = path
            await self._local.answer(page, method, head, caller, exchange)
            return
        if belongs_to_platform(path):
            raise NoSuchAddress()
        exchange.route = "console"
        secure = caller.scheme == "https"
        exchange.dressed = self._dressing.secure_page if secure else self._dressing.page
        await self._console.answer(path, head, method, exchange)

    async def _refuse(self, error: AppError, scope: Scope, exchange: Exchange) -> None:
        if exchange.started:
            # Too late for an envelope: the answer stays incomplete and the server cuts it off.
            _log.warning("An answer broke off.", extra={"route": exchange.route})
            return
        if not exchange.request_id:
            exchange.request_id = new_request_id()
        self._refusals.note(error, scope, exchange)
        languages = [value for name, value in scope["headers"] if name == b"accept-language"]
        language = languages[0].decode("latin-1") if languages else None
        extra = (_ALLOW,) if error.status == 405 else ()
        await exchange.refuse(error, language, *extra)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start and stop with the server: the composition's own resources, then connections."""
        if scope["type"] != "lifespan":
            await send({"type": "websocket.close", "code": 1008})
            return
        await receive()
        started = False
        try:
            async with AsyncExitStack() as stack:
                if self._lifespan is not None:
                    await stack.enter_async_context(self._lifespan)
                for upstream in self._upstreams.values():
                    if isinstance(upstream, Closable):
                        stack.push_async_callback(upstream.aclose)
                await stack.enter_async_context(self._refusals.reported())
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except Exception:
            _log.exception("The gateway could not be started or stopped properly.")
            stage = "shutdown" if started else "startup"
            await send({"type": f"lifespan.{stage}.failed", "message": f"{stage} failed"})
            return
        await send({"type": "lifespan.shutdown.complete"})


def create_gateway(
    settings: GatewaySettings,
    upstreams: Mapping[str, ASGIApp],
    auth: AuthClient,
    *,
    internal_tokens: InternalTokens,
    access_tokens: AccessTokens,
    redis_url: str | None = None,
    audit: AuditClient | None = None,
    lifespan: AbstractAsyncContextManager[object] | None = None,
) -> Gateway:
    """The API gateway in front of `upstreams` (service name to ASGI app, mounted or remote).

    `lifespan` is entered when the server starts; apps that are mounted here are not started by
    anybody else. `redis_url` matters only if rates are counted in Redis. `audit` is told what the
    gateway refused.
    """
    credentials = Credentials(
        auth, internal_tokens, access_tokens, believed_seconds=settings.credential_seconds
    )
    slots = StreamSlots(settings.streams_per_user)
    metrics = GatewayMetrics(lambda: slots.total)
    return Gateway(
        settings,
        upstreams,
        credentials,
        LocalPages(settings, upstreams, internal_tokens, metrics),
        rates=Rates(settings, redis_url=redis_url),
        slots=slots,
        metrics=metrics,
        refusals=RefusedAtGate(audit),
        lifespan=lifespan,
    )

"""Calls between services: typed clients over HTTP, in one process or across the network."""

from collections.abc import Mapping
from typing import ClassVar, Final

import httpx
import msgspec

from libs.kit.acting import current_actor
from libs.kit.auth import INTERNAL, InternalTokens, Principal
from libs.kit.errors import Unavailable, revived
from libs.kit.ids import new_id
from libs.kit.logging import current_request_id, current_trace_id, language
from libs.kit.settings import Settings
from libs.kit.tls import TlsFiles

TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)

Params = Mapping[str, str | int | float | bool | None]


class _Failure(msgspec.Struct):
    error: str = "unavailable"
    details: dict[str, object] = {}


class _Answer(msgspec.Struct):
    message: str
    success: bool
    content: msgspec.Raw


class ServiceClient:
    """The base of a context's client; a subclass names the service and has a method per question.

    Errors come back as the family and code that the other side raised; no answer, or one that
    cannot be understood, is Unavailable.
    """

    service: ClassVar[str]

    def __init__(self, http: httpx.AsyncClient, tokens: InternalTokens, caller: str) -> None:
        self._http = http
        self._tokens = tokens
        self._caller = caller

    async def _call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Params | None = None,
        principal: Principal | None = None,
    ) -> object:
        """The ``content`` of the answer. Without a principal the service asks for itself."""
        audience = self.service + (INTERNAL if path.startswith("/internal/") else "")
        speaker = principal or Principal.of_service(self._caller)
        headers = {
            "authorization": "Bearer " + self._tokens.issue(audience, speaker, self._caller),
            "x-request-id": current_request_id() or new_id(),
            "x-trace-id": current_trace_id(),
            "accept-language": language.get() or "en",
            **_origin(),
        }
        body = None
        if json is not None:
            body = msgspec.json.encode(json, enc_hook=_plain)
            headers["content-type"] = "application/json"
        try:
            response = await self._http.request(
                method,
                f"http://{self.service}{path}",
                content=body,
                params=params,
                headers=headers,
                timeout=TIMEOUT,
            )
        except (TimeoutError, httpx.HTTPError, OSError) as error:
            raise Unavailable(service=self.service) from error
        return self._content(response)

    def _content(self, response: httpx.Response) -> object:
        try:
            answer = msgspec.json.decode(response.content, type=_Answer)
            if answer.success and response.is_success:
                return msgspec.json.decode(answer.content)
            failure = msgspec.json.decode(answer.content, type=_Failure)
        except msgspec.DecodeError as error:
            raise Unavailable(service=self.service) from error
        wait = response.headers.get("retry-after", "")
        raise revived(
            response.status_code,
            code=failure.error,
            message=answer.message,
            details=failure.details,
            retry_after=int(wait) if wait.isdecimal() else None,
        )


def _origin() -> dict[str, str]:
    """Where the request came from that makes us ask; for the records of the other side."""
    actor = current_actor()
    found = {"x-forwarded-for": actor.address, "user-agent": actor.user_agent}
    return {name: value.encode("ascii", "replace").decode() for name, value in found.items()}


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    raise NotImplementedError


class InProcess(httpx.AsyncBaseTransport):
    """Takes ``http://hosts/...`` to the app named hosts; for all services in one process."""

    def __init__(self) -> None:
        self.apps: dict[str, httpx._transports.asgi._ASGIApp] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        app = self.apps.get(request.url.host)
        if app is None:
            message = f"no service is called {request.url.host}"
            raise httpx.ConnectError(message, request=request)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return await transport.handle_async_request(request)


class _Remote(httpx.AsyncBaseTransport):
    """Takes ``http://hosts/...`` to where hosts listens; the Host header stays ``hosts``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        socket = settings.internal_socket
        self._over_socket = socket is not None
        tls = TlsFiles.of(settings)
        self._inner = httpx.AsyncHTTPTransport(
            verify=True if tls is None else tls.to_ask(),
            uds=None if socket is None else str(socket),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            retries=1,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._over_socket:
            target = httpx.URL(self._settings.service_url_of(request.url.host))
            request.url = request.url.copy_with(
                scheme=target.scheme, host=target.host, port=target.port
            )
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def remote_transport(settings: Settings) -> httpx.AsyncBaseTransport:
    """Services as processes of their own: by URL template, or behind one unix socket.

    Raises OSError for certificates that cannot be used.
    """
    return _Remote(settings)

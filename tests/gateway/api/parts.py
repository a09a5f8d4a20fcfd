"""What tests of the gateway are made of: an auth that answers from memory, an upstream that tells
what reached it, a server on a real port and a client that sends exact bytes."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.app import Gateway, create_gateway
from gateway.api.serving import server_options
from gateway.api.settings import GatewaySettings
from libs.contracts.auth import AuthClient, PrincipalInfo
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.client import InProcess
from libs.kit.errors import Unavailable

SECRET = SecretStr("a-secret-for-tests-with-40-different-characters-0123456789")
INTERNAL = InternalTokens(SECRET)
ACCESS = AccessTokens(SECRET)
ORIGIN = "http://console.test"
PROOF = {"x-requested-with": "opsjob", "origin": ORIGIN}


def somebody(
    user_id: int = 7, *, permissions: tuple[str, ...] = ("hosts:read",), session: str = "s-7"
) -> PrincipalInfo:
    """A user as auth would describe it."""
    return PrincipalInfo(
        user_id=user_id,
        username=f"user-{user_id}",
        roles=["viewer"],
        permissions=list(permissions),
        is_active=True,
        session_id=session,
    )


class AuthInMemory(AuthClient):
    """Answers like auth; `down` makes it unreachable, `asked` counts questions."""

    def __init__(self) -> None:
        super().__init__(httpx.AsyncClient(transport=InProcess()), INTERNAL, "gateway-api")
        self.sessions: dict[str, PrincipalInfo] = {}
        self.cookies: dict[str, PrincipalInfo] = {}
        self.tokens: dict[str, PrincipalInfo] = {}
        self.addresses: list[str] = []
        self.down = False
        self.asked = 0

    def log_in(self, info: PrincipalInfo, *, ttl: int = 900) -> str:
        """An access token of a session that is known from now on."""
        session_id = info.session_id or ""
        self.sessions[session_id] = info
        return ACCESS.issue(info.user_id, session_id, ttl)

    def log_in_browser(self, info: PrincipalInfo, value: str = "c" * 43) -> str:
        """The value of a session cookie that is known from now on."""
        self.cookies[hashlib.sha256(value.encode()).hexdigest()] = info
        return value

    async def resolve_session(self, token_hash: str) -> PrincipalInfo | None:
        self._ask()
        return self.cookies.get(token_hash)

    async def principal_of_session(self, session_id: str) -> PrincipalInfo | None:
        self._ask()
        return self.sessions.get(session_id)

    def make_token(self, info: PrincipalInfo, value: str = "opsjob_" + "t" * 43) -> str:
        """An API token that is known from now on."""
        self.tokens[hashlib.sha256(value.encode()).hexdigest()] = info
        return value

    async def resolve_token(self, token_hash: str, *, address: str = "") -> PrincipalInfo | None:
        self._ask()
        self.addresses.append(address)
        return self.tokens.get(token_hash)

    def _ask(self) -> None:
        self.asked += 1
        if self.down:
            raise Unavailable(service="auth")


@dataclass
class Visit:
    """One request as the service saw it."""

    method: str
    path: str
    raw_path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The only value of a header; two of them fail the test."""
        values = [value for found, value in self.headers if found == name]
        assert len(values) < 2, f"{name} arrived {len(values)} times"
        return values[0] if values else None


class Witness:
    """A service that answers 200 and remembers every visit."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.visits: list[Visit] = []
        self.answer_headers: list[tuple[bytes, bytes]] = []

    @property
    def last(self) -> Visit:
        """The latest visit."""
        return self.visits[-1]

    def principal(self) -> Principal:
        """Whom the latest visit's internal token speaks for."""
        authorization = self.last.header("authorization") or ""
        return INTERNAL.verify(authorization.removeprefix("Bearer "), self.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = Visit(
            method=scope["method"],
            path=scope["path"],
            raw_path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=[(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]],
        )
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            visit.body += message.get("body", b"")
            more = message.get("more_body", False)
        self.visits.append(visit)
        content = {"service": self.name, "path": visit.path, "bytes": len(visit.body)}
        body = json.dumps({"code": 200, "message": "OK", "success": True, "content": content})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *self.answer_headers,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


@dataclass
class House:
    """A gateway with three witnesses behind it and a client in front."""

    settings: GatewaySettings
    auth: AuthInMemory = field(default_factory=AuthInMemory)
    upstreams: dict[str, ASGIApp] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.witnesses = {name: Witness(name) for name in ("auth", "hosts", "execution")}
        self.upstreams = {**self.witnesses, **self.upstreams}
        self.gateway: Gateway = create_gateway(
            self.settings,
            self.upstreams,
            self.auth,
            internal_tokens=INTERNAL,
            access_tokens=ACCESS,
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.gateway), base_url=ORIGIN
        )

    @property
    def hosts(self) -> Witness:
        """The witness in the place of hosts."""
        return self.witnesses["hosts"]

    def bearer(self, info: PrincipalInfo | None = None) -> dict[str, str]:
        """Headers of a program that is logged in."""
        return {"authorization": f"Bearer {self.auth.log_in(info or somebody())}"}

    def cookie(self, info: PrincipalInfo | None = None) -> dict[str, str]:
        """Headers of a browser that is logged in."""
        return {"cookie": f"opsjob_session={self.auth.log_in_browser(info or somebody())}"}

    def visits(self) -> int:
        """How many requests reached any service."""
        return sum(len(witness.visits) for witness in self.witnesses.values())


@asynccontextmanager
async def served(app: ASGIApp, settings: GatewaySettings | None = None) -> AsyncIterator[int]:
    """A real server in this loop; gives its port."""
    options = server_options(settings or GatewaySettings())
    config = uvicorn.Config(app, log_level="critical", **options)
    if not isinstance(app, Gateway):
        config.lifespan = "off"
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listening])
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            server.force_exit = True
            await server.shutdown(sockets=[listening])


async def exchange_bytes(port: int, sent: bytes, *, seconds: float = 5.0) -> bytes:
    """Sends exact bytes and reads until the server closes; a connection kept open fails."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()


def error_of(response: httpx.Response) -> str:
    """The stable code of an error envelope, after checking that it is one."""
    document: Mapping[str, object] = response.json()
    assert set(document) == {"code", "message", "success", "content"}
    assert document["success"] is False
    assert document["code"] == response.status_code
    content = document["content"]
    assert isinstance(content, dict)
    assert content["request_id"] == response.headers["x-request-id"]
    return str(content["error"])

"""Who is asking: principals, signed tokens, and the policy that every route must state.

How tokens are signed is in `kit.tokens`; here is what they say.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, Literal, TypeVar

from fastapi import Depends, Request
from pydantic import SecretStr

from libs.kit import clock
from libs.kit.acting import recognised
from libs.kit.errors import Forbidden, Unauthenticated
from libs.kit.ids import new_id
from libs.kit.settings import Settings
from libs.kit.tokens import ISSUER, Claims, TokenSigner

INTERNAL_SECONDS: Final = 60
CACHE_SIZE: Final = 4096
EVERYTHING: Final = "*"
INTERNAL: Final = "/internal"
"""Added to the audience of a token with which one service asks another for somebody."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request is made for: a person, or a service acting on its own (id 0)."""

    id: int
    username: str
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    session_id: str | None = None
    kind: Literal["user", "service"] = "user"
    service: str | None = None

    def can(self, permission: str) -> bool:
        """Whether the permission is held; ``*`` holds all."""
        return permission in self.permissions or EVERYTHING in self.permissions

    @classmethod
    def of_service(cls, service: str) -> "Principal":
        """A service acting on its own behalf."""
        return cls(
            0, service, permissions=frozenset((EVERYTHING,)), kind="service", service=service
        )


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says; whether the session still lives is the auth service's word."""

    user_id: int
    session_id: str
    expires_at: datetime


class _Recent(Generic[T]):
    """The last few thousand answers, each until its time is over."""

    def __init__(self) -> None:
        self._entries: OrderedDict[object, tuple[float, T]] = OrderedDict()

    def get(self, key: object, at: float) -> T | None:
        entry = self._entries.get(key)
        if entry is None or entry[0] <= at:
            return None
        return entry[1]

    def put(self, key: object, until: float, value: T) -> None:
        self._entries[key] = (until, value)
        if len(self._entries) > CACHE_SIZE:
            self._entries.popitem(last=False)


class InternalTokens:
    """Tokens that the gateway and the services show to each other; they live for a minute."""

    def __init__(self, secret: SecretStr, *, accepted: Sequence[SecretStr] = ()) -> None:
        self._signer = TokenSigner((secret, *accepted), "internal")
        self._issued: _Recent[str] = _Recent()
        self._verified: _Recent[tuple[str, Principal]] = _Recent()

    @classmethod
    def of(cls, settings: Settings) -> "InternalTokens":
        """With the secret of an installation, and those that count while it changes."""
        return cls(settings.secret, accepted=settings.accepted_secrets)

    def issue(
        self, audience: str, principal: Principal, caller: str, ttl: int = INTERNAL_SECONDS
    ) -> str:
        """A token with which ``caller`` may ask ``audience`` on behalf of the principal.

        The same one is given again during the first half of its life of ``ttl`` seconds.
        """
        at = clock.now().timestamp()
        key = (audience, principal, caller, ttl)
        token = self._issued.get(key, at)
        if token is None:
            claims = Claims(
                iss=ISSUER,
                aud=audience,
                exp=int(at) + ttl,
                iat=int(at),
                jti=new_id(),
                sub=str(principal.id),
                sid=principal.session_id,
                name=principal.username,
                roles=principal.roles,
                perms=tuple(sorted(principal.permissions)),
                kind=principal.kind,
                svc=principal.service or caller,
            )
            token = self._signer.sign(claims, at)
            self._issued.put(key, at + ttl / 2, token)
        return token

    def verify(self, token: str, audience: str) -> Principal:
        """Who a token speaks for; raises Unauthenticated."""
        meant_for, principal = self._opened(token)
        if meant_for != audience:
            raise Unauthenticated
        return principal

    def verify_internal(self, token: str, audience: str) -> Principal:
        """Who asks through an ``/internal`` route: a service, for itself or for a person.

        The tokens that the gateway forwards for people are refused with Forbidden.
        """
        meant_for, principal = self._opened(token)
        if meant_for == audience + INTERNAL:
            return principal
        if meant_for != audience:
            raise Unauthenticated
        if principal.kind != "service":
            raise Forbidden
        return principal

    def _opened(self, token: str) -> tuple[str, Principal]:
        at = clock.now().timestamp()
        known = self._verified.get(token, at)
        if known is not None:
            return known
        claims = self._signer.verify(token, at)
        principal = Principal(
            id=int(claims.sub),
            username=claims.name,
            roles=claims.roles,
            permissions=frozenset(claims.perms),
            session_id=claims.sid,
            kind=claims.kind,
            service=claims.svc if claims.kind == "service" else None,
        )
        self._verified.put(token, claims.exp, (claims.aud, principal))
        return claims.aud, principal


class AccessTokens:
    """Tokens for API clients; short-lived, tied to a session that can be revoked."""

    AUDIENCE: Final = "opsjob-api"

    def __init__(self, secret: SecretStr, *, accepted: Sequence[SecretStr] = ()) -> None:
        self._signer = TokenSigner((secret, *accepted), "access")
        self._verified: _Recent[AccessClaims] = _Recent()

    @classmethod
    def of(cls, settings: Settings) -> "AccessTokens":
        """With the secret of an installation, and those that count while it changes."""
        return cls(settings.secret, accepted=settings.accepted_secrets)

    def issue(self, user_id: int, session_id: str, ttl: int) -> str:
        """An access token that is good for ``ttl`` seconds."""
        at = int(clock.now().timestamp())
        return self._signer.sign(
            Claims(
                iss=ISSUER,
                aud=self.AUDIENCE,
                exp=at + ttl,
                iat=at,
                jti=new_id(),
                sub=str(user_id),
                sid=session_id,
            ),
            at,
        )

    def verify(self, token: str) -> AccessClaims:
        """What a good token says; raises Unauthenticated."""
        at = clock.now().timestamp()
        known = self._verified.get(token, at)
        if known is not None:
            return known
        claims = self._signer.verify(token, at)
        if claims.aud != self.AUDIENCE or not claims.sid or not claims.sub.isdecimal():
            raise Unauthenticated
        answer = AccessClaims(
            int(claims.sub), claims.sid, datetime.fromtimestamp(claims.exp, tz=UTC)
        )
        self._verified.put(token, claims.exp, answer)
        return answer


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header; Unauthenticated when there is none."""
    if authorization is None or authorization[:7].lower() != "bearer ":
        raise Unauthenticated
    return authorization[7:]


def _token_of(request: Request) -> str:
    headers = request.headers.getlist("authorization")
    if len(headers) != 1:
        raise Unauthenticated
    return bearer(headers[0])


def _asking(request: Request) -> Principal:
    state = request.app.state
    tokens: InternalTokens = state.internal_tokens
    principal = tokens.verify(_token_of(request), state.service_name)
    recognised(principal.id, principal.username, principal.kind)
    return principal


Policy = Callable[[Request], Awaitable[Principal | None]]


def _policy(check: Policy, name: str) -> Any:
    check.__dict__["policy"] = name
    return Depends(check)


def require(permission: str) -> Any:
    """The route is for principals with this permission: ``Annotated[Principal, require("…")]``.

    401 without a good internal token, 403 without the permission.
    """

    async def check(request: Request) -> Principal:
        principal = _asking(request)
        if not principal.can(permission):
            raise Forbidden(permission=permission)
        return principal

    return _policy(check, permission)


def authenticated() -> Any:
    """The route is for every person or service that is logged in, about itself."""

    async def check(request: Request) -> Principal:
        return _asking(request)

    return _policy(check, "authenticated")


def judged(name: str, judge: Callable[[Request, Principal], Awaitable[None]]) -> Any:
    """The route is for those whom `judge` lets through, by what they may do with one object.

    It runs before the route and raises NotFound for what is hidden, Forbidden for what is not
    allowed; `name` tells the policy apart, such as `execution:view`.
    """

    async def check(request: Request) -> Principal:
        principal = _asking(request)
        await judge(request, principal)
        return principal

    return _policy(check, name)


def internal_only() -> Any:
    """The route is for services, which may ask on behalf of a person; the principal is theirs."""

    async def check(request: Request) -> Principal:
        state = request.app.state
        tokens: InternalTokens = state.internal_tokens
        principal = tokens.verify_internal(_token_of(request), state.service_name)
        recognised(principal.id, principal.username, principal.kind)
        return principal

    return _policy(check, "internal")


def public() -> Any:
    """The route is open to everybody, on purpose: ``dependencies=[public()]``."""

    async def check(request: Request) -> None:
        return None

    return _policy(check, "public")


def policy_of(dependency: object) -> str | None:
    """The policy that a dependency stands for, or None."""
    return getattr(dependency, "policy", None)

"""Who is asking: principals, signed tokens, and the policy that every route must state.

How tokens are signed is in `kit.tokens`; here is what they say.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, Literal, TypeVar

from fastapi import Depends, Request
from msgspec import UNSET
from pydantic import SecretStr

from libs.kit import clock
from libs.kit.acting import recognised
from libs.kit.errors import Forbidden, Refused, Unauthenticated
from libs.kit.ids import new_id
from libs.kit.settings import Settings
from libs.kit.tokens import ISSUER, Claims, TokenSigner

INTERNAL_SECONDS: Final = 60
CACHE_SIZE: Final = 4096
EVERYTHING: Final = "*"
INTERNAL: Final = "/internal"
"""Added to the audience of a token with which one service asks another for somebody."""

T = TypeVar("T")


class StepUpRequired(Forbidden):
    """Delicate things are for who proved a moment ago to be that person; see `must_be_proved`."""

    code = "step_up_required"
    message = (
        "Prove again that it is you, then repeat this. The console and opsjob ask for it; "
        "programs POST /api/auth/step_up/. An API token needs the scope step_up:waive."
    )
    message_zh = (
        "请先重新验证您的身份，然后重试。控制台和 opsjob 会提示验证；程序请调用 "
        "POST /api/auth/step_up/；API 令牌需要 step_up:waive 权限范围。"
    )
    refused = Refused("access.step_up")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request is made for: a person, or a service acting on its own (id 0).

    `proved_until` is the Unix time until which the person's last proof of being that person holds.
    """

    id: int
    username: str
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    session_id: str | None = None
    kind: Literal["user", "service"] = "user"
    service: str | None = None
    scopes: frozenset[str] | None = None
    """Of a credential that is narrower than its owner: what its owner's grants count for."""
    proved_until: int = 0

    @property
    def is_proved(self) -> bool:
        """Whether the proof still holds; services have none to give."""
        return self.kind == "service" or clock.now().timestamp() < self.proved_until

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
                prv=principal.proved_until or UNSET,
                scopes=UNSET if principal.scopes is None else tuple(sorted(principal.scopes)),
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
            proved_until=0 if claims.prv is UNSET else claims.prv,
            scopes=None if claims.scopes is UNSET else frozenset(claims.scopes),
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


ALWAYS: Final = "always"
"""Who calls the route proves again to be that person, whatever it is asked for."""


def _policy(check: Policy, name: str, *, asks_again: str = "") -> Any:
    check.__dict__["policy"] = name
    check.__dict__["asks_again"] = asks_again
    return Depends(check)


def must_be_proved(principal: Principal) -> None:
    """Raises StepUpRequired when the caller's last proof is too old, or there is none."""
    if not principal.is_proved:
        raise StepUpRequired


def require(permission: str, *, proved: bool = False) -> Any:
    """The route is for principals with this permission: ``Annotated[Principal, require("…")]``.

    401 without a good internal token, 403 without the permission. With `proved` it is delicate:
    403 `step_up_required` unless the caller has proved a moment ago to be that person.
    """

    async def check(request: Request) -> Principal:
        principal = _asking(request)
        if not principal.can(permission):
            raise Forbidden(permission=permission)
        if proved:
            must_be_proved(principal)
        return principal

    return _policy(check, permission, asks_again=ALWAYS if proved else "")


def authenticated(*, proved: bool = False, asks_again: str = "") -> Any:
    """The route is for every person or service that is logged in.

    `proved` as for `require`, `asks_again` as for `judged`.
    """

    async def check(request: Request) -> Principal:
        principal = _asking(request)
        if proved:
            must_be_proved(principal)
        return principal

    return _policy(check, "authenticated", asks_again=ALWAYS if proved else asks_again)


def judged(
    name: str, judge: Callable[[Request, Principal], Awaitable[None]], *, asks_again: str = ""
) -> Any:
    """The route is for those whom `judge` lets through, by what they may do with one object.

    It runs before the route and raises NotFound for what is hidden, Forbidden for what is not
    allowed; `name` tells the policy apart, such as `execution:view`. `asks_again` says in words
    when the use case calls `must_be_proved`, if it does.
    """

    async def check(request: Request) -> Principal:
        principal = _asking(request)
        await judge(request, principal)
        return principal

    return _policy(check, name, asks_again=asks_again)


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


def asks_again_of(dependency: object) -> str:
    """When who calls the route proves again to be that person: `ALWAYS`, words, or never ("")."""
    return str(getattr(dependency, "asks_again", ""))

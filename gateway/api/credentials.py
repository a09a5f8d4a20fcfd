"""Turns a bearer token or a session cookie into a person, and a person into internal tokens."""

import asyncio
import hashlib
import re
from typing import Final

from gateway.api.errors import CredentialRefused, CredentialsConflict
from gateway.api.heads import Header, RequestHead
from libs.contracts.auth import API_TOKEN_PREFIX, AuthClient, PrincipalInfo
from libs.kit import clock
from libs.kit.auth import AccessTokens, InternalTokens, Principal

CALLER: Final = "gateway-api"
SECURE_COOKIE: Final = b"__Host-opsjob"
PLAIN_COOKIE: Final = b"opsjob_session"
SECURE_LOGIN_COOKIE: Final = b"__Host-opsjob-login"
PLAIN_LOGIN_COOKIE: Final = b"opsjob_login"

_LONGEST_TOKEN: Final = 4096
_COOKIE_VALUE: Final = re.compile(rb"[A-Za-z0-9_-]{16,256}")
_API_TOKEN: Final = API_TOKEN_PREFIX.encode("ascii")
_MOST_REMEMBERED: Final = 20_000

CredentialKey = tuple[bytes | None, bytes | None]
"""A bearer token and a session cookie's value; at least one of them."""


class Identity:
    """Who a credential belongs to, believed until `fresh_until` on the monotonic clock."""

    __slots__ = ("_tokens", "fresh_until", "headers", "key", "principal", "rate_key")

    def __init__(
        self,
        key: CredentialKey,
        principal: Principal,
        tokens: InternalTokens,
        *,
        fresh_until: float,
    ) -> None:
        self.key = key
        self.principal = principal
        self.fresh_until = fresh_until
        self.rate_key = str(principal.id)
        self.headers: dict[str, Header] = {}
        self._tokens = tokens

    @property
    def by_cookie_alone(self) -> bool:
        """True if a browser attaches the credential by itself, so that changes need a proof."""
        return self.key[0] is None

    def header_for(self, service: str) -> Header:
        """The Authorization header with an internal token for one service."""
        header = self.headers.get(service)
        if header is None:
            token = self._tokens.issue(service, self.principal, CALLER)
            header = self.headers[service] = (b"authorization", b"Bearer " + token.encode("ascii"))
        return header

    def is_same_right(self, other: "Identity") -> bool:
        """Whether the other identity is the same person with the same rights."""
        mine, theirs = self.principal, other.principal
        return mine.id == theirs.id and mine.permissions == theirs.permissions


class Credentials:
    """Reads credentials, asks auth about each at most once in `believed_seconds`.

    When auth does not answer, its Unavailable error passes through: nobody gets in on old news.
    """

    def __init__(
        self,
        auth: AuthClient,
        internal_tokens: InternalTokens,
        access_tokens: AccessTokens,
        *,
        believed_seconds: float,
    ) -> None:
        self._auth = auth
        self._internal_tokens = internal_tokens
        self._access_tokens = access_tokens
        self._believed_seconds = believed_seconds
        self._known: dict[CredentialKey, Identity] = {}
        self._asking: dict[CredentialKey, asyncio.Task[Identity]] = {}

    def known(self, key: CredentialKey) -> Identity | None:
        """The identity if auth confirmed it a moment ago."""
        identity = self._known.get(key)
        if identity is not None and identity.fresh_until > clock.monotonic():
            return identity
        return None

    def was_known(self, key: CredentialKey) -> bool:
        """Whether auth confirmed it before, so that it is no guess."""
        return key in self._known

    async def resolve(self, key: CredentialKey, address: str = "") -> Identity:
        """The identity behind a credential; CredentialRefused if it is worth nothing.

        `address` is where it comes from, which is kept as the last use of an API token. Callers
        that ask for the same credential at once share one question.
        """
        identity = self.known(key)
        if identity is not None:
            return identity
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, address))
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Asks about everybody again; called after a change to users, roles or sessions."""
        for identity in self._known.values():
            identity.fresh_until = 0.0
        self._asking.clear()

    def _asked(self, key: CredentialKey, task: asyncio.Task[Identity]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if self._asking.get(key) is not task:
            return  # forgotten meanwhile: its waiters have the answer, nobody else gets it
        del self._asking[key]
        if failed:
            self._known.pop(key, None)
        else:
            self._remember(task.result())

    def _remember(self, identity: Identity) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            oldest = sorted(self._known.values(), key=lambda known: known.fresh_until)
            for known in oldest[: _MOST_REMEMBERED // 2]:
                del self._known[known.key]
        self._known[identity.key] = identity

    async def _ask(self, key: CredentialKey, address: str) -> Identity:
        bearer, cookie = key
        asked_at = clock.monotonic()
        fresh_until = asked_at + self._believed_seconds
        if bearer is None:
            info = await self._owner_of_cookie(cookie or b"")
            if info is None:
                raise CredentialRefused()
            return self._identity(key, info, fresh_until)
        info, expires_in = await self._owner_of_bearer(bearer, address)
        if cookie is not None:
            other = await self._owner_of_cookie(cookie)
            if other is not None and other.user_id != info.user_id:
                raise CredentialsConflict()
        return self._identity(key, info, min(fresh_until, asked_at + expires_in))

    async def _owner_of_cookie(self, cookie: bytes) -> PrincipalInfo | None:
        info = await self._auth.resolve_session(hashlib.sha256(cookie).hexdigest())
        return info if info is not None and info.is_active else None

    async def _owner_of_bearer(self, bearer: bytes, address: str) -> tuple[PrincipalInfo, float]:
        if bearer.startswith(_API_TOKEN):
            return await self._owner_of_api_token(bearer, address)
        claims = self._access_tokens.verify(bearer.decode("ascii"))
        info = await self._auth.principal_of_session(claims.session_id)
        if info is None or not info.is_active or info.user_id != claims.user_id:
            raise CredentialRefused()
        return info, (claims.expires_at - clock.now()).total_seconds()

    async def _owner_of_api_token(self, token: bytes, address: str) -> tuple[PrincipalInfo, float]:
        hashed = hashlib.sha256(token).hexdigest()
        info = await self._auth.resolve_token(hashed, address=address)
        if info is None or not info.is_active or info.expires_at is None:
            raise CredentialRefused()
        expires_in = (info.expires_at - clock.now()).total_seconds()
        if expires_in <= 0:
            raise CredentialRefused()
        return info, expires_in

    def _identity(self, key: CredentialKey, info: PrincipalInfo, fresh_until: float) -> Identity:
        principal = info.as_principal()
        return Identity(key, principal, self._internal_tokens, fresh_until=fresh_until)


def credential_of(head: RequestHead, *, scheme: str) -> CredentialKey | None:
    """The credential of a request, or None without any; CredentialRefused if it is unreadable."""
    if head.authorization is None and head.cookie is None:
        return None
    bearer = None if head.authorization is None else _bearer(head.authorization)
    cookie = None if head.cookie is None else _session_cookie(head.cookie, scheme)
    return None if bearer is None and cookie is None else (bearer, cookie)


def _bearer(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise CredentialRefused()
    if not token.isascii() or b"," in token or b" " in token:
        raise CredentialRefused()
    return token


def _session_cookie(cookies: bytes, scheme: str) -> bytes | None:
    """The one session cookie that counts for this scheme; two of them are refused."""
    return _one_cookie(cookies, SECURE_COOKIE if scheme == "https" else PLAIN_COOKIE)


def login_cookie(head: RequestHead, *, scheme: str) -> Header | None:
    """The cookie of a login by an identity provider, alone, for the service that set it."""
    name = SECURE_LOGIN_COOKIE if scheme == "https" else PLAIN_LOGIN_COOKIE
    value = None if head.cookie is None else _one_cookie(head.cookie, name)
    return None if value is None else (b"cookie", name + b"=" + value)


def _one_cookie(cookies: bytes, name: bytes) -> bytes | None:
    found: bytes | None = None
    for part in cookies.split(b";"):
        key, _, value = part.partition(b"=")
        if key.strip() != name:
            continue
        if found is not None:
            raise CredentialRefused()
        found = value.strip()
    if found is not None and not _COOKIE_VALUE.fullmatch(found):
        raise CredentialRefused()
    return found

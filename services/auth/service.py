"""Logging in, staying in and getting out; the only place that makes tokens."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.audit import audit
from libs.contracts.auth import PrincipalInfo, SessionRevoked
from libs.kit.acting import Actor
from libs.kit.auth import AccessTokens
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_id, new_secret
from services.auth.domain import (
    DelayKeys,
    SessionKind,
    hash_password,
    password_matches,
    token_hash,
)
from services.auth.errors import (
    InvalidCredentials,
    RefreshRefused,
    SessionEnded,
    TooManyFailures,
)
from services.auth.models import Session, User
from services.auth.repository import DelayRepository, SessionRepository, UserRepository
from services.auth.roles.repository import held
from services.auth.settings import AuthSettings

TOUCH_AFTER = timedelta(seconds=60)
"""A session in steady use is written this often, not with every request."""

MAX_LOGINS = 200
"""Live logins of one user; the oldest end when there are more."""

MAX_USER_AGENT = 256

PURGE_ON_LOGIN = 50
PURGE_AT_ONCE = 1000


@dataclass(frozen=True)
class Tokens:
    """What a login gives: the cookie's value, a token pair, and whose they are."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: PrincipalInfo
    cookie: str | None = None
    cookie_seconds: int | None = None
    """None for a cookie that goes with the browser."""


@dataclass(frozen=True)
class Proven:
    """A user who is believed, and the stored password that was current when that was decided."""

    user_id: int
    password_hash: str


@dataclass(frozen=True)
class Visit:
    """Where a login comes from, with what program, and whether it is to last."""

    address: str
    user_agent: str = ""
    remembered: bool = False


@dataclass(frozen=True)
class _Login:
    """What all credentials of one login have in common."""

    family_id: str
    user: User
    started_at: datetime
    visit: Visit
    proved_at: datetime | None


class Passwords:
    """Hashes in threads of their own, few at once, so that logins cannot starve everything else."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="password")
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """The stored form of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, hash_password, password)

    async def match(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; takes the same time when there is nothing to fit (None)."""
        if self._decoy is None:
            self._decoy = await self.hash(new_secret())
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, password_matches, stored or self._decoy, password
        )


class Sessions:
    """Use cases around logins. One login has one id, carried by its cookie and all its tokens."""

    def __init__(self, db: Database, *, access: AccessTokens, settings: AuthSettings) -> None:
        self._db = db
        self._access = access
        self._settings = settings

    # ---- in --------------------------------------------------------------------------------

    @writes
    def open(self, tx: Transaction, proven: Proven, *, delays: DelayKeys, visit: Visit) -> Tokens:
        """Opens a login for a user who proved everything that was asked; see `signin`.

        Forgets the failures of the account. Raises TooManyFailures or
        InvalidCredentials for what changed since the proof.
        """
        # Guesses sent at the same moment all passed the first look; here the delay catches them.
        refuse_while_delayed(tx, delays)
        user = UserRepository(tx).by_id(proven.user_id)
        if user is None or not user.is_active or user.password_hash != proven.password_hash:
            raise InvalidCredentials
        DelayRepository(tx).clear(delays.account_here, delays.account)
        sessions = SessionRepository(tx)
        sessions.delete_expired(PURGE_ON_LOGIN)
        for family_id in sessions.families_of(user.id)[MAX_LOGINS - 1 :]:
            end_login(tx, family_id)
        user.last_login_at = tx.now
        login = _Login(new_id(), user, tx.now, visit, proved_at=tx.now)
        cookie = new_secret()
        sessions.add(self._credential(tx, login, SessionKind.BROWSER, cookie))
        audit(
            tx,
            "login.succeeded",
            kind="user",
            id=user.id,
            name=user.username,
            by=Actor(user.id, user.username, "user", visit.address, visit.user_agent, "auth"),
        )
        return self._tokens(tx, login, cookie=cookie)

    def _credential(
        self, tx: Transaction, login: "_Login", kind: SessionKind, token: str
    ) -> Session:
        idle, absolute = self._settings.lifetimes(kind, remembered=login.visit.remembered)
        end = login.started_at + timedelta(seconds=absolute)
        return Session(
            id=new_id(),
            family_id=login.family_id,
            kind=kind,
            user_id=login.user.id,
            token_hash=token_hash(token),
            created_at=login.started_at,
            used_at=tx.now,
            idle_at=min(end, tx.now + timedelta(seconds=idle)),
            expires_at=end,
            rotated_at=None,
            address=login.visit.address,
            user_agent=login.visit.user_agent[:MAX_USER_AGENT],
            remembered=login.visit.remembered,
            proved_at=login.proved_at,
        )

    def _tokens(self, tx: Transaction, login: "_Login", *, cookie: str | None = None) -> Tokens:
        refresh = new_secret()
        SessionRepository(tx).add(self._credential(tx, login, SessionKind.REFRESH, refresh))
        lifetime = self._settings.access_token_seconds
        remembered = login.visit.remembered
        return Tokens(
            access_token=self._access.issue(login.user.id, login.family_id, lifetime),
            refresh_token=refresh,
            expires_in=lifetime,
            user=self._info(login.user, login.family_id, login.proved_at),
            cookie=cookie,
            cookie_seconds=self._settings.remember_absolute_seconds if remembered else None,
        )

    # ---- on --------------------------------------------------------------------------------

    async def refresh(self, refresh_token: str) -> Tokens:
        """Exchanges the newest refresh token of a login for a new pair.

        A token that was exchanged before ends the whole login: one of its two users stole it.
        """
        rotated = await self._rotate(token_hash(refresh_token))
        if rotated is None:
            raise RefreshRefused
        return rotated

    @writes
    def _rotate(self, tx: Transaction, hashed: str) -> Tokens | None:
        sessions = SessionRepository(tx)
        session = sessions.by_token(hashed, SessionKind.REFRESH)
        if session is None or session.idle_at <= tx.now:
            return None
        idle, _ = self._settings.lifetimes(session.kind, remembered=session.remembered)
        keep_until = min(session.expires_at, tx.now + timedelta(seconds=idle))
        if session.rotated_at is not None or not sessions.rotate(session, keep_until):
            # Returned, not raised: the end of the login has to be committed.
            end_login(tx, session.family_id)
            audit(
                tx,
                "session.reuse_detected",
                kind="session",
                id=session.family_id,
                outcome="denied",
                detail=f"A refresh token of user {session.user_id} came twice; the login ended.",
            )
            return None
        user = UserRepository(tx).by_id(session.user_id)
        if user is None or not user.is_active:
            return None
        visit = Visit(session.address, session.user_agent, session.remembered)
        login = _Login(session.family_id, user, session.created_at, visit, session.proved_at)
        return self._tokens(tx, login)

    async def resolve(self, hashed: str) -> PrincipalInfo | None:
        """Who owns the live browser session with this token hash; counts as use of it."""
        found = await self._live_browser(hashed)
        if found is None:
            return None
        info, stale_session = found
        if stale_session is not None:
            await self._touch(stale_session)
        return info

    @reads
    def _live_browser(
        self, tx: Transaction, hashed: str
    ) -> tuple[PrincipalInfo, str | None] | None:
        found = SessionRepository(tx).live_browser(hashed)
        if found is None:
            return None
        session, user = found
        stale = session.used_at <= tx.now - TOUCH_AFTER
        info = self._info(user, session.family_id, session.proved_at)
        return info, session.token_hash if stale else None

    def _info(self, user: User, family_id: str, proved_at: datetime | None) -> PrincipalInfo:
        until = self._settings.proved_until(proved_at)
        return principal_info(user, family_id).model_copy(update={"proved_until": until})

    @writes
    def _touch(self, tx: Transaction, hashed: str) -> None:
        sessions = SessionRepository(tx)
        session = sessions.by_token(hashed, SessionKind.BROWSER)
        if session is not None:
            idle, _ = self._settings.lifetimes(session.kind, remembered=session.remembered)
            until = tx.now + timedelta(seconds=idle)
            sessions.touch(session.id, min(until, session.expires_at))

    @reads
    def principal_of(self, tx: Transaction, session_id: str) -> PrincipalInfo | None:
        """Who owns this login, while any of its credentials is live and the user is active."""
        found = SessionRepository(tx).live_family(session_id)
        return None if found is None else self._info(found[1], session_id, found[0].proved_at)

    @writes
    def prove(self, tx: Transaction, session_id: str, user_id: int) -> None:
        """An identity provider vouches anew for the user of a login; raises SessionEnded."""
        note_proof(tx, session_id, user_id)

    # ---- out -------------------------------------------------------------------------------

    @writes
    def logout(self, tx: Transaction, session_id: str) -> None:
        """Ends a login; one that has ended already is fine."""
        if end_login(tx, session_id):
            audit(tx, "logout", kind="session", id=session_id)

    async def purge(self) -> int:
        """Deletes what has expired, in short transactions; says how many sessions went."""
        total = 0
        while deleted := await self._purge_some():
            total += deleted
        return total

    @writes
    def _purge_some(self, tx: Transaction) -> int:
        DelayRepository(tx).delete_forgotten(PURGE_AT_ONCE)
        return SessionRepository(tx).delete_expired(PURGE_AT_ONCE)


def principal_info(user: User, session_id: str | None = None) -> PrincipalInfo:
    """A user in the form that other contexts see, with the roles of its groups.

    Who has to set a new password first may do nothing else. The transaction that loaded the user
    must still run.
    """
    rights = held(user)
    # The first administrator gets along with the first password, so that a fresh platform works.
    waits = user.must_change_password and not user.is_first_admin
    return PrincipalInfo(
        user_id=user.id,
        username=user.username,
        roles=list(rights.roles),
        permissions=[] if waits else sorted(rights.permissions),
        is_active=user.is_active,
        session_id=session_id,
        must_change_password=user.must_change_password,
    )


def note_proof(tx: Transaction, session_id: str, user_id: int) -> None:
    """The user of a login has just proved to be that user; raises SessionEnded."""
    sessions = SessionRepository(tx)
    found = sessions.live_family(session_id)
    if found is None or found[1].id != user_id:
        raise SessionEnded
    sessions.prove(session_id, tx.now)
    audit(tx, "session.prove", kind="session", id=session_id, name=found[1].username)


def end_logins(tx: Transaction, user_id: int, *, but: str | None = None) -> int:
    """Ends every login of a user, except one, and says how many."""
    others = [one for one in SessionRepository(tx).families_of(user_id) if one != but]
    for family_id in others:
        end_login(tx, family_id)
    return len(others)


def end_login(tx: Transaction, family_id: str) -> bool:
    """Ends a login with its cookie and tokens; False when it has ended already."""
    ended = SessionRepository(tx).end_family(family_id)
    if ended:
        tx.emit(SessionRevoked(session_id=family_id))
    return ended


def count_failure(tx: Transaction, key: str, delay: Callable[[int], timedelta]) -> None:
    """Counts a failed attempt and makes the next one wait as long as the rule says."""
    delays = DelayRepository(tx)
    wait = delay(delays.count_failure(key))
    if wait:
        delays.block(key, tx.now + wait)


def refuse_while_delayed(tx: Transaction, delays: Sequence[str]) -> None:
    """Raises TooManyFailures, with the seconds that are left, while any of these keys waits."""
    until = DelayRepository(tx).blocked_until(delays)
    if until is not None:
        wait = max(1, int((until - tx.now).total_seconds() + 0.999))
        raise TooManyFailures(retry_after=wait, retry_after_seconds=wait)

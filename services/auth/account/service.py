"""What people see and change about themselves: profile and password."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from libs.contracts.audit import audit
from libs.contracts.auth import (
    FirstAdminPasswordChanged,
    PrincipalInfo,
    UserRolesChanged,
    is_by_api_token,
)
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from services.auth.domain import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    account_delay,
    refuse_api_token,
    token_hash,
    username_key,
)
from services.auth.errors import (
    CurrentPasswordWrong,
    PasswordElsewhere,
    PasswordRefused,
    SessionEnded,
)
from services.auth.models import User
from services.auth.repository import DelayRepository, SessionRepository, UserRepository
from services.auth.schemas import Profile, ProfilePatch
from services.auth.service import (
    Passwords,
    count_failure,
    end_logins,
    principal_info,
    refuse_while_delayed,
)

FIRST_ADMIN_FILE = "first-admin.json"


@dataclass(frozen=True)
class Person:
    """The caller: rights, and what else is known."""

    info: PrincipalInfo
    user: User


@dataclass(frozen=True)
class _Known:
    username: str
    password_hash: str


class OwnAccount:
    """What people do about themselves."""

    def __init__(self, db: Database, *, passwords: Passwords, data_dir: Path) -> None:
        self._db = db
        self._passwords = passwords
        self._data_dir = data_dir

    @reads
    def me(self, tx: Transaction, by: Principal) -> Person:
        """The caller as the database knows it now; raises SessionEnded when it is gone."""
        return _person(tx, by)

    @writes
    def change_profile(self, tx: Transaction, by: Principal, patch: ProfilePatch) -> Person:
        """Sets what is known about the caller; raises NotByApiToken or SessionEnded."""
        refuse_api_token(by)
        user = _caller(tx, by)
        before = profile_of(user)
        for name, value in patch.profile.items():
            setattr(user, name, value)
        after = profile_of(user)
        if after != before:
            user.updated_at = tx.now
            tx.flush()
            audit(
                tx,
                "user.update",
                kind="user",
                id=user.id,
                name=user.username,
                before=before,
                after=after,
            )
        return _person(tx, by)

    async def change_password(self, by: Principal, *, current: str, new: str) -> None:
        """Sets the caller's own password and ends all other logins of the caller.

        Raises CurrentPasswordWrong or PasswordRefused, and TooManyFailures for somebody who
        guesses the current password with a session found open. NotByApiToken for programs,
        PasswordElsewhere for people of a directory or an identity provider.
        """
        refuse_api_token(by)
        known = await self._known(by)
        matched = await self._passwords.match(known.password_hash, current[:MAX_PASSWORD])
        if not matched or len(current) > MAX_PASSWORD:
            await self._note_failure(by)
            raise CurrentPasswordWrong
        judge_password(new, username=known.username)
        if current == new:
            raise PasswordRefused(field="new_password")
        after = await self._passwords.hash(new)
        if await self._set_password(by, before=known.password_hash, after=after):
            await asyncio.to_thread(self._forget_first_admin)

    @reads
    def _known(self, tx: Transaction, by: Principal) -> _Known:
        refuse_while_delayed(tx, [_guess_key(by)])
        user = _caller(tx, by)
        if user.origin != "local":
            raise PasswordElsewhere(origin=user.origin)
        return _Known(user.username, user.password_hash)

    @writes
    def _note_failure(self, tx: Transaction, by: Principal) -> None:
        count_failure(tx, _guess_key(by), account_delay)

    @writes
    def _set_password(self, tx: Transaction, by: Principal, *, before: str, after: str) -> bool:
        """True when it was the one-time password of the first administrator."""
        refuse_while_delayed(tx, [_guess_key(by)])
        user = _caller(tx, by)
        if user.password_hash != before:
            raise CurrentPasswordWrong
        was_first = user.is_first_admin and user.must_change_password
        user.password_hash = after
        user.must_change_password = False
        user.password_expires_at = None
        user.password_changed_at = user.updated_at = tx.now
        end_logins(tx, user.id, but=by.session_id)
        # What was proved with the old password is over, also for the login that stays.
        SessionRepository(tx).prove(by.session_id or "", None)
        DelayRepository(tx).clear(_guess_key(by))
        tx.emit(UserRolesChanged(user_id=user.id))
        audit(tx, "user.change_password", kind="user", id=user.id, name=user.username)
        if was_first:
            tx.emit(FirstAdminPasswordChanged(user_id=user.id))
        return was_first

    def _forget_first_admin(self) -> None:
        # After the commit: should this process die in between, the file holds a worthless password.
        (self._data_dir / FIRST_ADMIN_FILE).unlink(missing_ok=True)


def judge_password(password: str, *, username: str) -> None:
    """Raises PasswordRefused for a password that is too short, too long or the user's name."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise PasswordRefused(field="password")
    if username_key(password) == username_key(username):
        raise PasswordRefused(field="password")


def profile_of(user: User) -> dict[str, object]:
    """The fields of a user's profile."""
    return {name: getattr(user, name) for name in Profile.model_fields}


def _caller(tx: Transaction, by: Principal) -> User:
    user = UserRepository(tx).by_id(by.id)
    if user is None or not user.is_active:
        raise SessionEnded
    return user


def _person(tx: Transaction, by: Principal) -> Person:
    user = UserRepository(tx).whole(by.id)
    if user is None or not user.is_active:
        raise SessionEnded
    until = datetime.fromtimestamp(by.proved_until, tz=UTC) if by.proved_until else None
    info = principal_info(user, by.session_id).model_copy(update={"proved_until": until})
    if is_by_api_token(by):
        info = info.model_copy(update={"permissions": sorted(by.permissions)})
    return Person(info, user)


def _guess_key(by: Principal) -> str:
    return token_hash(f"password of\n{by.id}")

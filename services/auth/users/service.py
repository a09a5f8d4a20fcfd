"""Users: who exists, what they may do, and what they change about themselves."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from libs.contracts.auth import (
    FirstAdmin,
    FirstAdminPasswordChanged,
    PrincipalInfo,
    UserDisabled,
    UserRolesChanged,
)
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_secret
from services.auth.domain import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    Role,
    account_delay,
    token_hash,
    username_key,
)
from services.auth.errors import (
    CurrentPasswordWrong,
    LastAdmin,
    PasswordRefused,
    SessionEnded,
    UsernameTaken,
    UserNotFound,
    UsersExist,
)
from services.auth.models import User, UserRole
from services.auth.repository import DelayRepository, UserRepository
from services.auth.service import (
    Passwords,
    count_failure,
    end_logins,
    principal_info,
    refuse_while_delayed,
)
from services.auth.users.repository import UserDirectory, UserPage
from services.auth.users.schemas import UserCreate, UserPatch, UserQuery

FIRST_ADMIN_FILE = "first-admin.json"


@dataclass(frozen=True)
class _Known:
    username: str
    password_hash: str


class Users:
    """Use cases around users. At least one active administrator always remains."""

    def __init__(self, db: Database, *, passwords: Passwords) -> None:
        self._db = db
        self._passwords = passwords

    # ---- questions -------------------------------------------------------------------------

    @reads
    def page(self, tx: Transaction, query: UserQuery) -> UserPage:
        """One page of users."""
        return UserDirectory(tx).page_for(query)

    @reads
    def one(self, tx: Transaction, user_id: int) -> User:
        """A user; raises UserNotFound."""
        return _required(tx, user_id)

    @reads
    def active(self, tx: Transaction, user_ids: Sequence[int]) -> list[PrincipalInfo]:
        """Those of these users that are active, with what they may do now."""
        return [principal_info(user) for user in UserDirectory(tx).active_among(user_ids)]

    # ---- changes ---------------------------------------------------------------------------

    async def create(self, spec: UserCreate) -> User:
        """A new user; raises UsernameTaken or PasswordRefused."""
        judge_password(spec.password, username=spec.username)
        return await self._create(spec, await self._passwords.hash(spec.password))

    @writes
    def _create(self, tx: Transaction, spec: UserCreate, password_hash: str) -> User:
        if UserRepository(tx).by_key(username_key(spec.username)) is not None:
            raise UsernameTaken(username=spec.username)
        user = _new_user(tx, spec.username, password_hash)
        user.must_change_password = spec.must_change_password
        user.roles = _roles(spec.roles)
        return UserDirectory(tx).add(user)

    async def create_first_admin(self, username: str) -> FirstAdmin:
        """The one administrator that exists before anybody can log in, with a random password.

        Raises UsersExist as soon as there is any user; the password is told here and never again.
        """
        await self._refuse_if_users_exist()
        password = new_secret(18)
        await self._create_first_admin(username, await self._passwords.hash(password))
        return FirstAdmin(username=username, password=password)

    @reads
    def _refuse_if_users_exist(self, tx: Transaction) -> None:
        if UserDirectory(tx).any_exist():
            raise UsersExist

    @writes
    def _create_first_admin(self, tx: Transaction, username: str, password_hash: str) -> None:
        users = UserDirectory(tx)
        if users.any_exist():
            raise UsersExist
        user = _new_user(tx, username, password_hash)
        user.is_first_admin = True
        user.must_change_password = True
        user.roles = _roles([Role.ADMIN])
        users.add(user)

    @writes
    def change(self, tx: Transaction, user_id: int, patch: UserPatch) -> User:
        """Changes roles and whether the user may log in; the last active administrator stays.

        Disabling ends every session in the same commit.
        """
        admins = UserDirectory(tx).lock_active_admins()
        user = _required(tx, user_id)
        was_active, held = user.is_active, {role.role for role in user.roles}
        active = was_active if patch.is_active is None else patch.is_active
        wanted = held if patch.roles is None else {str(role) for role in patch.roles}
        if admins == {user.id} and not (active and Role.ADMIN in wanted):
            raise LastAdmin
        if wanted != held:
            _replace_roles(user, wanted)
            tx.emit(UserRolesChanged(user_id=user.id))
        if active != was_active:
            user.is_active = active
            self._after_activation_changed(tx, user)
        user.updated_at = tx.now
        tx.flush()
        return user

    def _after_activation_changed(self, tx: Transaction, user: User) -> None:
        if user.is_active:
            tx.emit(UserRolesChanged(user_id=user.id))
            return
        end_logins(tx, user.id)
        tx.emit(UserDisabled(user_id=user.id))


class OwnAccount:
    """What people do about themselves."""

    def __init__(self, db: Database, *, passwords: Passwords, data_dir: Path) -> None:
        self._db = db
        self._passwords = passwords
        self._data_dir = data_dir

    @reads
    def me(self, tx: Transaction, by: Principal) -> PrincipalInfo:
        """The caller as the database knows it now; raises SessionEnded when it is gone."""
        return principal_info(_caller(tx, by), by.session_id)

    async def change_password(self, by: Principal, *, current: str, new: str) -> None:
        """Sets the caller's own password and ends all other logins of the caller.

        Raises CurrentPasswordWrong or PasswordRefused, and TooManyFailures for somebody who
        guesses the current password with a session found open.
        """
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
        user.password_changed_at = user.updated_at = tx.now
        end_logins(tx, user.id, but=by.session_id)
        DelayRepository(tx).clear(_guess_key(by))
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


def _caller(tx: Transaction, by: Principal) -> User:
    user = UserRepository(tx).by_id(by.id)
    if user is None or not user.is_active:
        raise SessionEnded
    return user


def _required(tx: Transaction, user_id: int) -> User:
    user = UserRepository(tx).by_id(user_id)
    if user is None:
        raise UserNotFound(user_id=user_id)
    return user


def _new_user(tx: Transaction, username: str, password_hash: str) -> User:
    return User(
        username=username,
        username_key=username_key(username),
        password_hash=password_hash,
        is_active=True,
        is_first_admin=False,
        must_change_password=False,
        created_at=tx.now,
        updated_at=tx.now,
        password_changed_at=tx.now,
        last_login_at=None,
    )


def _roles(names: Iterable[str]) -> list[UserRole]:
    return [UserRole(role=name) for name in sorted({str(name) for name in names})]


def _replace_roles(user: User, wanted: set[str]) -> None:
    """Keeps the rows of roles that stay; SQLAlchemy inserts before it deletes."""
    kept = [held for held in user.roles if held.role in wanted]
    new = wanted - {held.role for held in kept}
    user.roles = sorted([*kept, *_roles(new)], key=lambda held: held.role)


def _guess_key(by: Principal) -> str:
    return token_hash(f"password of\n{by.id}")

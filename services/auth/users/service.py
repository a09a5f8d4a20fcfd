"""Users: who exists, what they may do, and what they change about themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.audit import audit
from libs.contracts.auth import (
    FirstAdmin,
    PrincipalInfo,
    UserDisabled,
    UserRolesChanged,
)
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_secret
from services.auth.account.service import judge_password, profile_of
from services.auth.domain import Role, username_key
from services.auth.errors import PasswordElsewhere, UsernameTaken, UserNotFound, UsersExist
from services.auth.grants.domain import Subject
from services.auth.grants.service import end_grants_of, end_what_leavers_gave
from services.auth.models import User, UserRole
from services.auth.repository import AdminRepository, UserRepository
from services.auth.roles.repository import RoleRepository
from services.auth.roles.service import may_give, must_hold
from services.auth.schemas import Profile
from services.auth.service import Passwords, end_logins, principal_info
from services.auth.users.repository import UserDirectory, UserPage
from services.auth.users.schemas import UserCreate, UserPatch, UserQuery

PLATFORM = Principal.of_service("auth")
"""Nobody's wish: the platform itself, as at its first start."""

ONE_TIME = timedelta(minutes=30)

LOCAL = "local"
"""The origin of users whose password is known here."""

NO_HASH = "!"
"""In the place of a password's hash: no password fits."""


@dataclass(frozen=True)
class Made:
    """A new user, and the password for the first login."""

    user: User
    one_time_password: str


@dataclass(frozen=True)
class Reset:
    """A password for one login of a user, and when it ends."""

    user_id: int
    one_time_password: str
    expires_at: datetime


class Users:
    """Use cases around users. At least one active administrator always remains."""

    def __init__(
        self, db: Database, *, passwords: Passwords, one_time: timedelta = ONE_TIME
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._one_time = one_time

    # ---- questions -------------------------------------------------------------------------

    @reads
    def page(self, tx: Transaction, query: UserQuery) -> UserPage:
        """One page of users."""
        return UserDirectory(tx).page_for(query)

    @reads
    def one(self, tx: Transaction, user_id: int) -> User:
        """A user, deleted or not; raises UserNotFound."""
        return _whole(tx, user_id)

    @reads
    def active(self, tx: Transaction, user_ids: Sequence[int]) -> list[PrincipalInfo]:
        """Those of these users that are active, with what they may do now."""
        return [principal_info(user) for user in UserDirectory(tx).active_among(user_ids)]

    # ---- changes ---------------------------------------------------------------------------

    async def create(self, spec: UserCreate, by: Principal = PLATFORM) -> User:
        """A new user with the password of the spec.

        Raises UsernameTaken, PasswordRefused, UnknownRole, and ExceedsOwnRights for roles that
        allow more than the caller holds.
        """
        password = spec.password or ""
        judge_password(password, username=spec.username)
        return await self._create(spec, await self._passwords.hash(password), by)

    async def invite(self, spec: UserCreate, by: Principal = PLATFORM) -> Made:
        """A new user with a password for one login, told here and never again; see `create`."""
        password = new_secret(18)
        user = await self._create(spec, await self._passwords.hash(password), by)
        return Made(user, password)

    @writes
    def _create(self, tx: Transaction, spec: UserCreate, password_hash: str, by: Principal) -> User:
        if UserRepository(tx).by_key(username_key(spec.username)) is not None:
            raise UsernameTaken(username=spec.username)
        may_give(tx, spec.roles, by)
        user = _new_user(tx, spec.username, password_hash)
        user.must_change_password = spec.must_change_password
        if spec.one_time_password:
            self._make_one_time(tx, user)
        for name in Profile.model_fields:
            setattr(user, name, getattr(spec, name))
        user.roles = _roles(spec.roles)
        users = UserDirectory(tx)
        users.add(user)
        made = _whole(tx, user.id)
        audit(tx, "user.create", kind="user", id=user.id, name=user.username, after=_state(made))
        return made

    def _make_one_time(self, tx: Transaction, user: User) -> None:
        user.must_change_password = True
        user.password_expires_at = tx.now + self._one_time

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
        audit(tx, "user.create_first_admin", kind="user", id=user.id, name=user.username)

    @writes
    def change(
        self, tx: Transaction, user_id: int, patch: UserPatch, by: Principal = PLATFORM
    ) -> User:
        """Changes profile, roles and whether the user may log in; the last administrator stays.

        Disabling ends every session in the same commit. Raises LastAdmin, UnknownRole, and
        ExceedsOwnRights for users and roles that may do more than the caller.
        """
        admins = AdminRepository(tx).hold_still()
        user = _alive(tx, user_id)
        before = _state(user)
        _judge_target(tx, user, by)
        held = {role.role for role in user.roles}
        wanted = held if patch.roles is None else set(patch.roles)
        may_give(tx, wanted - held, by)
        if wanted != held:
            _replace_roles(user, wanted)
            tx.emit(UserRolesChanged(user_id=user.id))
        for name, value in patch.profile.items():
            setattr(user, name, value)
        if patch.is_active is not None and patch.is_active != user.is_active:
            user.is_active = patch.is_active
            self._after_activation_changed(tx, user)
        AdminRepository(tx).refuse_to_lose(admins)
        if _state(user) != before:
            user.updated_at = tx.now
            tx.flush()
            _tell(tx, user, before)
        return user

    def _after_activation_changed(self, tx: Transaction, user: User) -> None:
        if user.is_active:
            tx.emit(UserRolesChanged(user_id=user.id))
            return
        end_logins(tx, user.id)
        tx.emit(UserDisabled(user_id=user.id))

    @writes
    def delete(self, tx: Transaction, user_id: int, by: Principal = PLATFORM) -> None:
        """Takes a user away for good, with roles, groups, tokens and grants; the name stays taken.

        Raises LastAdmin, and ExceedsOwnRights for users who may do more than the caller.
        """
        admins = AdminRepository(tx).hold_still()
        user = _alive(tx, user_id)
        _judge_target(tx, user, by)
        before = _state(user)
        users = UserDirectory(tx)
        end_grants_of(tx, Subject.USER, user.id)
        end_what_leavers_gave(tx, users.groups_of(user.id), [user.id])
        user.is_active = False
        user.deleted_at = user.updated_at = tx.now
        user.password_hash = NO_HASH
        user.roles = []
        users.leave_groups(user.id)
        users.delete_tokens(user.id)
        self._after_activation_changed(tx, user)
        AdminRepository(tx).refuse_to_lose(admins)
        audit(tx, "user.delete", kind="user", id=user.id, name=user.username, before=before)

    async def reset_password(self, user_id: int, by: Principal = PLATFORM) -> Reset:
        """A new password that is good for one login and for setting another; all sessions end.

        Raises PasswordElsewhere, and ExceedsOwnRights for users who may do more than the caller.
        """
        password = new_secret(18)
        expires_at = await self._reset(user_id, await self._passwords.hash(password), by)
        return Reset(user_id, password, expires_at)

    async def recover(self, username: str, *, make_admin: bool) -> Reset:
        """The emergency door of whoever owns the database: as `reset_password`, by name.

        With `make_admin` the user is enabled and has the role of an administrator afterwards.
        Raises UserNotFound or PasswordElsewhere.
        """
        password = new_secret(18)
        password_hash = await self._passwords.hash(password)
        user_id, expires_at = await self._recover(username, password_hash, make_admin=make_admin)
        return Reset(user_id, password, expires_at)

    @writes
    def _recover(
        self, tx: Transaction, username: str, password_hash: str, *, make_admin: bool
    ) -> tuple[int, datetime]:
        found = UserRepository(tx).by_key(username_key(username))
        if found is None:
            raise UserNotFound(username=username[:64])
        user = _alive(tx, found.id)
        before = _state(user)
        if make_admin:
            _replace_roles(user, {Role.ADMIN, *(held.role for held in user.roles)})
            user.is_active = True
            tx.emit(UserRolesChanged(user_id=user.id))
        expires_at = self._set_one_time(tx, user, password_hash)
        audit(
            tx,
            "user.recover",
            kind="user",
            id=user.id,
            name=user.username,
            before=before,
            after=_state(user),
            detail="Past the API, on the machine of the platform.",
        )
        return user.id, expires_at

    @writes
    def _reset(self, tx: Transaction, user_id: int, password_hash: str, by: Principal) -> datetime:
        user = _alive(tx, user_id)
        _judge_target(tx, user, by)
        expires_at = self._set_one_time(tx, user, password_hash)
        audit(tx, "user.reset_password", kind="user", id=user.id, name=user.username)
        return expires_at

    def _set_one_time(self, tx: Transaction, user: User, password_hash: str) -> datetime:
        if user.origin != LOCAL:
            raise PasswordElsewhere(origin=user.origin)
        user.password_hash = password_hash
        user.password_changed_at = user.updated_at = tx.now
        self._make_one_time(tx, user)
        end_logins(tx, user.id)
        return tx.now + self._one_time


def _whole(tx: Transaction, user_id: int) -> User:
    user = UserRepository(tx).whole(user_id)
    if user is None:
        raise UserNotFound(user_id=user_id)
    return user


def _alive(tx: Transaction, user_id: int) -> User:
    user = _whole(tx, user_id)
    if user.deleted_at is not None:
        raise UserNotFound(user_id=user_id)
    return user


def _judge_target(tx: Transaction, user: User, by: Principal) -> None:
    """Nobody has power over people who may do more, for that would be a way to become them."""
    must_hold(by, RoleRepository(tx).held_by(user.id).permissions)


def _state(user: User) -> dict[str, object]:
    """What the audit log keeps of a user."""
    roles = sorted(held.role for held in user.roles)
    return {**profile_of(user), "roles": roles, "is_active": user.is_active}


def _tell(tx: Transaction, user: User, before: dict[str, object]) -> None:
    after = _state(user)
    action = "user.update"
    if before["is_active"] != after["is_active"]:
        action = "user.enable" if user.is_active else "user.disable"
    audit(tx, action, kind="user", id=user.id, name=user.username, before=before, after=after)


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

"""The list of users and its administration."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.auth.models import User
from services.auth.users.schemas import (
    GroupName,
    PasswordReset,
    UserCreate,
    UserCreated,
    UserOut,
    UserPatch,
    UserQuery,
)
from services.auth.users.service import Users

router = APIRouter(prefix="/api/auth/users", tags=["users"])

UsersUseCases = Annotated[Users, provided(Users)]
Reader = Annotated[Principal, require("users:read")]
Writer = Annotated[Principal, require("users:write", proved=True)]


@router.get("")
async def list_users(
    query: Annotated[UserQuery, Query()], users: UsersUseCases, by: Reader
) -> Page[UserOut]:
    """Users, page by page."""
    page = await users.page(query)
    return Page.of([_out(user) for user in page.users], total=page.total, params=query.paging)


@router.post("", status_code=201)
async def create_user(spec: UserCreate, users: UsersUseCases, by: Writer) -> UserCreated:
    """Makes a user, with a password or with one for the first login, told in this answer.

    409 `username_taken`, 422 `password_refused`, 403 `exceeds_own_rights` for roles that allow
    more than the caller holds.
    """
    if spec.one_time_password:
        made = await users.invite(spec, by)
        return UserCreated(**_out(made.user).model_dump(), one_time_password=made.one_time_password)
    return UserCreated(**_out(await users.create(spec, by)).model_dump())


@router.get("/{user_id}")
async def show_user(user_id: Id, users: UsersUseCases, by: Reader) -> UserOut:
    """One user."""
    return _out(await users.one(user_id))


@router.patch("/{user_id}")
async def change_user(user_id: Id, patch: UserPatch, users: UsersUseCases, by: Writer) -> UserOut:
    """Changes profile or roles, enables or disables; 409 `last_admin`, 403 `exceeds_own_rights`."""
    return _out(await users.change(user_id, patch, by))


@router.delete("/{user_id}")
async def delete_user(user_id: Id, users: UsersUseCases, by: Writer) -> None:
    """Takes a user away for good; the name stays taken. 409 `last_admin`."""
    await users.delete(user_id, by)


@router.post("/{user_id}/disable")
async def disable_user(user_id: Id, users: UsersUseCases, by: Writer) -> UserOut:
    """Locks a user out everywhere, within seconds; 409 `last_admin`."""
    return _out(await users.change(user_id, UserPatch(is_active=False), by))


@router.post("/{user_id}/enable")
async def enable_user(user_id: Id, users: UsersUseCases, by: Writer) -> UserOut:
    """Lets a disabled user in again; what was running for the user has ended meanwhile."""
    return _out(await users.change(user_id, UserPatch(is_active=True), by))


@router.post("/{user_id}/reset_password")
async def reset_password(user_id: Id, users: UsersUseCases, by: Writer) -> PasswordReset:
    """A password for one login, which has to be followed by a new one; every session ends."""
    reset = await users.reset_password(user_id, by)
    return PasswordReset(one_time_password=reset.one_time_password, expires_at=reset.expires_at)


def _out(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        phone=user.phone,
        department=user.department,
        position=user.position,
        roles=[held.role for held in user.roles],
        groups=[GroupName(id=group.id, name=group.name) for group in user.groups],
        origin=user.origin,
        is_active=user.is_active,
        must_change_password=user.must_change_password,
        created_at=user.created_at,
        updated_at=user.updated_at,
        last_login_at=user.last_login_at,
        deleted_at=user.deleted_at,
    )

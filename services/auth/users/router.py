"""The list of users and its administration."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.auth.models import User
from services.auth.users.schemas import UserCreate, UserOut, UserPatch, UserQuery
from services.auth.users.service import Users

router = APIRouter(prefix="/api/auth/users", tags=["users"])

UsersUseCases = Annotated[Users, provided(Users)]
Reader = Annotated[Principal, require("users:read")]
Writer = Annotated[Principal, require("users:write")]


@router.get("")
async def list_users(
    query: Annotated[UserQuery, Query()], users: UsersUseCases, by: Reader
) -> Page[UserOut]:
    """Users, page by page."""
    page = await users.page(query)
    return Page.of([_out(user) for user in page.users], total=page.total, params=query.paging)


@router.post("", status_code=201)
async def create_user(spec: UserCreate, users: UsersUseCases, by: Writer) -> UserOut:
    """Makes a user; 409 `username_taken`, 422 `password_refused`."""
    return _out(await users.create(spec))


@router.get("/{user_id}")
async def show_user(user_id: Id, users: UsersUseCases, by: Reader) -> UserOut:
    """One user."""
    return _out(await users.one(user_id))


@router.patch("/{user_id}")
async def change_user(user_id: Id, patch: UserPatch, users: UsersUseCases, by: Writer) -> UserOut:
    """Enables or disables a user or changes roles; 409 `last_admin`."""
    return _out(await users.change(user_id, patch))


def _out(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        roles=[held.role for held in user.roles],
        is_active=user.is_active,
        must_change_password=user.must_change_password,
        created_at=user.created_at,
        updated_at=user.updated_at,
        last_login_at=user.last_login_at,
    )

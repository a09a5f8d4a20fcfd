"""Groups of users and who is in them."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, require
from libs.kit.ids import Id
from libs.kit.pagination import Page, Paging
from libs.kit.service import provided
from services.auth.groups.schemas import (
    GroupCreate,
    GroupOut,
    GroupPatch,
    GroupQuery,
    MemberOut,
    MembersAdd,
)
from services.auth.groups.service import Groups

router = APIRouter(prefix="/api/auth/groups", tags=["groups of users"])

GroupsUseCases = Annotated[Groups, provided(Groups)]
Reader = Annotated[Principal, require("users:read")]
Writer = Annotated[Principal, require("users:write", proved=True)]


@router.get("")
async def list_user_groups(
    query: Annotated[GroupQuery, Query()], groups: GroupsUseCases, by: Reader
) -> Page[GroupOut]:
    """Groups, page by page."""
    page = await groups.page(query)
    return Page.of(page.groups, total=page.total, params=query.paging)


@router.post("", status_code=201)
async def create_user_group(spec: GroupCreate, groups: GroupsUseCases, by: Writer) -> GroupOut:
    """Makes a group; 409 `group_name_taken`, 403 `exceeds_own_rights`."""
    return await groups.create(spec, by)


@router.get("/{group_id}")
async def show_user_group(group_id: Id, groups: GroupsUseCases, by: Reader) -> GroupOut:
    """One group."""
    return await groups.one(group_id)


@router.patch("/{group_id}")
async def change_user_group(
    group_id: Id, patch: GroupPatch, groups: GroupsUseCases, by: Writer
) -> GroupOut:
    """Changes a group for all its members; 409 `group_name_taken`, `last_admin`."""
    return await groups.change(group_id, patch, by)


@router.delete("/{group_id}")
async def delete_user_group(group_id: Id, groups: GroupsUseCases, by: Writer) -> None:
    """Deletes a group; its members stay users. 409 `last_admin`."""
    await groups.delete(group_id, by)


@router.get("/{group_id}/members")
async def list_user_group_members(
    group_id: Id, paging: Paging, groups: GroupsUseCases, by: Reader
) -> Page[MemberOut]:
    """Who is in a group, page by page."""
    page = await groups.members(group_id, paging)
    return Page.of(page.members, total=page.total, params=paging)


@router.post("/{group_id}/members")
async def add_user_group_members(
    group_id: Id, body: MembersAdd, groups: GroupsUseCases, by: Writer
) -> GroupOut:
    """Users join, all or none; 404 `user_not_found`, 403 `exceeds_own_rights`."""
    return await groups.add(group_id, body.user_ids, by)


@router.delete("/{group_id}/members/{user_id}")
async def remove_user_group_member(
    group_id: Id, user_id: Id, groups: GroupsUseCases, by: Writer
) -> None:
    """A user leaves; 404 `user_not_found`, 409 `last_admin`."""
    await groups.remove(group_id, user_id, by)

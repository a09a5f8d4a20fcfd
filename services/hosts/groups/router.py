"""The tree of host groups."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.hosts.groups.schemas import GroupCreate, GroupOut, GroupPatch, GroupQuery
from services.hosts.groups.service import Groups
from services.hosts.models import CountedGroup

router = APIRouter(prefix="/api/hosts/groups", tags=["host groups"])

GroupsUseCases = Annotated[Groups, provided(Groups)]
# Which groups a caller sees and may change is decided by the use case: a grant is enough.
Caller = Annotated[Principal, authenticated()]
Writer = Annotated[Principal, require("hosts:write")]


@router.get("")
async def list_groups(
    query: Annotated[GroupQuery, Query()], groups: GroupsUseCases, by: Caller
) -> Page[GroupOut]:
    """Groups, page by page; the tree follows from `parent_id`."""
    total, found = await groups.page(query, by)
    return Page.of([_out(group) for group in found], total=total, params=query.paging)


@router.post("", status_code=201)
async def create_group(spec: GroupCreate, groups: GroupsUseCases, by: Writer) -> GroupOut:
    """Makes a group; 409 `group_name_taken` or `group_too_deep`, 404 for an unknown parent."""
    return _out(await groups.create(spec))


@router.get("/{group_id}")
async def show_group(group_id: Id, groups: GroupsUseCases, by: Caller) -> GroupOut:
    """One group."""
    return _out(await groups.one(group_id, by))


@router.patch("/{group_id}")
async def change_group(
    group_id: Id, patch: GroupPatch, groups: GroupsUseCases, by: Caller
) -> GroupOut:
    """Renames or moves a group; 409 `group_cycle`."""
    return _out(await groups.change(group_id, patch, by))


@router.delete("/{group_id}")
async def delete_group(group_id: Id, groups: GroupsUseCases, by: Caller) -> None:
    """Deletes a group without subgroups; its hosts stay. 409 `group_has_subgroups`."""
    await groups.delete(group_id, by)


def _out(counted: CountedGroup) -> GroupOut:
    group = counted.group
    return GroupOut(
        id=group.id,
        name=group.name,
        parent_id=counted.parent_id,
        description=group.description,
        host_count=counted.host_count,
        created_at=group.created_at,
        updated_at=group.updated_at,
    )

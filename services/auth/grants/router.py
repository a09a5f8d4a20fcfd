"""Grants."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, authenticated
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.auth.grants.schemas import (
    GrantCreate,
    GrantOut,
    GrantPatch,
    GrantQuery,
)
from services.auth.grants.service import Grants

router = APIRouter(prefix="/api/permissions", tags=["permissions"])

GrantsUseCases = Annotated[Grants, provided(Grants)]
# Who may give and see what is decided by the use case: a row with `grant` is enough.
Caller = Annotated[Principal, authenticated()]
Giver = Annotated[Principal, authenticated(proved=True)]


@router.get("/grants")
async def list_grants(
    query: Annotated[GrantQuery, Query()], grants: GrantsUseCases, by: Caller
) -> Page[GrantOut]:
    """Grants, newest first; without `permissions:read` only those that the caller gave."""
    total, found = await grants.page(query, by)
    return Page.of(found, total=total, params=query.paging)


@router.post("/grants", status_code=201)
async def create_grant(spec: GrantCreate, grants: GrantsUseCases, by: Giver) -> GrantOut:
    """Gives something; 403 `exceeds_own_rights`, 404 `subject_not_found`."""
    return await grants.create(spec, by)


@router.get("/grants/{grant_id}")
async def show_grant(grant_id: Id, grants: GrantsUseCases, by: Caller) -> GrantOut:
    """One grant."""
    return await grants.one(grant_id, by)


@router.patch("/grants/{grant_id}")
async def change_grant(
    grant_id: Id, patch: GrantPatch, grants: GrantsUseCases, by: Giver
) -> GrantOut:
    """Changes end, hours or reason; 409 `grant_over`, 403 `exceeds_own_rights`."""
    return await grants.change(grant_id, patch, by)


@router.delete("/grants/{grant_id}")
async def revoke_grant(grant_id: Id, grants: GrantsUseCases, by: Giver) -> GrantOut:
    """Takes a grant back at once; the record stays."""
    return await grants.revoke(grant_id, by)

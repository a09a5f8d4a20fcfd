"""Grants and their templates."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.auth.grants.schemas import (
    GrantCreate,
    GrantOut,
    GrantPatch,
    GrantQuery,
    TemplateApply,
    TemplateCreate,
    TemplateOut,
    TemplatePatch,
)
from services.auth.grants.service import Grants, GrantTemplates

router = APIRouter(prefix="/api/permissions", tags=["permissions"])

GrantsUseCases = Annotated[Grants, provided(Grants)]
TemplatesUseCases = Annotated[GrantTemplates, provided(GrantTemplates)]
# Who may give and see what is decided by the use case: a row with `grant` is enough.
Caller = Annotated[Principal, authenticated()]
Reader = Annotated[Principal, require("permissions:read")]
Writer = Annotated[Principal, require("permissions:write")]


@router.get("/grants")
async def list_grants(
    query: Annotated[GrantQuery, Query()], grants: GrantsUseCases, by: Caller
) -> Page[GrantOut]:
    """Grants, newest first; without `permissions:read` only those that the caller gave."""
    total, found = await grants.page(query, by)
    return Page.of(found, total=total, params=query.paging)


@router.post("/grants", status_code=201)
async def create_grant(spec: GrantCreate, grants: GrantsUseCases, by: Caller) -> GrantOut:
    """Gives something; 403 `exceeds_own_rights`, 404 `subject_not_found`."""
    return await grants.create(spec, by)


@router.get("/grants/{grant_id}")
async def show_grant(grant_id: Id, grants: GrantsUseCases, by: Caller) -> GrantOut:
    """One grant."""
    return await grants.one(grant_id, by)


@router.patch("/grants/{grant_id}")
async def change_grant(
    grant_id: Id, patch: GrantPatch, grants: GrantsUseCases, by: Caller
) -> GrantOut:
    """Changes end, hours or reason; 409 `grant_over`, 403 `exceeds_own_rights`."""
    return await grants.change(grant_id, patch, by)


@router.delete("/grants/{grant_id}")
async def revoke_grant(grant_id: Id, grants: GrantsUseCases, by: Caller) -> GrantOut:
    """Takes a grant back at once; the record stays."""
    return await grants.revoke(grant_id, by)


@router.get("/templates")
async def list_templates(templates: TemplatesUseCases, by: Reader) -> list[TemplateOut]:
    """Templates of grants; there are few, so this list has no pages."""
    return await templates.all()


@router.post("/templates", status_code=201)
async def create_template(
    spec: TemplateCreate, templates: TemplatesUseCases, by: Writer
) -> TemplateOut:
    """Makes a template; it gives nobody anything by itself. 409 `template_name_taken`."""
    return await templates.create(spec, by)


@router.get("/templates/{template_id}")
async def show_template(template_id: Id, templates: TemplatesUseCases, by: Reader) -> TemplateOut:
    """One template."""
    return await templates.one(template_id)


@router.patch("/templates/{template_id}")
async def change_template(
    template_id: Id, patch: TemplatePatch, templates: TemplatesUseCases, by: Writer
) -> TemplateOut:
    """Changes a template; grants made of it stay as they are."""
    return await templates.change(template_id, patch)


@router.delete("/templates/{template_id}")
async def delete_template(template_id: Id, templates: TemplatesUseCases, by: Writer) -> None:
    """Deletes a template; grants made of it stay."""
    await templates.delete(template_id)


@router.post("/templates/{template_id}/apply", status_code=201)
async def apply_template(
    template_id: Id, wanted: TemplateApply, templates: TemplatesUseCases, by: Reader
) -> list[GrantOut]:
    """Gives every part to every subject, all or nothing; 403 `exceeds_own_rights`."""
    return await templates.apply(template_id, wanted, by)

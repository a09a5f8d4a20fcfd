"""Templates of grants."""

from typing import Annotated

from fastapi import APIRouter

from libs.kit.auth import Principal, require
from libs.kit.ids import Id
from libs.kit.service import provided
from services.auth.grants.schemas import GrantOut
from services.auth.presets.schemas import (
    TemplateApply,
    TemplateCreate,
    TemplateOut,
    TemplatePatch,
)
from services.auth.presets.service import GrantTemplates

router = APIRouter(prefix="/api/permissions", tags=["permissions"])

TemplatesUseCases = Annotated[GrantTemplates, provided(GrantTemplates)]
Reader = Annotated[Principal, require("permissions:read")]
Writer = Annotated[Principal, require("permissions:write", proved=True)]
Giver = Annotated[Principal, require("permissions:read", proved=True)]


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
    template_id: Id, wanted: TemplateApply, templates: TemplatesUseCases, by: Giver
) -> list[GrantOut]:
    """Gives every part to every subject, all or nothing; 403 `exceeds_own_rights`."""
    return await templates.apply(template_id, wanted, by)

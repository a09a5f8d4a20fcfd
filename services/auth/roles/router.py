"""Roles and the catalogue of permissions."""

from typing import Annotated

from fastapi import APIRouter

from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.service import provided
from services.auth.domain import PERMISSIONS
from services.auth.roles.schemas import PermissionOut, RoleCreate, RoleOut, RolePatch
from services.auth.roles.service import Roles

router = APIRouter(prefix="/api/permissions", tags=["permissions"])

RolesUseCases = Annotated[Roles, provided(Roles)]
Reader = Annotated[Principal, require("permissions:read")]
Writer = Annotated[Principal, require("permissions:write", proved=True)]


@router.get("/permissions", dependencies=[authenticated()])
async def list_permissions() -> list[PermissionOut]:
    """Every permission that a role may hold, with its meaning."""
    return [
        PermissionOut(name=name, description=english, description_zh=chinese)
        for name, (english, chinese) in PERMISSIONS.items()
    ]


@router.get("/roles")
async def list_roles(roles: RolesUseCases, by: Reader) -> list[RoleOut]:
    """The roles and what each allows; there are few, so this list has no pages."""
    return await roles.all()


@router.post("/roles", status_code=201)
async def create_role(spec: RoleCreate, roles: RolesUseCases, by: Writer) -> RoleOut:
    """Makes a custom role; 409 `role_name_taken`, 403 `exceeds_own_rights`."""
    return await roles.create(spec, by)


@router.get("/roles/{role_id}")
async def show_role(role_id: Id, roles: RolesUseCases, by: Reader) -> RoleOut:
    """One role."""
    return await roles.one(role_id)


@router.patch("/roles/{role_id}")
async def change_role(role_id: Id, patch: RolePatch, roles: RolesUseCases, by: Writer) -> RoleOut:
    """Changes a role for all who hold it; 409 `role_is_built_in`, 403 `exceeds_own_rights`."""
    return await roles.change(role_id, patch, by)


@router.delete("/roles/{role_id}")
async def delete_role(role_id: Id, roles: RolesUseCases, by: Writer) -> None:
    """Deletes a custom role; 409 `role_in_use` while a user or group holds it."""
    await roles.delete(role_id, by)

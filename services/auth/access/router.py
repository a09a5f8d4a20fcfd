"""Questions about rights: may I, who can, why not."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.contracts.grants import RIGHTS, Action, ObjectType
from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.auth.access.domain import ACTIONS, OBJECTS
from services.auth.access.schemas import (
    CatalogueOut,
    CheckIn,
    CheckManyIn,
    CheckOut,
    ExplainIn,
    ExplainOut,
    ResourcesIn,
    RightsOut,
    ViewAsOut,
    WhoCanOut,
    WhoCanQuery,
    WordOut,
)
from services.auth.access.service import Access

router = APIRouter(prefix="/api/permissions", tags=["permissions"])

AccessUseCases = Annotated[Access, provided(Access)]
Caller = Annotated[Principal, authenticated()]
Reader = Annotated[Principal, require("permissions:read")]


@router.post("/check")
async def check(asked: CheckIn, access: AccessUseCases, by: Caller) -> CheckOut:
    """Whether the caller may do things with an object now; a missing object is a plain no."""
    return (await access.check([asked], by))[0]


@router.post("/check/many")
async def check_many(asked: CheckManyIn, access: AccessUseCases, by: Caller) -> list[CheckOut]:
    """Many such questions, answered in their order."""
    return await access.check(asked.items, by)


@router.post("/resource-permissions")
async def resource_permissions(
    asked: ResourcesIn, access: AccessUseCases, by: Caller
) -> dict[str, dict[Action, bool]]:
    """Which of these actions the caller may take on each of these objects."""
    return await access.resources(asked, by)


@router.get("/my")
async def my_permissions(access: AccessUseCases, by: Caller) -> RightsOut:
    """Everything that the caller may do, by roles and by grants."""
    return await access.rights(by.id, by)


@router.get("/user-permissions/{user_id}")
async def user_permissions(user_id: Id, access: AccessUseCases, by: Caller) -> RightsOut:
    """The same of any user; of others only with `permissions:read`."""
    return await access.rights(user_id, by)


@router.post("/explain")
async def explain(asked: ExplainIn, access: AccessUseCases, by: Caller) -> ExplainOut:
    """Why somebody may or may not do something; of others only with `permissions:read`."""
    return await access.explain(asked, by)


@router.get("/who-can")
async def who_can(
    asked: Annotated[WhoCanQuery, Query()], access: AccessUseCases, by: Reader
) -> Page[WhoCanOut]:
    """Who may do something now, and by which permission or grant."""
    return await access.who_can(asked)


@router.get("/view-as/{user_id}")
async def view_as(user_id: Id, access: AccessUseCases, by: Reader) -> ViewAsOut:
    """What a user may do and see now, for looking only; recorded in the audit log."""
    return await access.view_as(user_id, by)


@router.get("/catalogue", dependencies=[authenticated()])
async def catalogue() -> CatalogueOut:
    """What grants are made of, and which permission means the same for all objects."""
    return CatalogueOut(
        object_types=[
            WordOut(
                name=kind,
                description=OBJECTS[kind][0],
                description_zh=OBJECTS[kind][1],
                permissions={action: RIGHTS[kind, action] for action in Action},
            )
            for kind in ObjectType
        ],
        actions=[
            WordOut(name=one, description=ACTIONS[one][0], description_zh=ACTIONS[one][1])
            for one in Action
        ],
    )

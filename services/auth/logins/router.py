"""Where people are logged in, and the ways to end that."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id, SortableId
from libs.kit.service import provided
from services.auth.logins.schemas import Ended, LoginOut
from services.auth.logins.service import Logins

router = APIRouter(prefix="/api/auth", tags=["sessions"])

LoginsUseCases = Annotated[Logins, provided(Logins)]
Caller = Annotated[Principal, authenticated()]
Reader = Annotated[Principal, require("users:read")]
Writer = Annotated[Principal, require("users:write")]


@router.get("/sessions")
async def list_own_sessions(logins: LoginsUseCases, by: Caller) -> list[LoginOut]:
    """The caller's logins, the latest use first; there are few, so this list has no pages."""
    return await logins.own(by)


@router.delete("/sessions")
async def end_all_own_sessions(
    logins: LoginsUseCases, by: Caller, but_current: Annotated[bool, Query()] = False
) -> Ended:
    """Signs out everywhere; with `but_current` the login of this request stays."""
    return Ended(ended=await logins.end_all_own(by, but_current=but_current))


@router.delete("/sessions/{session_id}")
async def end_own_session(session_id: SortableId, logins: LoginsUseCases, by: Caller) -> None:
    """Ends one of the caller's logins; 404 `session_not_found` for anybody else's."""
    await logins.end_own(by, session_id)


@router.get("/users/{user_id}/sessions")
async def list_sessions_of_user(user_id: Id, logins: LoginsUseCases, by: Reader) -> list[LoginOut]:
    """Where a user is logged in."""
    return await logins.of_user(user_id, by)


@router.delete("/users/{user_id}/sessions")
async def end_sessions_of_user(user_id: Id, logins: LoginsUseCases, by: Writer) -> Ended:
    """Signs a user out everywhere; API tokens stay. 403 `exceeds_own_rights`."""
    return Ended(ended=await logins.end_all_of(user_id, by))

"""The use cases of the list of logins."""

from collections.abc import Sequence

from libs.contracts.audit import audit
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from services.auth.domain import refuse_api_token
from services.auth.errors import SessionNotFound, UserNotFound
from services.auth.logins.domain import device
from services.auth.logins.repository import Login, LoginRepository
from services.auth.logins.schemas import LoginOut
from services.auth.models import User
from services.auth.repository import UserRepository
from services.auth.roles.repository import RoleRepository
from services.auth.roles.service import must_hold
from services.auth.service import end_login, end_logins


class Logins:
    """People see and end their own logins; administrators see and end those of others."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @reads
    def own(self, tx: Transaction, by: Principal) -> list[LoginOut]:
        """The caller's logins, the latest use first; raises NotByApiToken."""
        refuse_api_token(by)
        return _shown(LoginRepository(tx).of_user(by.id), by)

    @writes
    def end_own(self, tx: Transaction, by: Principal, session_id: str) -> None:
        """Ends one login of the caller; raises SessionNotFound for those of others too."""
        refuse_api_token(by)
        if LoginRepository(tx).owner(session_id) != by.id:
            raise SessionNotFound(session_id=session_id)
        end_login(tx, session_id)
        audit(tx, "session.end", kind="session", id=session_id, name=by.username)

    @writes
    def end_all_own(self, tx: Transaction, by: Principal, *, but_current: bool) -> int:
        """Signs the caller out everywhere, except here if asked; says how many logins ended."""
        refuse_api_token(by)
        ended = end_logins(tx, by.id, but=by.session_id if but_current else None)
        audit(
            tx,
            "session.end_all",
            kind="user",
            id=by.id,
            name=by.username,
            detail=f"{ended} logins",
        )
        return ended

    @reads
    def of_user(self, tx: Transaction, user_id: int, by: Principal) -> list[LoginOut]:
        """The logins of a user; raises UserNotFound."""
        _required(tx, user_id)
        return _shown(LoginRepository(tx).of_user(user_id), by)

    @writes
    def end_all_of(self, tx: Transaction, user_id: int, by: Principal) -> int:
        """Signs a user out everywhere; raises UserNotFound or ExceedsOwnRights."""
        user = _required(tx, user_id)
        must_hold(by, RoleRepository(tx).held_by(user.id).permissions)
        ended = end_logins(tx, user.id)
        audit(
            tx,
            "session.end_all",
            kind="user",
            id=user.id,
            name=user.username,
            detail=f"{ended} logins",
        )
        return ended


def _required(tx: Transaction, user_id: int) -> User:
    user = UserRepository(tx).by_id(user_id)
    if user is None or user.deleted_at is not None:
        raise UserNotFound(user_id=user_id)
    return user


def _shown(logins: Sequence[Login], by: Principal) -> list[LoginOut]:
    return [
        LoginOut(
            id=login.id,
            device=device(login.user_agent),
            user_agent=login.user_agent,
            address=login.address,
            created_at=login.created_at,
            last_used_at=login.last_used_at,
            expires_at=login.expires_at,
            remembered=login.remembered,
            current=login.id == by.session_id,
        )
        for login in logins
    ]

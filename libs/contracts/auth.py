"""What other contexts may know of auth: who somebody is, what changed, and how to ask."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from libs.kit.auth import Principal
from libs.kit.client import ServiceClient
from libs.kit.events import Event

# ---- values ----------------------------------------------------------------------------------


class PrincipalInfo(BaseModel):
    """A user as other contexts see it: identity and compiled permissions, never a credential.

    `permissions` holds names such as `hosts:read`; the single entry `*` means everything.
    `session_id` is set when the answer came from a session. Fields are only ever added.
    """

    model_config = ConfigDict(frozen=True)

    user_id: int
    username: str
    roles: list[str]
    permissions: list[str]
    is_active: bool
    session_id: str | None
    must_change_password: bool = False

    def as_principal(self) -> Principal:
        """The same person in the form that internal tokens carry."""
        return Principal(
            id=self.user_id,
            username=self.username,
            roles=tuple(self.roles),
            permissions=frozenset(self.permissions),
            session_id=self.session_id,
            kind="user",
            service=None,
        )


class FirstAdmin(BaseModel):
    """The one-time credentials of the first administrator; shown once, stored nowhere by auth."""

    username: str
    password: str


# ---- facts -----------------------------------------------------------------------------------


class AuthFact(Event):
    """A fact of the stream `facts:auth`."""

    topic: ClassVar[str] = "auth"


class UserDisabled(AuthFact):
    """The user may do nothing any more; all sessions ended in the same commit."""

    type: ClassVar[str] = "auth.user_disabled"
    user_id: int


class UserRolesChanged(AuthFact):
    """What the user may do has changed; drop whatever was remembered about it."""

    type: ClassVar[str] = "auth.user_roles_changed"
    user_id: int


class SessionRevoked(AuthFact):
    """A browser session or token family ended before its time."""

    type: ClassVar[str] = "auth.session_revoked"
    session_id: str


class FirstAdminPasswordChanged(AuthFact):
    """The one-time password of the first administrator is worth nothing from now on."""

    type: ClassVar[str] = "auth.first_admin_password_changed"
    user_id: int


# ---- client ----------------------------------------------------------------------------------

_MAYBE_PRINCIPAL: TypeAdapter[PrincipalInfo | None] = TypeAdapter(PrincipalInfo | None)
_PRINCIPALS: TypeAdapter[list[PrincipalInfo]] = TypeAdapter(list[PrincipalInfo])


class AuthClient(ServiceClient):
    """Questions to auth; one to one with `services/auth/internal.py`."""

    service: ClassVar[str] = "auth"

    async def resolve_session(self, token_hash: str) -> PrincipalInfo | None:
        """Who owns the browser session whose cookie value has this SHA-256 (lower-case hex).

        None when it is unknown, ended, timed out, or its user is disabled. Counts as use.
        """
        content = await self._call(
            "POST", "/internal/sessions/resolve", json={"token_hash": token_hash}
        )
        return _MAYBE_PRINCIPAL.validate_python(content)

    async def principal_of_session(self, session_id: str) -> PrincipalInfo | None:
        """Who owns this session or token family now; None when it ended or the user is disabled."""
        content = await self._call(
            "POST", "/internal/sessions/principal", json={"session_id": session_id}
        )
        return _MAYBE_PRINCIPAL.validate_python(content)

    async def active_users(self, user_ids: list[int]) -> dict[int, PrincipalInfo]:
        """The active ones among these users (at most 1000 ids); the others are absent."""
        content = await self._call("POST", "/internal/users/active", json={"user_ids": user_ids})
        return {user.user_id: user for user in _PRINCIPALS.validate_python(content)}

    async def create_first_admin(self, username: str) -> FirstAdmin:
        """Makes the first administrator with a random password.

        Raises Conflict `users_exist` as soon as any user exists, so it works exactly once.
        """
        content = await self._call(
            "POST", "/internal/users/first-admin", json={"username": username}
        )
        return FirstAdmin.model_validate(content)

"""What other contexts may know of auth: who somebody is, what changed, and how to ask."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from libs.contracts.approvals import (
    ApprovalInfo,
    ApprovalRequest,
    ApprovalState,
    Approver,
)
from libs.contracts.grants import AccessInfo
from libs.kit.auth import EVERYTHING, Principal
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
    expires_at: datetime | None = None
    """When the credential ends that led to this answer, if it is an API token."""
    proved_until: datetime | None = None
    """Until when the person's last proof of being that person holds; None without one."""
    scopes: list[str] | None = None
    """Of an API token that carries the grants of its owner: what it is for."""

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
            proved_until=int(self.proved_until.timestamp()) if self.proved_until else 0,
            scopes=None if self.scopes is None else frozenset(self.scopes),
        )


API_TOKEN_PREFIX: Final = "opsjob_"  # noqa: S105  the beginning of all of them
"""What every API token begins with, so that it is known where it leaks."""

API_TOKEN_SESSION: Final = "token:"  # noqa: S105  a mark before an id
"""What `session_id` begins with when an API token is the credential; its id follows."""


STEP_UP_WAIVED: Final = "step_up:waive"
"""The scope of an API token that may do delicate things; its maker had just proved to be there."""


def is_by_api_token(principal: Principal) -> bool:
    """Whether a program acts with an API token, which may not touch what guards the account."""
    return (principal.session_id or "").startswith(API_TOKEN_SESSION)


def grants_count(principal: Principal, permission: str | None = None) -> bool:
    """Whether grants of the person count for a request, where this permission would do as well.

    For a login they do. For an API token that carries grants they do within its scopes, and for
    a service there are none. Without a permission: whether they count for anything.
    """
    if principal.kind == "service":
        return False
    if principal.scopes is None:
        return not is_by_api_token(principal)
    return permission is None or bool(principal.scopes & {permission, EVERYTHING})


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


class PolicyChanged(AuthFact):
    """What roles allow has changed; drop whatever was remembered about anybody's permissions."""

    type: ClassVar[str] = "auth.policy_changed"
    version: str


class GrantChanged(AuthFact):
    """What a user, or everybody in a group, may do with single objects has changed."""

    type: ClassVar[str] = "auth.grant_changed"
    grant_id: int
    subject_type: str
    subject_id: int


class ApprovalChanged(AuthFact):
    """Something was asked, decided or taken back; whoever waits for it looks again."""

    type: ClassVar[str] = "auth.approval_changed"
    approval_id: str
    subject_kind: str
    subject_id: str
    state: ApprovalState


class SessionRevoked(AuthFact):
    """A browser session or token family ended before its time."""

    type: ClassVar[str] = "auth.session_revoked"
    session_id: str


class ApiTokenRevoked(AuthFact):
    """An API token ended before its time."""

    type: ClassVar[str] = "auth.api_token_revoked"
    credential_id: int
    user_id: int


class FirstAdminPasswordChanged(AuthFact):
    """The one-time password of the first administrator is worth nothing from now on."""

    type: ClassVar[str] = "auth.first_admin_password_changed"
    user_id: int


# ---- client ----------------------------------------------------------------------------------

_MAYBE_PRINCIPAL: TypeAdapter[PrincipalInfo | None] = TypeAdapter(PrincipalInfo | None)
_PRINCIPALS: TypeAdapter[list[PrincipalInfo]] = TypeAdapter(list[PrincipalInfo])
_ACCESS: TypeAdapter[list[AccessInfo]] = TypeAdapter(list[AccessInfo])
_APPROVERS: TypeAdapter[list[Approver]] = TypeAdapter(list[Approver])


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

    async def resolve_token(self, token_hash: str, *, address: str = "") -> PrincipalInfo | None:
        """Who owns the API token with this SHA-256 (lower-case hex), with the token's permissions.

        None when it is unknown, revoked, expired, or its user is disabled. Counts as use from
        `address`, if one is given.
        """
        content = await self._call(
            "POST", "/internal/tokens/resolve", json={"token_hash": token_hash, "address": address}
        )
        return _MAYBE_PRINCIPAL.validate_python(content)

    async def active_users(self, user_ids: list[int]) -> dict[int, PrincipalInfo]:
        """The active ones among these users (at most 1000 ids); the others are absent."""
        content = await self._call("POST", "/internal/users/active", json={"user_ids": user_ids})
        return {user.user_id: user for user in _PRINCIPALS.validate_python(content)}

    async def access_of(self, known: Mapping[int, str]) -> dict[int, AccessInfo]:
        """What decides about these users (at most 1000); `known` are the versions one has, or "".

        Users who may not act now are absent; `rows` is None where the version is known.
        """
        users = [{"user_id": user_id, "version": version} for user_id, version in known.items()]
        content = await self._call("POST", "/internal/access", json={"users": users})
        return {info.user_id: info for info in _ACCESS.validate_python(content)}

    async def request_approval(self, asked: ApprovalRequest) -> ApprovalInfo:
        """Asks others for their consent; again with the same id, it answers how that stands.

        Raises Invalid `too_few_approvers`, and Conflict `content_changed` for the id of another.
        """
        content = await self._call(
            "POST", "/internal/approvals", json=asked.model_dump(mode="json")
        )
        return ApprovalInfo.model_validate(content)

    async def approvers(
        self, user_ids: list[int], group_ids: list[int], *, but: int = 0
    ) -> list[Approver]:
        """The active users among these and in these groups of users, without one, by name."""
        content = await self._call(
            "POST",
            "/internal/approvals/approvers",
            json={"user_ids": user_ids, "group_ids": group_ids, "but": but},
        )
        return _APPROVERS.validate_python(content)

    async def approval(self, approval_id: str) -> ApprovalInfo:
        """How an approval stands now; raises NotFound. Ask `allows` of it about the content."""
        content = await self._call(
            "POST", "/internal/approvals/show", json={"approval_id": approval_id}
        )
        return ApprovalInfo.model_validate(content)

    async def withdraw_approval(self, approval_id: str, user_id: int) -> ApprovalInfo:
        """The requester takes an open approval back; raises Conflict `approval_closed`."""
        content = await self._call(
            "POST",
            "/internal/approvals/withdraw",
            json={"approval_id": approval_id, "user_id": user_id},
        )
        return ApprovalInfo.model_validate(content)

    async def create_first_admin(self, username: str) -> FirstAdmin:
        """Makes the first administrator with a random password.

        Raises Conflict `users_exist` as soon as any user exists, so it works exactly once.
        """
        content = await self._call(
            "POST", "/internal/users/first-admin", json={"username": username}
        )
        return FirstAdmin.model_validate(content)

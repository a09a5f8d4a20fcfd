"""The kinds of callers that every route is tried with, and what each of them holds."""

from dataclasses import dataclass
from enum import StrEnum

from libs.contracts.grants import Action, ObjectType
from services.auth.domain import Role, permissions_of

SCOPE = "hosts:read"
"""All that the API token of the matrix may do; its owner is the administrator."""


class Caller(StrEnum):
    """Who asks; the value is the heading in docs/authorization.md."""

    ANONYMOUS = "nobody"
    EXPIRED = "expired token"
    DISABLED = "disabled user"
    SERVICE = "service token"
    AGENT = "agent"
    ELSEWHERE = "other site"
    STALE = "old proof"
    MEMBER = "member"
    STRANGER = "grant elsewhere"
    REVOKED = "grant over"
    LOOKER = "grant to view"
    GRANTED = "full grant"
    TOKEN = "token hosts:read"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    ADMIN = "admin"


NOBODIES = frozenset(
    (Caller.ANONYMOUS, Caller.EXPIRED, Caller.DISABLED, Caller.SERVICE, Caller.AGENT)
)
"""Those whose credential is none, is worth nothing any more, or is not for this door."""

ROLES = {
    Caller.VIEWER: Role.VIEWER,
    Caller.AUDITOR: Role.AUDITOR,
    Caller.OPERATOR: Role.OPERATOR,
    Caller.ADMIN: Role.ADMIN,
    Caller.ELSEWHERE: Role.ADMIN,
    Caller.STALE: Role.ADMIN,
}
GRANTS = {
    Caller.LOOKER: frozenset((Action.VIEW,)),
    Caller.GRANTED: frozenset(Action),
}
"""What the members hold on the objects that the routes are tried on."""


@dataclass(frozen=True)
class Holding:
    """The rights of one caller, as the stated policy counts them."""

    permissions: frozenset[str]
    actions: frozenset[Action]
    runs_somewhere: bool
    is_proved: bool = True
    """Whether the caller has proved a moment ago to be that person."""

    def can(self, permission: str) -> bool:
        """Whether a role or a scope gives the permission."""
        return permission in self.permissions or "*" in self.permissions

    def may(self, action: Action) -> bool:
        """Whether a grant gives the action on the object of the matrix."""
        return action in self.actions


def holding_of(caller: Caller) -> Holding:
    """What a caller holds who is somebody."""
    if caller is Caller.TOKEN:
        return Holding(frozenset((SCOPE,)), frozenset(), runs_somewhere=False, is_proved=False)
    role = ROLES.get(caller, Role.MEMBER)
    runs = caller in (Caller.GRANTED, Caller.STRANGER)
    return Holding(
        permissions_of([role]),
        GRANTS.get(caller, frozenset()),
        runs_somewhere=runs,
        is_proved=caller is not Caller.STALE,
    )


KINDS_GRANTED = (ObjectType.HOST_GROUP, ObjectType.EXECUTION)
"""The kinds of objects that exist in the world of the matrix; hosts lie in the group."""

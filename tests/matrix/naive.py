"""Who may do what with hosts, written down as plainly as possible; the model tests compare."""

from dataclasses import dataclass, field

from services.auth.domain import Role, permissions_of


@dataclass(frozen=True)
class Given:
    """A grant as somebody gave it. Names of hosts and groups stand for their ids."""

    actions: frozenset[str]
    on_groups: bool
    objects: frozenset[str]
    what: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    to_group_of_users: bool = False
    state: str = "live"
    """`live`, `revoked`, or `later`: it begins tomorrow."""


@dataclass(frozen=True)
class Person:
    """Somebody with a role and grants."""

    role: Role
    grants: tuple[Given, ...] = field(default=())
    scopes: frozenset[str] | None = None
    """Of the API token that the person comes with, if it is not a login."""

    def within(self, permission: str) -> bool:
        """Whether the scopes, if there are any, hold a permission."""
        return self.scopes is None or permission in self.scopes

    @property
    def tokens(self) -> frozenset[str]:
        """What the scopes of the person's tokens may be: what a role gives, or a grant means."""
        held = set(permissions_of([self.role]))
        for grant in self.grants:
            if grant.state != "revoked":
                held |= {MEANS[action] for action in grant.actions} | {"hosts:read"}
            if grant.state != "revoked" and grant.accounts & {"*", "root", "@agent"}:
                held.add("executions:run_as_root")
        return frozenset(held & {*MEANS.values(), "executions:run_as_root"})


MEANS = {
    "view": "hosts:read",
    "use": "hosts:read",
    "execute": "executions:run",
    "edit": "hosts:write",
    "delete": "hosts:write",
    "grant": "permissions:write",
}
"""The permission that allows the same on all hosts."""

GROUPS_AROUND = {
    "top host": ("upper",),
    "deep host": ("lower", "upper"),
    "other host": ("other",),
    "lone host": (),
}
"""`lower` lies in `upper`; one host is in no group."""


def covers(grant: Given, host: str) -> bool:
    """Whether a grant that counts is about a host."""
    if grant.state != "live":
        return False
    if not grant.on_groups:
        return "*" in grant.objects or host in grant.objects
    around = GROUPS_AROUND[host]
    return bool(around) and ("*" in grant.objects or bool(grant.objects & set(around)))


def sees(person: Person, host: str) -> bool:
    """By a role, or by any grant about the host."""
    if not person.within("hosts:read"):
        return False
    if "hosts:read" in permissions_of([person.role]):
        return True
    return any(covers(grant, host) for grant in person.grants)


def edits(person: Person, host: str) -> bool:
    """By one grant."""
    return person.within("hosts:write") and any(
        covers(grant, host) and "edit" in grant.actions for grant in person.grants
    )


def runs(person: Person, hosts: tuple[str, ...], account: str) -> bool:
    """Every host by one grant that has all of it: never two grants for one host."""
    as_root = account in ("root", "@agent")
    if not (person.within("executions:run") and all(sees(person, host) for host in hosts)):
        return False
    if as_root and not person.within("executions:run_as_root"):
        return False
    if person.role is Role.OPERATOR:
        return True
    return all(any(_runs(grant, host, account) for grant in person.grants) for host in hosts)


def _runs(grant: Given, host: str, account: str) -> bool:
    return (
        covers(grant, host)
        and "execute" in grant.actions
        and bool(grant.what & {"*", "adhoc"})
        and bool(grant.accounts & {"*", account})
    )

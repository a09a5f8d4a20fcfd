"""What a directory or an identity provider says about somebody, and what of it counts here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.auth.settings import GROUP, ROLE, Provision

MAX_SUBJECT: Final = 512


@dataclass(frozen=True)
class Person:
    """Somebody as the other side describes them. `subject` never changes there; names may."""

    provider: str
    origin: Literal["directory", "oidc"]
    subject: str
    username: str
    label: str
    display_name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Share:
    """Roles (keys or names) and groups (names) of ours."""

    roles: frozenset[str]
    groups: frozenset[str]


@dataclass(frozen=True)
class Rules:
    """Which groups of the other side mean what here; `groups` leads to `role:…` and `group:…`.

    Whatever a rule mentions is given and taken at every login; everything else that a user has
    was given here and stays.
    """

    groups: Mapping[str, Sequence[str]]
    default_roles: Sequence[str] = ()
    provision: Provision = "all"

    def counting(self, groups: Iterable[str]) -> frozenset[str]:
        """Those of these groups that a rule mentions."""
        return frozenset(groups) & frozenset(self.groups)

    def given(self, groups: Iterable[str]) -> Share:
        """What members of these groups have."""
        return _share(self.groups[group] for group in self.counting(groups))

    @property
    def managed(self) -> Share:
        """Everything that rules give and take."""
        return _share(self.groups.values())


def _share(effects: Iterable[Sequence[str]]) -> Share:
    whole = [effect for some in effects for effect in some]
    roles = frozenset(e.removeprefix(ROLE) for e in whole if e.startswith(ROLE))
    groups = frozenset(e.removeprefix(GROUP) for e in whole if e.startswith(GROUP))
    return Share(roles, groups)

"""The rules of API tokens."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from libs.contracts.auth import API_TOKEN_PREFIX
from libs.contracts.grants import (
    ALL,
    RIGHTS,
    RUN_AS_ROOT,
    SUPERUSERS,
    Action,
    GrantRow,
    ObjectType,
)
from libs.kit.auth import EVERYTHING
from libs.kit.ids import new_secret

MOST_PER_USER: Final = 50
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=366)


def new_token() -> str:
    """A token that nobody guesses (256 bits) and everybody recognises by its beginning."""
    return API_TOKEN_PREFIX + new_secret(32)


def effective(scopes: Collection[str], held: Collection[str]) -> frozenset[str]:
    """What a token allows now: its scopes, as far as its owner still holds them.

    `*` on either side stands for everything.
    """
    if EVERYTHING in held:
        return frozenset(scopes)
    if EVERYTHING in scopes:
        return frozenset(held)
    return frozenset(scopes) & frozenset(held)


def scopes_of(rows: Iterable[GrantRow]) -> frozenset[str]:
    """The permissions that grants stand for: what a scope may name though no role gives it."""
    found: set[str] = set()
    for row in rows:
        on_hosts = row.object_type in (ObjectType.HOST, ObjectType.HOST_GROUP)
        found |= {RIGHTS[row.object_type, one] for one in (*row.actions, Action.VIEW)}
        if on_hosts and Action.EXECUTE in row.actions and {ALL, *SUPERUSERS} & {*row.accounts}:
            found.add(RUN_AS_ROOT)
    return frozenset(found)

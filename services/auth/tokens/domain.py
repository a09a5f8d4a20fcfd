"""The rules of API tokens."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from libs.contracts.auth import API_TOKEN_PREFIX
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

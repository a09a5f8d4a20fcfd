"""When a picture is asked for, what is written on it, and how an answer is compared."""

import secrets
from dataclasses import dataclass
from typing import Final

from services.auth.domain import Failures, token_hash

LETTERS: Final = "ACDEFGHJKLMNPQRTUVWXY34679"
"""No two of them look alike in the font of the pictures."""

LENGTH: Final = 5
"""26 to the power of 5: 23 bits, with one try for each picture."""

LONGEST: Final = 64
"""Of a key or an answer; anything longer is wrong without being looked at."""

ADDRESS_FACTOR: Final = 10
EVERYWHERE_FACTOR: Final = 5


@dataclass(frozen=True)
class CaptchaAnswer:
    """Which picture somebody answers, and what they read on it; both as they were sent."""

    key: str
    value: str


def is_wanted(failures: Failures, *, after: int, familiar: bool) -> bool:
    """Whether a login has to answer a picture first.

    `after` failures of the account from this address are enough. Many people share an address, so
    there it takes ten times as many. Failures of the account from anywhere count from five times
    as many on, but not where the account is `familiar`, that is logged in already: strangers
    cannot put a picture in the way of somebody at home.
    """
    return (
        failures.account_here >= after
        or failures.address >= ADDRESS_FACTOR * after
        or (failures.account >= EVERYWHERE_FACTOR * after and not familiar)
    )


def new_answer() -> str:
    """What to write on a picture."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def answer_hash(key: str, answer: str) -> str:
    """How an answer is stored; without the key, which is not stored, it cannot be found by trying.

    Upper and lower case are alike, outer spaces do not matter.
    """
    return token_hash(f"{key}\n{answer.strip().upper()}")

"""The login pipeline: delay, captcha, password, second factor, and only then a session."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.kit.db import Database, Transaction, reads, writes
from services.auth.domain import (
    MAX_PASSWORD,
    MAX_USERNAME,
    account_delay,
    address_delay,
    token_hash,
    username_key,
)
from services.auth.errors import InvalidCredentials
from services.auth.repository import UserRepository
from services.auth.service import (
    Passwords,
    Proven,
    Sessions,
    Tokens,
    count_failure,
    refuse_while_delayed,
)

LONGEST_NAME = 4 * MAX_USERNAME


@dataclass(frozen=True)
class Attempt:
    """What somebody sends to get in, and from where. Nothing of it is judged before it is used."""

    username: str
    password: str
    address: str


class SignIn:
    """Use case of the login. Each step either lets the attempt pass or ends it with its error."""

    def __init__(self, db: Database, *, sessions: Sessions, passwords: Passwords) -> None:
        self._db = db
        self._sessions = sessions
        self._passwords = passwords

    async def login(self, attempt: Attempt) -> Tokens:
        """Opens a login for a user who proves to be that user.

        Unknown user, wrong password and disabled user get one answer after one amount of work
        (InvalidCredentials). Failures make the same account from the same address wait
        (TooManyFailures), never anybody else for long.
        """
        key = username_key(attempt.username[:LONGEST_NAME])
        delays = delay_keys(key, attempt.address)
        proven = await self._first_factor(attempt, key, delays)
        if proven is None:
            await self._note_failure(delays)
            raise InvalidCredentials
        return await self._sessions.open(proven, delays=delays)

    async def _first_factor(
        self, attempt: Attempt, key: str, delays: Sequence[str]
    ) -> Proven | None:
        candidate = await self._look(key, delays)
        password = attempt.password
        fits = len(attempt.username) <= LONGEST_NAME and len(password) <= MAX_PASSWORD
        stored = candidate.password_hash if candidate else None
        matched = await self._passwords.match(stored, password[:MAX_PASSWORD])
        return candidate if fits and matched else None

    @reads
    def _look(self, tx: Transaction, key: str, delays: Sequence[str]) -> Proven | None:
        refuse_while_delayed(tx, delays)
        user = UserRepository(tx).by_key(key)
        if user is None or not user.is_active:
            return None
        return Proven(user.id, user.password_hash)

    @writes
    def _note_failure(self, tx: Transaction, delays: Sequence[str]) -> None:
        for key, delay in zip(delays, (account_delay, address_delay), strict=True):
            count_failure(tx, key, delay)


def delay_keys(username: str, address: str) -> tuple[str, str]:
    """The account as seen from the address, and the address; hashed, so of one length."""
    return token_hash(f"{username}\n{address}"), token_hash(f"\n{address}")

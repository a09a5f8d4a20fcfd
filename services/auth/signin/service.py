"""The login pipeline: delay, captcha, password, second factor, and only then a session."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import AppError
from services.auth.captcha.domain import CaptchaAnswer
from services.auth.captcha.service import Captchas
from services.auth.directory.service import PROVIDER, Directory
from services.auth.domain import (
    MAX_PASSWORD,
    MAX_USERNAME,
    MIN_PASSWORD,
    DelayKeys,
    account_delay,
    address_delay,
    delay_keys,
    no_delay,
    token_hash,
    username_key,
)
from services.auth.errors import (
    CaptchaWrong,
    CurrentPasswordWrong,
    InvalidCredentials,
    SessionEnded,
)
from services.auth.identities.service import Identities
from services.auth.mfa.domain import OtpRefused
from services.auth.mfa.service import SecondFactors
from services.auth.models import User
from services.auth.repository import UserRepository
from services.auth.schemas import OptionsOut, PasswordPolicy, ProviderOption
from services.auth.service import (
    Passwords,
    Proven,
    Sessions,
    Tokens,
    Visit,
    count_failure,
    refuse_while_delayed,
)
from services.auth.settings import MfaSettings, OidcProvider

LONGEST_NAME = 4 * MAX_USERNAME


@dataclass(frozen=True)
class Attempt:
    """What somebody sends to get in, and from where. Nothing of it is judged before it is used."""

    username: str
    password: str
    address: str
    user_agent: str = ""
    remember_me: bool = False
    captcha: CaptchaAnswer | None = None
    otp_token: str | None = None
    """A code of the authenticator, or a recovery code."""


@dataclass(frozen=True)
class _Candidate:
    """Whose password it may be: of a user of here, or of somebody in the directory."""

    proven: Proven | None
    is_elsewhere: bool = False


@dataclass(frozen=True)
class _Known:
    username: str
    password_hash: str
    is_elsewhere: bool


class FirstFactor:
    """Says whether a password is a user's, wherever it is known."""

    def __init__(
        self, db: Database, *, passwords: Passwords, directory: Directory, identities: Identities
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._directory = directory
        self._identities = identities

    async def prove(self, attempt: Attempt, key: str, delays: DelayKeys) -> Proven | None:
        """The user of this name, if this is the password; `key` is the folded name.

        A name that is a user's of here is never asked for in the directory. Unknown, wrong and
        disabled are None after one amount of work. Raises TooManyFailures, DirectoryUnavailable.
        """
        candidate = await self._look(key, delays)
        password = attempt.password
        fits = len(attempt.username) <= LONGEST_NAME and len(password) <= MAX_PASSWORD
        stored = candidate.proven.password_hash if candidate.proven is not None else None
        matching = self._passwords.match(stored, password[:MAX_PASSWORD])
        if not candidate.is_elsewhere:
            matched = await matching
            return candidate.proven if fits and matched else None
        _, person = await asyncio.gather(
            matching, self._directory.prove(attempt.username.strip() if fits else "", password)
        )
        if person is None:
            return None
        return await self._identities.admit(person, self._directory.rules)

    @reads
    def _look(self, tx: Transaction, key: str, delays: DelayKeys) -> _Candidate:
        refuse_while_delayed(tx, delays)
        user = UserRepository(tx).by_key(key)
        if user is None or user.origin == "directory":
            return _Candidate(None, is_elsewhere=self._directory.is_there)
        if not user.is_active or _is_over(user.password_expires_at, tx.now):
            return _Candidate(None)
        return _Candidate(Proven(user.id, user.password_hash))

    async def prove_again(self, user_id: int, password: str) -> None:
        """For somebody who is logged in and is about to change what guards the account.

        Raises CurrentPasswordWrong, TooManyFailures, SessionEnded or DirectoryUnavailable.
        """
        if not await self.is_password_of(user_id, password):
            await self._note_guess(user_id)
            raise CurrentPasswordWrong

    async def is_password_of(self, user_id: int, password: str) -> bool:
        """Whether it is, here or in the directory; a wrong one is for the caller to count.

        Raises TooManyFailures, SessionEnded or DirectoryUnavailable.
        """
        known = await self._known(user_id)
        fits = len(password) <= MAX_PASSWORD
        matched = await self._passwords.match(known.password_hash, password[:MAX_PASSWORD])
        if known.is_elsewhere:
            person = await self._directory.prove(known.username, password) if fits else None
            subject = await self._identities.subject_of(PROVIDER, user_id)
            matched = person is not None and person.subject == subject
        return matched and fits

    @reads
    def _known(self, tx: Transaction, user_id: int) -> _Known:
        refuse_while_delayed(tx, [guess_key(user_id)])
        user = UserRepository(tx).by_id(user_id)
        if user is None or not user.is_active:
            raise SessionEnded
        return _Known(user.username, user.password_hash, user.origin == "directory")

    @writes
    def _note_guess(self, tx: Transaction, user_id: int) -> None:
        count_failure(tx, guess_key(user_id), account_delay)


class WaysIn:
    """Says how somebody can log in; nothing in it is a secret or about a person."""

    def __init__(
        self,
        *,
        captchas: Captchas,
        directory: Directory,
        mfa: MfaSettings,
        providers: Mapping[str, OidcProvider],
    ) -> None:
        self._captchas = captchas
        self._directory = directory
        self._mfa = mfa
        self._providers = [ProviderOption(id=key, name=one.name) for key, one in providers.items()]

    async def options(self, *, address: str) -> OptionsOut:
        """The options as they are for an address at this moment."""
        delays = delay_keys("", address)
        captcha = await self._captchas.is_wanted(delays, username_key="", address=address)
        return OptionsOut(
            captcha=captcha,
            directory=self._directory.is_there,
            oidc_providers=self._providers,
            second_factor=self._mfa.policy,
            password_policy=PasswordPolicy(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD),
        )


class SignIn:
    """Use case of the login. Each step either lets the attempt pass or ends it with its error."""

    def __init__(
        self,
        db: Database,
        *,
        sessions: Sessions,
        captchas: Captchas,
        first: FirstFactor,
        second: SecondFactors,
    ) -> None:
        self._db = db
        self._sessions = sessions
        self._captchas = captchas
        self._first = first
        self._second = second

    async def login(self, attempt: Attempt) -> Tokens:
        """Opens a login for a user who proves to be that user.

        Unknown user, wrong password and disabled user get one answer after one amount of work
        (InvalidCredentials). Failures make the same account from the same address wait
        (TooManyFailures), never anybody else for long, and ask for a picture before the next
        password is looked at (CaptchaRequired, CaptchaWrong). Only who knows the password learns
        that a second factor is asked for (OtpRequired, OtpEnrolmentRequired, OtpRefused). While
        the directory does not answer, names that are not known here are DirectoryUnavailable.
        """
        key = username_key(attempt.username[:LONGEST_NAME])
        delays = delay_keys(key, attempt.address)
        await self._captcha(attempt, key, delays)
        proven = await self._first.prove(attempt, key, delays)
        if proven is None:
            raise await self._failed(key, delays, InvalidCredentials())
        try:
            await self._second.demand(proven.user_id, attempt.otp_token, delays=delays)
        except OtpRefused as refused:
            why = "The code of the second factor is wrong."
            raise await self._failed(key, delays, refused, why=why) from None
        visit = Visit(attempt.address, attempt.user_agent, attempt.remember_me)
        return await self._sessions.open(proven, delays=delays, visit=visit)

    async def _captcha(self, attempt: Attempt, key: str, delays: DelayKeys) -> None:
        await self._refuse_while_delayed(delays)
        try:
            await self._captchas.demand(
                delays, attempt.captcha, username_key=key, address=attempt.address
            )
        except CaptchaWrong as wrong:
            user_id, name = await self._named(key)
            raise wrong.refusing("login.failed", kind="user", id=user_id, name=name) from None

    @reads
    def _named(self, tx: Transaction, key: str) -> tuple[str, str]:
        """Id and name of a user, or nothing: what is nobody's may be a password."""
        user = UserRepository(tx).by_key(key)
        return ("", "") if user is None else (str(user.id), user.username)

    @reads
    def _refuse_while_delayed(self, tx: Transaction, delays: DelayKeys) -> None:
        refuse_while_delayed(tx, delays)

    @writes
    def _failed(
        self, tx: Transaction, key: str, delays: DelayKeys, error: AppError, *, why: str = ""
    ) -> AppError:
        """Counts a failure; the audit log hears of equal ones together, so that none fills it."""
        for counted, delay in zip(delays, (account_delay, address_delay, no_delay), strict=True):
            count_failure(tx, counted, delay)
        user = UserRepository(tx).by_key(key)
        # A name that is nobody's may be a password typed into the wrong field: it is not kept.
        return error.refusing(
            "login.failed",
            kind="user",
            id="" if user is None else user.id,
            name="" if user is None else user.username,
            why=why or ("There is no such user." if user is None else _why(user)),
        )


def _is_over(until: datetime | None, now: datetime) -> bool:
    return until is not None and until <= now


def _why(user: User) -> str:
    return "The password is wrong." if user.is_active else "The user is disabled."


def guess_key(user_id: int) -> str:
    """What guesses at a user's password by somebody who found a session open are counted by."""
    return token_hash(f"password of\n{user_id}")

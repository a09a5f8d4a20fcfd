"""Second factors: set up, confirmed, asked for at the login, used up, renewed, taken away."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import Final, Protocol

from libs.contracts.audit import audit
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Forbidden
from libs.kit.ids import new_secret as new_token
from libs.kit.seal import Seal
from services.auth.domain import account_delay, refuse_api_token, token_hash
from services.auth.errors import SessionEnded, UserNotFound
from services.auth.mfa.domain import (
    MOST_REFUSED,
    TICKET_SECONDS,
    EnrolmentRefused,
    OtpEnrolmentRequired,
    OtpRefused,
    OtpRequired,
    OtpWrong,
    SecondFactorElsewhere,
    SecondFactorOff,
    SecondFactorOn,
    SecondFactorStopped,
    Setup,
    Status,
    new_recovery_codes,
    new_secret,
    picture,
    provisioning_uri,
    recovery_hash,
    step_of,
)
from services.auth.mfa.repository import FactorRepository
from services.auth.models import SecondFactor, User
from services.auth.repository import DelayRepository, UserRepository
from services.auth.roles.repository import RoleRepository
from services.auth.service import count_failure, end_logins, principal_info, refuse_while_delayed
from services.auth.settings import MfaSettings

PURGE_AT_ONCE: Final = 1000
REFUSED: Final = "mfa.refused"
"""What the audit log calls a wrong code of somebody who is logged in."""
LOCAL_ORIGINS: Final = frozenset({"local", "directory"})
"""Users whose password passes through our own login, and with it the second factor."""


class ProvesPassword(Protocol):
    """Whoever can say whether a password is a user's, wherever that is known."""

    async def __call__(self, user_id: int, password: str) -> None:
        """Raises CurrentPasswordWrong, or TooManyFailures for somebody who guesses."""


class _Verdict(Enum):
    PASSED = "passed"
    MISSING = "missing"
    WRONG = "wrong"


class SecondFactors:
    """Use cases of the second factor. A code counts once, however many ask at that moment."""

    def __init__(
        self, db: Database, *, seal: Seal, settings: MfaSettings, proves: ProvesPassword
    ) -> None:
        self._db = db
        self._seal = seal
        self._settings = settings
        self._proves = proves

    # ---- at the login ----------------------------------------------------------------------

    async def demand(self, user_id: int, code: str | None, *, delays: Sequence[str]) -> None:
        """Lets a user pass who proved the password; `code` is of the authenticator or for recovery.

        Raises OtpRequired, OtpEnrolmentRequired or OtpRefused, and TooManyFailures while one of
        `delays` or this user's own guesses at codes make everybody wait.
        """
        ticket = new_token()
        verdict = await self._judge(user_id, code, delays=delays, ticket=ticket)
        if verdict is None:
            raise OtpEnrolmentRequired(enrolment_token=ticket, expires_in=TICKET_SECONDS)
        if verdict is _Verdict.MISSING:
            raise OtpRequired
        if verdict is _Verdict.WRONG:
            raise OtpRefused

    @writes
    def _judge(
        self,
        tx: Transaction,
        user_id: int,
        code: str | None,
        *,
        delays: Sequence[str],
        ticket: str,
    ) -> _Verdict | None:
        """Returned, not raised: what was counted or made has to be committed."""
        refuse_while_delayed(tx, delays)
        factors = FactorRepository(tx)
        user = _active(tx, user_id)
        factor = factors.of(user_id)
        if factor is None or factor.confirmed_at is None:
            if not self._is_required(tx, user):
                return _Verdict.PASSED
            until = tx.now + timedelta(seconds=TICKET_SECONDS)
            factors.add_ticket(user_id, token_hash(ticket), until)
            return None
        if not code:
            return _Verdict.MISSING
        return _Verdict.PASSED if self._accepts(tx, factor, code, user) else _Verdict.WRONG

    def _accepts(self, tx: Transaction, factor: SecondFactor, code: str, user: User) -> bool:
        """Uses up a code of the authenticator or a recovery code; counts a wrong one.

        Raises TooManyFailures, and SecondFactorStopped whatever the code is.
        """
        _refuse_stopped(tx, factor, user)
        guesses, factors = _guess_key(factor.user_id), FactorRepository(tx)
        if self._uses_up(tx, factor, code, user):
            DelayRepository(tx).clear(guesses)
            factors.forget_refused(user.id)
            return True
        count_failure(tx, guesses, account_delay)
        if factors.count_refused(user.id) == MOST_REFUSED:
            _tell(tx, "mfa.stopped", user, detail=f"{MOST_REFUSED} wrong codes in a row")
        return False

    def _uses_up(self, tx: Transaction, factor: SecondFactor, code: str, user: User) -> bool:
        factors = FactorRepository(tx)
        step = step_of(self._secret(factor), code, at=tx.now, after=factor.last_step)
        if step is not None and factors.use_step(factor.user_id, step):
            return True
        hashed = recovery_hash(code)
        if hashed is None or not factors.use_code(factor.user_id, hashed):
            return False
        left = factors.codes_left(factor.user_id)
        _tell(tx, "mfa.recovery_code_used", user, detail=f"{left} codes left")
        return True

    def _secret(self, factor: SecondFactor) -> str:
        return self._seal.open(factor.sealed_secret, place=secret_place(factor.user_id))

    def _is_required(self, tx: Transaction, user: User) -> bool:
        if user.origin not in LOCAL_ORIGINS:
            return False
        if self._settings.policy == "required":
            return True
        roles = principal_info(user).roles
        by_setting = set(self._settings.required_for_roles).intersection(roles)
        return bool(by_setting) or RoleRepository(tx).require_two_factor(roles)

    # ---- of somebody who proves it again ---------------------------------------------------

    def wants_code(self, tx: Transaction, user: User) -> bool:
        """Whether the user's factor is on; raises TooManyFailures or SecondFactorStopped."""
        factor = FactorRepository(tx).of(user.id)
        if factor is None or factor.confirmed_at is None:
            return False
        _refuse_stopped(tx, factor, user)
        return True

    def accepts(self, tx: Transaction, user: User, code: str) -> bool:
        """Uses up a code of a factor that is on; counts a wrong one. Raises as `wants_code`."""
        _, factor = self._own(tx, user.id)
        return self._accepts(tx, factor, code, user)

    # ---- one's own -------------------------------------------------------------------------

    @reads
    def status(self, tx: Transaction, by: Principal) -> Status:
        """Whether the caller's factor is on, and what the policy wants."""
        user = _active(tx, by.id)
        factors = FactorRepository(tx)
        factor = factors.of(by.id)
        since = factor.confirmed_at if factor is not None else None
        left = factors.codes_left(by.id) if since is not None else 0
        return Status(since is not None, self._is_required(tx, user), since, left)

    async def setup(self, by: Principal, *, password: str) -> Setup:
        """A new secret that counts once a first code confirms it.

        Raises CurrentPasswordWrong, SecondFactorOn or SecondFactorElsewhere.
        """
        refuse_api_token(by)
        await self._refuse_elsewhere(by.id)
        await self._proves(by.id, password)
        return await self._prepare(by.id)

    @reads
    def _refuse_elsewhere(self, tx: Transaction, user_id: int) -> None:
        if _active(tx, user_id).origin not in LOCAL_ORIGINS:
            raise SecondFactorElsewhere

    async def _prepare(self, user_id: int) -> Setup:
        secret = new_secret()
        username = await self._store_unconfirmed(user_id, secret)
        uri = provisioning_uri(secret, username=username, issuer=self._settings.issuer)
        return Setup(secret, uri, await asyncio.to_thread(picture, uri))

    @writes
    def _store_unconfirmed(self, tx: Transaction, user_id: int, secret: str) -> str:
        user = _active(tx, user_id)
        factors = FactorRepository(tx)
        known = factors.of(user_id)
        if known is not None and known.confirmed_at is not None:
            raise SecondFactorOn
        sealed = self._seal.seal(secret, place=secret_place(user_id))
        factor = SecondFactor(
            user_id=user_id,
            sealed_secret=sealed,
            created_at=tx.now,
            confirmed_at=None,
            last_step=0,
            refused_in_row=0,
        )
        factors.replace(factor)
        return user.username

    async def verify(self, by: Principal, code: str) -> list[str]:
        """Turns the factor on with a first code and gives ten recovery codes.

        Raises OtpWrong, SecondFactorOff or SecondFactorOn.
        """
        refuse_api_token(by)
        codes = await self._confirm(by.id, code)
        if codes is None:
            raise _refused(by)
        return codes

    @writes
    def _confirm(self, tx: Transaction, user_id: int, code: str) -> list[str] | None:
        return self._confirmed(tx, _active(tx, user_id), code)

    def _confirmed(self, tx: Transaction, user: User, code: str) -> list[str] | None:
        guesses = _guess_key(user.id)
        refuse_while_delayed(tx, [guesses])
        factors = FactorRepository(tx)
        factor = factors.of(user.id)
        if factor is None:
            raise SecondFactorOff
        if factor.confirmed_at is not None:
            raise SecondFactorOn
        step = step_of(self._secret(factor), code, at=tx.now, after=factor.last_step)
        if step is None:
            count_failure(tx, guesses, account_delay)
            return None
        if not factors.confirm(user.id, factor.sealed_secret, step):
            raise SecondFactorOn
        _tell(tx, "mfa.enable", user)
        return _renewed(factors, user.id)

    async def disable(self, by: Principal, *, password: str, code: str) -> None:
        """Turns the factor off. Where one is required, all logins of the caller end with it.

        Raises CurrentPasswordWrong, OtpWrong or SecondFactorOff.
        """
        refuse_api_token(by)
        await self._proves(by.id, password)
        if not await self._take_away(by.id, code):
            raise _refused(by)

    @writes
    def _take_away(self, tx: Transaction, user_id: int, code: str) -> bool:
        user, factor = self._own(tx, user_id)
        if not self._accepts(tx, factor, code, user):
            return False
        FactorRepository(tx).delete(user_id)
        _tell(tx, "mfa.disable", user)
        if self._is_required(tx, user):
            end_logins(tx, user_id)
        return True

    async def renew_codes(self, by: Principal, code: str) -> list[str]:
        """Ten new recovery codes; the old ones are worth nothing. Raises as `disable` does."""
        refuse_api_token(by)
        codes = await self._renew(by.id, code)
        if codes is None:
            raise _refused(by)
        return codes

    @writes
    def _renew(self, tx: Transaction, user_id: int, code: str) -> list[str] | None:
        user, factor = self._own(tx, user_id)
        if not self._accepts(tx, factor, code, user):
            return None
        _tell(tx, "mfa.recovery_codes_renew", user)
        return _renewed(FactorRepository(tx), user_id)

    def _own(self, tx: Transaction, user_id: int) -> tuple[User, SecondFactor]:
        user = _active(tx, user_id)
        factor = FactorRepository(tx).of(user_id)
        if factor is None or factor.confirmed_at is None:
            raise SecondFactorOff
        return user, factor

    # ---- before the first login ------------------------------------------------------------

    async def setup_by_ticket(self, ticket: str) -> Setup:
        """The same as `setup` for somebody whom the login told to enrol; raises EnrolmentRefused.

        The ticket stays good until a code confirms the secret, or ten minutes are over.
        """
        return await self._prepare(await self._owner(ticket))

    @reads
    def _owner(self, tx: Transaction, ticket: str) -> int:
        user_id = FactorRepository(tx).owner_of_ticket(token_hash(ticket))
        if user_id is None:
            raise EnrolmentRefused
        return user_id

    async def verify_by_ticket(self, ticket: str, code: str) -> list[str]:
        """The same as `verify`, once for a ticket. Logging in needs the next code."""
        codes = await self._confirm_by_ticket(token_hash(ticket), code)
        if codes is None:
            raise OtpWrong().refusing(REFUSED, kind="user")
        return codes

    @writes
    def _confirm_by_ticket(self, tx: Transaction, hashed: str, code: str) -> list[str] | None:
        factors = FactorRepository(tx)
        user_id = factors.owner_of_ticket(hashed)
        if user_id is None:
            raise EnrolmentRefused
        codes = self._confirmed(tx, _active(tx, user_id), code)
        if codes is not None and not factors.delete_ticket(hashed):
            raise EnrolmentRefused
        return codes

    # ---- of others -------------------------------------------------------------------------

    @writes
    def reset(self, tx: Transaction, user_id: int, by: Principal) -> None:
        """Takes a user's factor away, for somebody who lost it; all logins of that user end.

        Raises UserNotFound, and Forbidden for a user who may do what the caller may not.
        """
        user = UserRepository(tx).by_id(user_id)
        if user is None:
            raise UserNotFound(user_id=user_id)
        if not all(by.can(permission) for permission in principal_info(user).permissions):
            raise Forbidden
        had_one = FactorRepository(tx).delete(user_id)
        end_logins(tx, user_id)
        DelayRepository(tx).clear(_guess_key(user_id))
        _tell(tx, "mfa.reset", user, detail="" if had_one else "there was none")

    @writes
    def purge(self, tx: Transaction) -> int:
        """Deletes tickets whose time is over and says how many."""
        return FactorRepository(tx).delete_expired_tickets(PURGE_AT_ONCE)


def _active(tx: Transaction, user_id: int) -> User:
    user = UserRepository(tx).by_id(user_id)
    if user is None or not user.is_active:
        raise SessionEnded
    return user


def _refuse_stopped(tx: Transaction, factor: SecondFactor, user: User) -> None:
    refuse_while_delayed(tx, [_guess_key(user.id)])
    if factor.refused_in_row >= MOST_REFUSED:
        stopped = SecondFactorStopped()
        raise stopped.refusing(REFUSED, kind="user", id=user.id, name=user.username)


def _refused(by: Principal) -> OtpWrong:
    return OtpWrong().refusing(REFUSED, kind="user", id=by.id, name=by.username)


def _renewed(factors: FactorRepository, user_id: int) -> list[str]:
    codes = new_recovery_codes()
    factors.replace_codes(user_id, [token_hash(code) for code in codes])
    return codes


def _tell(tx: Transaction, action: str, user: User, *, detail: str = "") -> None:
    audit(tx, action, kind="user", id=user.id, name=user.username, detail=detail)


def secret_place(user_id: int) -> str:
    """Where a user's secret is sealed for; it opens nowhere else."""
    return f"users/{user_id}/otp"


def _guess_key(user_id: int) -> str:
    """Whoever gets so far knew the password, so nobody else is made to wait by this."""
    return token_hash(f"code of\n{user_id}")

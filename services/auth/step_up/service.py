"""The use case of proving again: the same proofs, delays and records as at the login."""

from dataclasses import dataclass

from libs.contracts.audit import audit
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from services.auth.domain import (
    DelayKeys,
    account_delay,
    address_delay,
    delay_keys,
    no_delay,
    refuse_api_token,
)
from services.auth.errors import SessionEnded
from services.auth.mfa.service import LOCAL_ORIGINS, SecondFactors
from services.auth.models import User
from services.auth.repository import DelayRepository, SessionRepository, UserRepository
from services.auth.service import count_failure, note_proof, refuse_while_delayed
from services.auth.settings import AuthSettings
from services.auth.signin.service import FirstFactor, guess_key
from services.auth.step_up.domain import ProofElsewhere, ProofRefused
from services.auth.step_up.repository import MeansRepository
from services.auth.step_up.schemas import ProofOut


@dataclass(frozen=True)
class _Asked:
    """Whose proof of which login is judged, and what failures are counted by."""

    session_id: str
    user_id: int
    delays: DelayKeys

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.delays, guess_key(self.user_id))


OIDC = "oidc:"
"""What the names of identity providers begin with among identities."""


class Proofs:
    """People prove again to be the person of their login, for a while and for that login alone."""

    def __init__(
        self,
        db: Database,
        *,
        first: FirstFactor,
        second: SecondFactors,
        settings: AuthSettings,
    ) -> None:
        self._db = db
        self._first = first
        self._second = second
        self._settings = settings

    @reads
    def show(self, tx: Transaction, by: Principal) -> ProofOut:
        """Until when the caller's login counts as proved, and what is asked next time.

        Raises NotByApiToken or SessionEnded.
        """
        refuse_api_token(by)
        found = SessionRepository(tx).live_family(by.session_id or "")
        if found is None or found[1].id != by.id:
            raise SessionEnded
        session, user = found
        is_local, means = user.origin in LOCAL_ORIGINS, MeansRepository(tx)
        provider = None if is_local else means.provider_of(user.id)
        return ProofOut(
            proved_until=self._settings.proved_until(session.proved_at),
            code=is_local and means.has_factor(user.id),
            provider=provider and provider.removeprefix(OIDC),
        )

    async def prove(
        self, by: Principal, *, password: str, code: str | None, address: str
    ) -> ProofOut:
        """Opens delicate things to the caller's login for a while.

        Raises ProofRefused, which says nothing about what was wrong and costs the same either way;
        TooManyFailures and SecondFactorStopped before anything is looked at; ProofElsewhere for
        who has no password here; NotByApiToken, SessionEnded and DirectoryUnavailable.
        """
        refuse_api_token(by)
        asked = await self._asked(by, address)
        is_password = await self._first.is_password_of(by.id, password)
        if not await self._judge(asked, is_password=is_password, code=code or ""):
            raise ProofRefused
        return await self.show(by)

    @reads
    def _asked(self, tx: Transaction, by: Principal, address: str) -> _Asked:
        user = _active(tx, by.id)
        if user.origin not in LOCAL_ORIGINS:
            raise ProofElsewhere
        delays = delay_keys(user.username_key, address)
        asked = _Asked(by.session_id or "", user.id, delays)
        self._second.wants_code(tx, user)  # raises what has nothing to do with the password
        refuse_while_delayed(tx, asked.keys)
        return asked

    @writes
    def _judge(self, tx: Transaction, asked: _Asked, *, is_password: bool, code: str) -> bool:
        """Returned, not raised: what was counted or used up has to be committed."""
        # Guesses sent at the same moment all passed the first look; here the delay catches them.
        refuse_while_delayed(tx, asked.keys)
        user = _active(tx, asked.user_id)
        good = is_password
        if good and self._second.wants_code(tx, user):
            good = self._second.accepts(tx, user, code)
        if good:
            delays = asked.delays
            DelayRepository(tx).clear(delays.account_here, delays.account, guess_key(user.id))
            note_proof(tx, asked.session_id, user.id)
            return True
        rules = (account_delay, address_delay, no_delay, account_delay)
        for key, delay in zip(asked.keys, rules, strict=True):
            count_failure(tx, key, delay)
        audit(
            tx,
            "session.prove",
            kind="session",
            id=asked.session_id,
            name=user.username,
            outcome="failure",
        )
        return False


def _active(tx: Transaction, user_id: int) -> User:
    user = UserRepository(tx).by_id(user_id)
    if user is None or not user.is_active:
        raise SessionEnded
    return user

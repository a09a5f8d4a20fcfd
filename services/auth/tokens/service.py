"""The use cases of API tokens."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.audit import audit
from libs.contracts.auth import (
    API_TOKEN_SESSION,
    STEP_UP_WAIVED,
    ApiTokenRevoked,
    PrincipalInfo,
)
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from services.auth.domain import network_address, refuse_api_token, token_hash
from services.auth.errors import (
    SessionEnded,
    TokenExpiryRefused,
    TokenNotFound,
    TooManyTokens,
    UserNotFound,
)
from services.auth.grants.repository import GrantRepository
from services.auth.models import ApiToken, User
from services.auth.repository import UserRepository
from services.auth.roles.repository import RoleRepository
from services.auth.roles.service import must_hold
from services.auth.service import principal_info
from services.auth.tokens.domain import (
    LONGEST,
    MOST_PER_USER,
    SHORTEST,
    effective,
    new_token,
    scopes_of,
)
from services.auth.tokens.repository import TokenRepository
from services.auth.tokens.schemas import TokenCreate, TokenCreated, TokenOut

TOUCH_AFTER = timedelta(seconds=60)
"""A token in steady use is written this often, not with every request."""


@dataclass(frozen=True)
class _Stale:
    token_id: int
    address: str


class Tokens:
    """A token acts for its owner, with what the owner still holds of its scopes, until it ends.

    That is permissions of the owner's roles and, unless it was made without them, grants.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    # ---- the owner's -----------------------------------------------------------------------

    @reads
    def own(self, tx: Transaction, by: Principal) -> list[TokenOut]:
        """The caller's tokens, the newest first."""
        return _listed(tx, by.id)

    @writes
    def create(self, tx: Transaction, spec: TokenCreate, by: Principal) -> TokenCreated:
        """A new token of the caller, told here and never again.

        Raises NotByApiToken, TokenExpiryRefused, TokenNameTaken, TooManyTokens, and
        ExceedsOwnRights for scopes that the caller neither holds nor has a grant for.
        """
        refuse_api_token(by)
        if not tx.now + SHORTEST <= spec.expires_at <= tx.now + LONGEST:
            raise TokenExpiryRefused
        tokens = TokenRepository(tx)
        owner = tokens.hold_owner(by.id)
        if owner is None or not owner.is_active:
            raise SessionEnded
        _judge_scopes(tx, owner, spec, by)
        if tokens.count(by.id) >= MOST_PER_USER:
            raise TooManyTokens(limit=MOST_PER_USER)
        secret = new_token()
        token = tokens.add(
            ApiToken(
                user_id=by.id,
                name=spec.name,
                token_hash=token_hash(secret),
                scopes=json.dumps(sorted(set(spec.scopes))),
                carries_grants=spec.carries_grants,
                created_at=tx.now,
                expires_at=spec.expires_at,
                last_used_at=None,
                last_address="",
            )
        )
        shown = _out(token, tx.now)
        audit(tx, "token.create", kind="api_token", id=token.id, name=token.name, after=shown)
        return TokenCreated(**shown.model_dump(), token=secret)

    @writes
    def revoke(self, tx: Transaction, by: Principal, token_id: int) -> None:
        """Ends one of the caller's tokens; raises TokenNotFound, for those of others too."""
        refuse_api_token(by)
        self._revoke(tx, by.id, token_id)

    # ---- the administrator's ---------------------------------------------------------------

    @reads
    def of_user(self, tx: Transaction, user_id: int) -> list[TokenOut]:
        """The tokens of a user, the newest first; raises UserNotFound."""
        _required(tx, user_id)
        return _listed(tx, user_id)

    @writes
    def revoke_of(self, tx: Transaction, user_id: int, token_id: int, by: Principal) -> None:
        """Ends a token of a user; raises UserNotFound, TokenNotFound or ExceedsOwnRights."""
        _judge_target(tx, user_id, by)
        self._revoke(tx, user_id, token_id)

    @writes
    def revoke_all_of(self, tx: Transaction, user_id: int, by: Principal) -> int:
        """Ends every token of a user and says how many there were."""
        _judge_target(tx, user_id, by)
        ids = [token.id for token in TokenRepository(tx).of_user(user_id)]
        for token_id in ids:
            self._revoke(tx, user_id, token_id)
        return len(ids)

    def _revoke(self, tx: Transaction, user_id: int, token_id: int) -> None:
        tokens = TokenRepository(tx)
        token = tokens.one_of(user_id, token_id)
        if token is None or not tokens.remove(token_id):
            raise TokenNotFound(token_id=token_id)
        tx.emit(ApiTokenRevoked(credential_id=token_id, user_id=user_id))
        shown = _out(token, tx.now)
        audit(tx, "token.revoke", kind="api_token", id=token_id, name=token.name, before=shown)

    # ---- the gateway's ---------------------------------------------------------------------

    async def resolve(self, hashed: str, *, address: str) -> PrincipalInfo | None:
        """For whom the live token with this hash acts, and what it allows; counts as use."""
        found = await self._live(hashed, network_address(address, "") if address else "")
        if found is None:
            return None
        info, stale = found
        if stale is not None:
            await self._touch(stale)
        return info

    @reads
    def _live(
        self, tx: Transaction, hashed: str, address: str
    ) -> tuple[PrincipalInfo, _Stale | None] | None:
        found = TokenRepository(tx).live(hashed)
        if found is None:
            return None
        token, owner = found
        whole = principal_info(owner, f"{API_TOKEN_SESSION}{token.id}")
        scopes = json.loads(token.scopes)
        info = whole.model_copy(
            update={
                "permissions": sorted(effective(scopes, whole.permissions)),
                "expires_at": token.expires_at,
                "scopes": scopes if token.carries_grants else None,
                "proved_until": token.expires_at if STEP_UP_WAIVED in scopes else None,
            }
        )
        used = token.last_used_at
        moved = bool(address) and address != token.last_address
        is_stale = used is None or used <= tx.now - TOUCH_AFTER or moved
        return info, _Stale(token.id, address) if is_stale else None

    @writes
    def _touch(self, tx: Transaction, stale: _Stale) -> None:
        TokenRepository(tx).touch(stale.token_id, stale.address)


def _judge_scopes(tx: Transaction, owner: User, spec: TokenCreate, by: Principal) -> None:
    """By what the caller holds and by what the owner holds now; the two may differ for seconds."""
    # Not to be asked again is no permission: whoever makes the token has just proved to be there.
    wanted = frozenset(spec.scopes) - {STEP_UP_WAIVED}
    if spec.carries_grants:
        grants = GrantRepository(tx)
        wanted -= scopes_of(grants.rows_of(owner.id, grants.groups_of(owner.id)))
    must_hold(by, wanted)
    held = frozenset(principal_info(owner).permissions)
    must_hold(Principal(owner.id, owner.username, permissions=held), wanted)


def _judge_target(tx: Transaction, user_id: int, by: Principal) -> None:
    user = _required(tx, user_id)
    must_hold(by, RoleRepository(tx).held_by(user.id).permissions)


def _required(tx: Transaction, user_id: int) -> User:
    user = UserRepository(tx).by_id(user_id)
    if user is None or user.deleted_at is not None:
        raise UserNotFound(user_id=user_id)
    return user


def _listed(tx: Transaction, user_id: int) -> list[TokenOut]:
    return [_out(token, tx.now) for token in TokenRepository(tx).of_user(user_id)]


def _out(token: ApiToken, now: datetime) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=json.loads(token.scopes),
        carries_grants=token.carries_grants,
        created_at=token.created_at,
        expires_at=token.expires_at,
        is_expired=token.expires_at <= now,
        last_used_at=token.last_used_at,
        last_address=token.last_address,
    )

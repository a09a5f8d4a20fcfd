"""API tokens in the database; the tokens themselves are in there as hashes only."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from libs.kit.db import Transaction
from services.auth.errors import TokenNameTaken
from services.auth.models import ApiToken, User


class TokenRepository:
    """Questions about API tokens."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def hold_owner(self, user_id: int) -> User | None:
        """The owner, held still: of several new tokens at once, one counts after the other."""
        query = select(User).where(User.id == user_id).with_for_update()
        return self._tx.scalars(query.options(selectinload(User.roles))).one_or_none()

    def of_user(self, user_id: int) -> Sequence[ApiToken]:
        """The tokens of a user, the newest first."""
        query = select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc())
        return self._tx.scalars(query).all()

    def count(self, user_id: int) -> int:
        """How many tokens a user has, expired ones too."""
        query = select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id)
        return self._tx.scalar(query) or 0

    def one_of(self, user_id: int, token_id: int) -> ApiToken | None:
        """A token of this user."""
        query = select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id)
        return self._tx.scalars(query).one_or_none()

    def live(self, token_hash: str) -> tuple[ApiToken, User] | None:
        """A token that has not ended, and its active owner."""
        query = (
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(
                ApiToken.token_hash == token_hash,
                ApiToken.expires_at > self._tx.now,
                User.is_active.is_(True),
            )
            .options(selectinload(User.roles))
        )
        row = self._tx.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def add(self, token: ApiToken) -> ApiToken:
        """Stores a new token; raises TokenNameTaken."""
        self._tx.add(token)
        try:
            self._tx.flush()
        except IntegrityError as error:
            raise TokenNameTaken(name=token.name) from error
        return token

    def touch(self, token_id: int, address: str) -> None:
        """Notes that a token is in use."""
        values: dict[str, object] = {"last_used_at": self._tx.now}
        if address:
            values["last_address"] = address
        self._tx.execute(update(ApiToken).where(ApiToken.id == token_id).values(**values))

    def remove(self, token_id: int) -> bool:
        """Deletes a token; False when somebody else was faster."""
        return self._tx.changed(delete(ApiToken).where(ApiToken.id == token_id)) == 1

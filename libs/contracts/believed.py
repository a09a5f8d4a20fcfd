"""What people may do, as auth said a moment ago; every service that judges for itself asks here."""

from collections.abc import Iterable, Sequence
from typing import Final

from libs.contracts.access import AccessSet, Visible
from libs.contracts.auth import AuthClient, grants_count
from libs.contracts.grants import ALL, RIGHTS, Action, ObjectType
from libs.kit import clock
from libs.kit.auth import Principal

BELIEVED_SECONDS: Final = 2.0
"""So long an answer of auth counts; a change has its effect everywhere within 5 s."""
MOST_KEPT: Final = 2_000


class Accesses:
    """What people may do, as auth said at most two seconds ago; asked again only for news.

    While auth does not answer, its Unavailable passes through: nobody gets in on old news.
    """

    def __init__(self, auth: AuthClient) -> None:
        self._auth = auth
        self._kept: dict[int, tuple[float, AccessSet]] = {}

    async def visible(
        self, by: Principal, kind: ObjectType, action: Action = Action.VIEW
    ) -> Visible:
        """The objects with which a caller may do something; auth is not asked where a role does."""
        if by.can(RIGHTS[kind, action]):
            return Visible(everything=True)
        return (await self.of(by)).visible(kind, action, clock.now())

    async def to(self, by: Principal, kind: ObjectType, action: Action) -> AccessSet:
        """What decides whether a caller may do this; auth is not asked where a role suffices."""
        return AccessSet(by.permissions) if by.can(RIGHTS[kind, action]) else await self.of(by)

    async def of(self, by: Principal) -> AccessSet:
        """What a caller may do: the permissions of the request, and the rows of the person."""
        if by.can(ALL) or not grants_count(by):
            return AccessSet(by.permissions)
        found = await self.of_users([by.id])
        return found.get(by.id, _NOBODY).narrowed(by.permissions, by.scopes)

    async def of_users(self, user_ids: Iterable[int]) -> dict[int, AccessSet]:
        """What people may do; those who may not act now are absent."""
        at = clock.monotonic()
        wanted = dict.fromkeys(user_ids)
        stale = [one for one in wanted if at - self._age(one) >= BELIEVED_SECONDS]
        if stale:
            await self._ask(stale, at)
        return {one: self._kept[one][1] for one in wanted if one in self._kept}

    def known(self, user_id: int) -> AccessSet | None:
        """What was said a moment ago, or None when auth has to be asked; nobody has nothing."""
        if clock.monotonic() - self._age(user_id) >= BELIEVED_SECONDS:
            return None
        return self._kept[user_id][1]

    def _age(self, user_id: int) -> float:
        return self._kept.get(user_id, (float("-inf"), _NOBODY))[0]

    async def _ask(self, user_ids: Sequence[int], at: float) -> None:
        known = {one: self._kept.get(one, (0.0, _NOBODY))[1] for one in user_ids}
        answer = await self._auth.access_of({one: held.version for one, held in known.items()})
        if len(self._kept) > MOST_KEPT:
            fresh = at - BELIEVED_SECONDS
            self._kept = {one: said for one, said in self._kept.items() if said[0] > fresh}
        for one, before in known.items():
            info = answer.get(one)
            if info is None:
                held = _NOBODY
            elif info.rows is None:
                held = before
            else:
                held = AccessSet.of(info)
            self._kept[one] = (at, held)


_NOBODY: Final = AccessSet(())

"""The use cases of grants: giving within one's own rights, changing, taking back."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from libs.contracts.access import AccessSet
from libs.contracts.audit import audit
from libs.contracts.auth import GrantChanged, grants_count, is_by_api_token
from libs.contracts.grants import ALL, Action, ObjectType
from libs.contracts.hosts import HostsClient
from libs.kit.acting import current_actor
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Forbidden, Invalid
from services.auth.errors import ExceedsOwnRights, GrantNotFound, GrantOver, SubjectNotFound
from services.auth.grants.domain import (
    ON_HOSTS,
    Lineage,
    Part,
    Subject,
    judged,
    within,
)
from services.auth.grants.repository import (
    GrantRepository,
    TieRepository,
    new_grant,
    part_of,
    row_of,
    shown,
    windows_text,
)
from services.auth.grants.schemas import (
    GrantCreate,
    GrantOut,
    GrantPatch,
    GrantQuery,
    SubjectIn,
)
from services.auth.rights import Grant

MOST_AT_ONCE = 500
"""Grants that are made in one go."""


class Grants:
    """Grants, each within the rights of who gives it, and tied to them."""

    def __init__(self, db: Database, hosts: HostsClient) -> None:
        self._db = db
        self._hosts = hosts

    # ---- questions -------------------------------------------------------------------------

    @reads
    def page(self, tx: Transaction, query: GrantQuery, by: Principal) -> tuple[int, list[GrantOut]]:
        """The total and one page; without `permissions:read` only what the caller gave."""
        only_by = None if by.can("permissions:read") else _giver(by)
        total, rows = GrantRepository(tx).page_for(query, only_by=only_by)
        return total, shown(tx, rows)

    @reads
    def one(self, tx: Transaction, grant_id: int, by: Principal) -> GrantOut:
        """A grant; raises GrantNotFound, also for one that the caller may not see."""
        return shown(tx, [_seen(tx, grant_id, by)])[0]

    # ---- changes ---------------------------------------------------------------------------

    async def create(self, spec: GrantCreate, by: Principal) -> GrantOut:
        """A new grant; raises SubjectNotFound, ExceedsOwnRights, and Invalid for wrong times."""
        part = spec.part(spec.starts_at, spec.expires_at)
        lineage = await self.lineage([part], by)
        return await self._create(spec, part, by, lineage)

    @writes
    def _create(
        self, tx: Transaction, spec: GrantCreate, part: Part, by: Principal, lineage: Lineage
    ) -> GrantOut:
        GrantRepository(tx).next_revision()
        _must_end_later(tx, part)
        (rests_on,) = _must_hold(tx, by, [part], lineage)
        return _give(tx, part, spec, by, rests_on, reason=spec.reason)

    async def give_all(
        self,
        parts: Sequence[Part],
        subjects: Collection[SubjectIn],
        by: Principal,
        *,
        reason: str,
        template_id: int,
    ) -> list[GrantOut]:
        """Gives every part to every subject, all or nothing; raises what `create` raises."""
        if len(parts) * len(subjects) > MOST_AT_ONCE:
            raise Invalid(
                f"This would make more than {MOST_AT_ONCE} grants.",
                zh=f"将产生超过 {MOST_AT_ONCE} 项授权。",
                limit=MOST_AT_ONCE,
            )
        lineage = await self.lineage(parts, by)
        return await self._give_all(parts, subjects, by, lineage, reason, template_id)

    @writes
    def _give_all(
        self,
        tx: Transaction,
        parts: Sequence[Part],
        subjects: Collection[SubjectIn],
        by: Principal,
        lineage: Lineage,
        reason: str,
        template_id: int,
    ) -> list[GrantOut]:
        GrantRepository(tx).next_revision()
        _must_end_later(tx, parts[0])
        rests_on = _must_hold(tx, by, parts, lineage)
        return [
            _give(tx, part, subject, by, rows, reason=reason, template_id=template_id)
            for subject in dict.fromkeys(subjects)
            for part, rows in zip(parts, rests_on, strict=True)
        ]

    async def change(self, grant_id: int, patch: GrantPatch, by: Principal) -> GrantOut:
        """Changes hours, end or reason; as a whole it must be what the caller could give.

        What rests on it is shortened with it, and ends if its hours do not fit any more. What
        goes beyond the rows on which it rests itself rests on the caller's from now on.

        Raises GrantNotFound, GrantOver, ExceedsOwnRights, and Invalid for a past end.
        """
        before = await self._part(grant_id, by)
        lineage = await self.lineage([before], by)
        return await self._change(grant_id, patch, by, lineage)

    @reads
    def _part(self, tx: Transaction, grant_id: int, by: Principal) -> Part:
        return part_of(_seen(tx, grant_id, by))

    @writes
    def _change(
        self,
        tx: Transaction,
        grant_id: int,
        patch: GrantPatch,
        by: Principal,
        lineage: Lineage,
    ) -> GrantOut:
        GrantRepository(tx).next_revision()
        grant = _seen(tx, grant_id, by, lock=True)
        _must_be_going_on(tx, grant)
        before = shown(tx, [grant])[0]
        given, part = patch.model_fields_set, part_of(grant)
        if "expires_at" in given:
            part = replace(part, expires_at=patch.expires_at)
        if "windows" in given:
            made = patch.windows and tuple(window.window() for window in patch.windows)
            part = replace(part, windows=made or None)
        _must_end_later(tx, part)
        rests_on, _ = _must_hold(tx, by, [part, part_of(grant)], lineage)
        grant.expires_at, grant.windows = part.expires_at, windows_text(part.windows)
        grant.reason = grant.reason if patch.reason is None else patch.reason
        ties = TieRepository(tx)
        if not all(within(row_of(parent), part) for parent in ties.parents(grant.id)):
            ties.tie(grant.id, rests_on, by.id)
        _store(tx, grant)
        _follow(tx, grant)
        after = shown(tx, [grant])[0]
        _audit(tx, "grant.update", grant, before=before, after=after)
        return after

    async def revoke(self, grant_id: int, by: Principal) -> GrantOut:
        """Takes a grant back at once, with all that rests on it; again is fine.

        Who gave it may, and who could give it.

        Raises GrantNotFound or ExceedsOwnRights.
        """
        part = await self._part(grant_id, by)
        lineage = await self.lineage([part], by)
        return await self._revoke(grant_id, by, lineage)

    @writes
    def _revoke(self, tx: Transaction, grant_id: int, by: Principal, lineage: Lineage) -> GrantOut:
        GrantRepository(tx).next_revision()
        grant = _seen(tx, grant_id, by, lock=True)
        before = shown(tx, [grant])[0]
        if grant.revoked_at is not None:
            return before
        if grant.created_by != _giver(by):
            _must_hold(tx, by, [replace(part_of(grant), expires_at=tx.now)], lineage)
        _revoke(tx, grant)
        return shown(tx, [grant])[0]

    async def lineage(self, parts: Iterable[Part], by: Principal) -> Lineage:
        """The groups around the objects of parts; not asked of who needs no row to give."""
        if by.can(ALL):
            return {}
        ids: dict[ObjectType, set[int]] = {kind: set() for kind in ON_HOSTS}
        for part in parts:
            if part.object_type in ON_HOSTS:
                ids[part.object_type] |= {int(one) for one in part.object_ids if one != ALL}
        if not any(ids.values()):
            return {}
        found = await self._hosts.lineage(
            sorted(ids[ObjectType.HOST]), sorted(ids[ObjectType.HOST_GROUP])
        )
        lines: dict[tuple[ObjectType, str], frozenset[str]] = {}
        for kind, known in ((ObjectType.HOST, found.hosts), (ObjectType.HOST_GROUP, found.groups)):
            for one, around in known.items():
                lines[kind, str(one)] = frozenset(map(str, around))
        return lines


def giver_of(tx: Transaction, by: Principal) -> AccessSet:
    """What the caller may do now: the permissions of the request, and the caller's rows."""
    if not grants_count(by):
        return AccessSet(by.permissions)
    grants = GrantRepository(tx)
    held = AccessSet(by.permissions, grants.rows_of(by.id, grants.groups_of(by.id)))
    return held.narrowed(by.permissions, by.scopes)


def _give(
    tx: Transaction,
    part: Part,
    subject: GrantCreate | SubjectIn,
    by: Principal,
    rests_on: Collection[int],
    *,
    reason: str,
    template_id: int | None = None,
) -> GrantOut:
    grants, kind = GrantRepository(tx), Subject(subject.subject_type)
    if grants.subject_name(kind, subject.subject_id) is None:
        raise SubjectNotFound(subject_type=kind, subject_id=subject.subject_id)
    grant = new_grant(part, kind, subject.subject_id, by=by.id, at=tx.now)
    grant.reason, grant.template_id = reason, template_id
    _store(tx, grant)
    TieRepository(tx).tie(grant.id, rests_on, by.id)
    made = shown(tx, [grant])[0]
    _audit(tx, "grant.create", grant, after=made)
    return made


def end_grants_of(tx: Transaction, kind: Subject, subject_id: int) -> None:
    """Revokes all grants of a user or group that is deleted, with all that rests on them."""
    grants = GrantRepository(tx)
    grants.next_revision()
    for grant in grants.live_of(kind, subject_id):
        _revoke(tx, grant)


def end_what_leavers_gave(tx: Transaction, groups: Collection[int], users: Collection[int]) -> None:
    """Ends what people gave on under grants of groups that they just left."""
    GrantRepository(tx).next_revision()
    for grant, parent_id in TieRepository(tx).given_through(groups, users):
        if grant.revoked_at is None:  # it may have ended with one before it
            _revoke(tx, grant, with_grant=parent_id)


def _revoke(tx: Transaction, grant: Grant, *, with_grant: int | None = None) -> None:
    """Revokes a grant and, step by step, all that rests on it."""
    before = shown(tx, [grant])[0]
    grant.revoked_at, grant.revoked_by = tx.now, current_actor().id or None
    grant.ended_with = with_grant
    _store(tx, grant)
    _audit(tx, "grant.revoke", grant, before=before, after=shown(tx, [grant])[0])
    _follow(tx, grant)


def _follow(tx: Transaction, changed: Grant) -> None:
    """Ends what rests on a grant and is not within it any more; what only lasts longer is cut."""
    waiting = [changed]
    while waiting:
        parent = waiting.pop()
        for grant in TieRepository(tx).resting_on(parent.id):
            before = shown(tx, [grant])[0]
            cut = replace(part_of(grant), expires_at=parent.expires_at)
            if parent.revoked_at is not None or not within(row_of(parent), cut):
                grant.revoked_at, grant.revoked_by = tx.now, current_actor().id or None
                grant.ended_with = parent.id
            elif not within(row_of(parent), part_of(grant)):
                grant.expires_at = parent.expires_at
            else:
                continue
            _store(tx, grant)
            action = "grant.revoke" if grant.revoked_at else "grant.update"
            _audit(tx, action, grant, before=before, after=shown(tx, [grant])[0])
            waiting.append(grant)


def _store(tx: Transaction, grant: Grant) -> None:
    GrantRepository(tx).store(grant)
    tx.emit(
        GrantChanged(
            grant_id=grant.id, subject_type=grant.subject_type, subject_id=grant.subject_id
        )
    )


def _audit(
    tx: Transaction,
    action: str,
    grant: Grant,
    *,
    before: GrantOut | None = None,
    after: GrantOut | None = None,
) -> None:
    told = after or before
    with_grant = f"Ended with grant {grant.ended_with}." if grant.ended_with else ""
    name = f"{grant.subject_type} {told.subject_name if told else grant.subject_id}"
    audit(
        tx, action, kind="grant", id=grant.id, name=name, before=before, after=after,
        detail=with_grant,
    )  # fmt: skip


def _giver(by: Principal) -> int:
    """Whose grants are the caller's own; an API token has none (-1), whatever its owner gave."""
    return -1 if is_by_api_token(by) else by.id


def _seen(tx: Transaction, grant_id: int, by: Principal, *, lock: bool = False) -> Grant:
    grant = GrantRepository(tx).by_id(grant_id, lock=lock)
    if grant is None or not (by.can("permissions:read") or grant.created_by == _giver(by)):
        raise GrantNotFound(grant_id=grant_id)
    return grant


def _must_hold(
    tx: Transaction, by: Principal, parts: Iterable[Part], lineage: Lineage
) -> list[frozenset[int]]:
    """The own grants on which each part rests, if the caller gives it.

    Raises ExceedsOwnRights, and Forbidden for who may give nothing at all.
    """
    giver = giver_of(tx, by)
    may_give = giver.covers("permissions:write") and any(
        Action.GRANT in row.actions for row in giver.rows
    )
    if not (giver.can("permissions:write") or may_give):
        raise Forbidden(permission="permissions:write")
    rests_on: list[frozenset[int]] = []
    for part in parts:
        found = judged(giver, part, tx.now, lineage)
        if found.beyond:
            raise ExceedsOwnRights(beyond=list(found.beyond[:50]))
        rests_on.append(found.rests_on)
    return rests_on


def _must_end_later(tx: Transaction, part: Part) -> None:
    end = part.expires_at
    if end is not None and (
        end <= tx.now or (part.starts_at is not None and end <= part.starts_at)
    ):
        raise Invalid(
            "A grant has to end after it begins, and not in the past.",
            zh="授权的结束时间必须晚于开始时间，且不能是过去的时间。",
            field="expires_at",
        )


def _must_be_going_on(tx: Transaction, grant: Grant) -> None:
    ended = grant.expires_at is not None and grant.expires_at <= tx.now
    if grant.revoked_at is not None or ended:
        raise GrantOver(grant_id=grant.id)

"""Grants in the database, and the rows that decide about one user."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import aliased

from libs.contracts.grants import ALL, Action, GrantRow, ObjectType, Window
from libs.kit.db import Transaction
from services.auth.grants.domain import GrantState, Part, Subject, reached, state_of
from services.auth.grants.schemas import GrantOut, GrantQuery, PartOut
from services.auth.models import GroupMember, User, UserGroup
from services.auth.rights import AccessState, Grant, GrantTie


class GrantRepository:
    """Questions about grants."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    # ---- what decides ----------------------------------------------------------------------

    def groups_of(self, user_id: int) -> list[int]:
        """The groups of a user, by id."""
        query = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
        return sorted(self._tx.scalars(query))

    def revision_of(self, user_id: int, groups: Sequence[int]) -> int:
        """The last change of any grant that was ever this user's or of these groups."""
        query = select(func.max(Grant.revision)).where(_of(user_id, groups))
        return self._tx.scalar(query) or 0

    def rows_of(self, user_id: int, groups: Sequence[int]) -> list[GrantRow]:
        """The grants of a user and of these groups that have not ended; also those to come."""
        query = (
            select(Grant)
            .where(_of(user_id, groups), Grant.revoked_at.is_(None), _not_ended(self._tx.now))
            .order_by(Grant.id)
        )
        return [row_of(grant) for grant in self._tx.scalars(query)]

    def naming(self, kind: ObjectType, ids: Iterable[str]) -> Sequence[Grant]:
        """The live grants on these objects or on all of their kind."""
        query = select(Grant).where(
            Grant.object_type == kind,
            or_(*(_names(one) for one in ids), _names(ALL)),
            _in_state(GrantState.LIVE, self._tx.now),
        )
        return self._tx.scalars(query.order_by(Grant.id)).all()

    # ---- one and many ----------------------------------------------------------------------

    def by_id(self, grant_id: int, *, lock: bool = False) -> Grant | None:
        """The grant with this id; locked, it is held until the transaction ends."""
        query = select(Grant).where(Grant.id == grant_id)
        return self._tx.scalars(query.with_for_update() if lock else query).one_or_none()

    def page_for(self, query: GrantQuery, *, only_by: int | None) -> tuple[int, Sequence[Grant]]:
        """The total and one page, newest first; `only_by` leaves what that user gave."""
        conditions = _matching(query, self._tx.now)
        if only_by is not None:
            conditions.append(Grant.created_by == only_by)
        total = self._tx.scalar(select(func.count()).select_from(Grant).where(*conditions)) or 0
        rows = self._tx.scalars(
            select(Grant)
            .where(*conditions)
            .order_by(Grant.id.desc())
            .limit(query.paging.page_size)
            .offset(query.paging.offset)
        )
        return total, rows.all()

    def live_of(self, kind: Subject, subject_id: int) -> Sequence[Grant]:
        """The grants of a user or a group that are neither revoked nor over."""
        query = select(Grant).where(
            Grant.subject_type == kind,
            Grant.subject_id == subject_id,
            Grant.revoked_at.is_(None),
            _not_ended(self._tx.now),
        )
        return self._tx.scalars(query.order_by(Grant.id)).all()

    def next_revision(self) -> int:
        """A new revision; whoever else changes a grant waits here until this commits."""
        self._tx.execute(update(AccessState).values(revision=AccessState.revision + 1))
        return self._tx.scalar(select(AccessState.revision)) or 0

    def store(self, grant: Grant) -> Grant:
        """Sends a new or changed grant with a revision of its own."""
        grant.revision = self.next_revision()
        self._tx.add(grant)
        self._tx.flush()
        return grant

    # ---- names -----------------------------------------------------------------------------

    def subject_name(self, kind: Subject, subject_id: int) -> str | None:
        """What a user or group is called, or None when there is none."""
        return self.names(kind, [subject_id]).get(subject_id)

    def names(self, kind: Subject, ids: Iterable[int]) -> dict[int, str]:
        """What these users or groups are called; those that are gone are absent."""
        wanted = list(set(ids))
        if kind is Subject.USER:
            query = select(User.id, User.username).where(
                User.id.in_(wanted), User.deleted_at.is_(None)
            )
        else:
            query = select(UserGroup.id, UserGroup.name).where(UserGroup.id.in_(wanted))
        return {row[0]: row[1] for row in self._tx.execute(query)}


class TieRepository:
    """Questions about what grants rest on."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def tie(self, grant_id: int, parents: Iterable[int], giver_id: int) -> None:
        """From now on a grant rests on exactly these, which are the giver's."""
        self._tx.execute(delete(GrantTie).where(GrantTie.grant_id == grant_id))
        rows = [GrantTie(grant_id=grant_id, parent_id=one, giver_id=giver_id) for one in parents]
        self._tx.add_all(rows)
        self._tx.flush()

    def parents_of(self, ids: Iterable[int]) -> dict[int, list[int]]:
        """On which grants these rest; absent for those that stand on their own."""
        query = select(GrantTie.grant_id, GrantTie.parent_id).where(GrantTie.grant_id.in_(ids))
        found: dict[int, list[int]] = {}
        for grant_id, parent_id in self._tx.execute(query.order_by(GrantTie.parent_id)):
            found.setdefault(grant_id, []).append(parent_id)
        return found

    def parents(self, grant_id: int) -> Sequence[Grant]:
        """The grants on which this one rests."""
        query = select(Grant).join(GrantTie, GrantTie.parent_id == Grant.id)
        return self._tx.scalars(query.where(GrantTie.grant_id == grant_id)).all()

    def resting_on(self, parent_id: int) -> Sequence[Grant]:
        """The grants that rest on this one and are neither revoked nor over."""
        query = select(Grant).join(GrantTie, GrantTie.grant_id == Grant.id)
        mine = query.where(GrantTie.parent_id == parent_id, *self._going_on())
        return self._tx.scalars(mine.order_by(Grant.id)).all()

    def given_through(
        self, groups: Collection[int], givers: Collection[int]
    ) -> Sequence[tuple[Grant, int]]:
        """What these people gave under grants of these groups, each with one such grant."""
        parent = aliased(Grant)
        query = (
            select(Grant, func.min(parent.id))
            .join(GrantTie, GrantTie.grant_id == Grant.id)
            .join(parent, parent.id == GrantTie.parent_id)
            .where(
                GrantTie.giver_id.in_(givers),
                parent.subject_type == Subject.GROUP,
                parent.subject_id.in_(groups),
                *self._going_on(),
            )
            .group_by(Grant.id)
        )
        return [(row[0], row[1]) for row in self._tx.execute(query.order_by(Grant.id))]

    def ending_with(self, ids: Collection[int]) -> dict[int, int]:
        """How many live grants end with each of these, step by step down to the last one."""
        below: dict[int, set[int]] = {}
        asked: set[int] = set()
        front = set(ids)
        while front:
            query = (
                select(GrantTie.parent_id, GrantTie.grant_id)
                .join(Grant, Grant.id == GrantTie.grant_id)
                .where(GrantTie.parent_id.in_(front), *self._going_on())
            )
            asked |= front
            front = set()
            for parent_id, grant_id in self._tx.execute(query):
                below.setdefault(parent_id, set()).add(grant_id)
                front |= {grant_id} - asked
        return {one: len(reached(below, one)) for one in ids}

    def _going_on(self) -> tuple[ColumnElement[bool], ...]:
        return Grant.revoked_at.is_(None), _not_ended(self._tx.now)


def row_of(grant: Grant) -> GrantRow:
    """A grant as decisions need it."""
    return GrantRow(
        id=grant.id,
        actions=tuple(Action(action) for action in json.loads(grant.actions)),
        object_type=ObjectType(grant.object_type),
        object_ids=tuple(json.loads(grant.object_ids)),
        what=tuple(json.loads(grant.what)),
        accounts=tuple(json.loads(grant.accounts)),
        windows=windows_of(grant.windows),
        starts_at=grant.starts_at,
        expires_at=grant.expires_at,
    )


def part_of(grant: Grant) -> Part:
    """A grant without its subject, as the rules of giving judge it."""
    row = row_of(grant)
    return Part(
        actions=row.actions,
        object_type=row.object_type,
        object_ids=row.object_ids,
        what=row.what,
        accounts=row.accounts,
        windows=row.windows,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
    )


def shown(tx: Transaction, rows: Sequence[Grant]) -> list[GrantOut]:
    """Grants with the names of those they concern."""
    grants = GrantRepository(tx)
    people = [row.created_by for row in rows]
    people += [row.subject_id for row in rows if row.subject_type == Subject.USER]
    users = grants.names(Subject.USER, people)
    groups = grants.names(
        Subject.GROUP, [row.subject_id for row in rows if row.subject_type == Subject.GROUP]
    )
    ties, ids = TieRepository(tx), [row.id for row in rows]
    rests_on, ending = ties.parents_of(ids), ties.ending_with(ids)
    return [
        _out(tx, row, users, groups).model_copy(
            update={"rests_on": rests_on.get(row.id, []), "ends_with_it": ending[row.id]}
        )
        for row in rows
    ]


def _out(
    tx: Transaction, row: Grant, users: Mapping[int, str], groups: Mapping[int, str]
) -> GrantOut:
    part, subject = part_of(row), Subject(row.subject_type)
    names = users if subject is Subject.USER else groups
    return GrantOut(
        **PartOut.of(part).model_dump(),
        id=row.id,
        subject_type=subject,
        subject_id=row.subject_id,
        subject_name=names.get(row.subject_id, ""),
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        state=state_of(row.starts_at, row.expires_at, row.revoked_at, tx.now),
        reason=row.reason,
        template_id=row.template_id,
        created_by=row.created_by,
        created_by_name=users.get(row.created_by, ""),
        created_at=row.created_at,
        ended_with=row.ended_with,
        revoked_by=row.revoked_by,
        revoked_at=row.revoked_at,
    )


def new_grant(part: Part, subject: Subject, subject_id: int, *, by: int, at: datetime) -> Grant:
    """A grant that is not stored yet."""
    return Grant(
        subject_type=subject,
        subject_id=subject_id,
        actions=json.dumps(part.actions),
        object_type=part.object_type,
        object_ids=json.dumps(part.object_ids),
        what=json.dumps(part.what),
        accounts=json.dumps(part.accounts),
        windows=windows_text(part.windows),
        starts_at=part.starts_at,
        expires_at=part.expires_at,
        reason="",
        template_id=None,
        revision=0,
        created_by=by,
        created_at=at,
        revoked_by=None,
        revoked_at=None,
    )


def windows_text(windows: Sequence[Window] | None) -> str | None:
    """Windows as they are kept."""
    if windows is None:
        return None
    return json.dumps([window.model_dump() for window in windows])


def windows_of(text: str | None) -> tuple[Window, ...] | None:
    """Windows from how they are kept."""
    if text is None:
        return None
    return tuple(Window.model_validate(window) for window in json.loads(text))


def _of(user_id: int, groups: Sequence[int]) -> ColumnElement[bool]:
    mine = and_(Grant.subject_type == Subject.USER, Grant.subject_id == user_id)
    ours = and_(Grant.subject_type == Subject.GROUP, Grant.subject_id.in_(groups))
    return or_(mine, ours) if groups else mine


def _not_ended(now: datetime) -> ColumnElement[bool]:
    return or_(Grant.expires_at.is_(None), Grant.expires_at > now)


def _in_state(state: GrantState, now: datetime) -> ColumnElement[bool]:
    if state is GrantState.REVOKED:
        return Grant.revoked_at.is_not(None)
    here = Grant.revoked_at.is_(None)
    if state is GrantState.EXPIRED:
        return and_(here, Grant.expires_at <= now)
    begun = or_(Grant.starts_at.is_(None), Grant.starts_at <= now)
    if state is GrantState.LIVE:
        return and_(here, _not_ended(now), begun)
    return and_(here, _not_ended(now), Grant.starts_at > now)


def _names(object_id: str) -> ColumnElement[bool]:
    """Ids hold neither quotes nor backslashes, so a quoted one is found exactly."""
    return Grant.object_ids.contains(f'"{object_id}"', autoescape=True)


def _matching(query: GrantQuery, now: datetime) -> list[ColumnElement[bool]]:
    columns = {
        Grant.subject_type: query.subject_type,
        Grant.subject_id: query.subject_id,
        Grant.object_type: query.object_type,
        Grant.created_by: query.created_by,
        Grant.template_id: query.template_id,
    }
    conditions = [column == value for column, value in columns.items() if value is not None]
    if query.object_id is not None:
        conditions.append(or_(_names(query.object_id), _names(ALL)))
    if query.action is not None:
        conditions.append(Grant.actions.contains(f'"{query.action}"', autoescape=True))
    if query.state is not None:
        conditions.append(_in_state(query.state, now))
    return conditions

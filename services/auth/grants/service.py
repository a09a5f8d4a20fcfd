"""The use cases of grants: giving within one's own rights, changing, taking back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from libs.contracts.access import AccessSet
from libs.contracts.audit import audit
from libs.contracts.auth import GrantChanged, is_by_api_token
from libs.contracts.grants import ALL, Action, ObjectType
from libs.contracts.hosts import HostsClient
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Forbidden, Invalid
from services.auth.errors import (
    ExceedsOwnRights,
    GrantNotFound,
    GrantOver,
    SubjectNotFound,
    TemplateNotFound,
)
from services.auth.grants.domain import ON_HOSTS, Lineage, Part, Subject, beyond, state_of
from services.auth.grants.repository import (
    GrantRepository,
    new_grant,
    part_of,
    parts_text,
    template_out,
    windows_text,
)
from services.auth.grants.schemas import (
    GrantCreate,
    GrantOut,
    GrantPatch,
    GrantQuery,
    PartIn,
    PartOut,
    SubjectIn,
    TemplateApply,
    TemplateCreate,
    TemplateOut,
    TemplatePatch,
)
from services.auth.models import Grant, GrantTemplate

MOST_AT_ONCE = 500
"""Grants that one application of a template makes."""

Names = Mapping[int, str]


class Grants:
    """Grants and their templates."""

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
        _must_end_later(tx, part)
        _must_hold(tx, by, [part], lineage)
        return _give(tx, part, spec, by, reason=spec.reason)

    async def change(self, grant_id: int, patch: GrantPatch, by: Principal) -> GrantOut:
        """Changes hours, end or reason; as a whole it must be what the caller could give.

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
        _must_hold(tx, by, [part, part_of(grant)], lineage)
        grant.expires_at, grant.windows = part.expires_at, windows_text(part.windows)
        grant.reason = grant.reason if patch.reason is None else patch.reason
        after = _stored(tx, grant)
        _audit(tx, "grant.update", grant, before=before, after=after)
        return after

    async def revoke(self, grant_id: int, by: Principal) -> GrantOut:
        """Takes a grant back at once; again is fine. Who gave it may, and who could give it.

        Raises GrantNotFound or ExceedsOwnRights.
        """
        part = await self._part(grant_id, by)
        lineage = await self.lineage([part], by)
        return await self._revoke(grant_id, by, lineage)

    @writes
    def _revoke(self, tx: Transaction, grant_id: int, by: Principal, lineage: Lineage) -> GrantOut:
        grant = _seen(tx, grant_id, by, lock=True)
        before = shown(tx, [grant])[0]
        if grant.revoked_at is not None:
            return before
        if grant.created_by != _giver(by):
            _must_hold(tx, by, [replace(part_of(grant), expires_at=tx.now)], lineage)
        grant.revoked_at, grant.revoked_by = tx.now, by.id
        after = _stored(tx, grant)
        _audit(tx, "grant.revoke", grant, before=before, after=after)
        return after

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


class GrantTemplates:
    """Named sets of parts. Making one gives nobody anything; applying one is judged as giving."""

    def __init__(self, db: Database, grants: Grants) -> None:
        self._db = db
        self._grants = grants

    @reads
    def all(self, tx: Transaction) -> list[TemplateOut]:
        """All templates; there are few."""
        return [template_out(one) for one in GrantRepository(tx).templates()]

    @reads
    def one(self, tx: Transaction, template_id: int) -> TemplateOut:
        """A template; raises TemplateNotFound."""
        return template_out(_required(tx, template_id))

    @writes
    def create(self, tx: Transaction, spec: TemplateCreate, by: Principal) -> TemplateOut:
        """A new template; raises TemplateNameTaken."""
        row = GrantTemplate(
            name=spec.name,
            description=spec.description,
            parts=parts_text(spec.parts),
            created_by=by.id,
            created_at=tx.now,
            updated_at=tx.now,
        )
        made = template_out(GrantRepository(tx).store_template(row))
        audit(
            tx, "grant_template.create", kind="grant_template", id=row.id, name=row.name, after=made
        )
        return made

    @writes
    def change(self, tx: Transaction, template_id: int, patch: TemplatePatch) -> TemplateOut:
        """Changes what is given; grants made of it stay as they are."""
        row = _required(tx, template_id)
        before = template_out(row)
        row.name = patch.name or row.name
        if patch.description is not None:
            row.description = patch.description
        if patch.parts is not None:
            row.parts = parts_text(patch.parts)
        row.updated_at = tx.now
        after = template_out(GrantRepository(tx).store_template(row))
        audit(
            tx, "grant_template.update", kind="grant_template", id=row.id, name=row.name,
            before=before, after=after,
        )  # fmt: skip
        return after

    @writes
    def delete(self, tx: Transaction, template_id: int) -> None:
        """Deletes a template; grants made of it stay."""
        row = _required(tx, template_id)
        audit(
            tx, "grant_template.delete", kind="grant_template", id=row.id, name=row.name,
            before=template_out(row),
        )  # fmt: skip
        GrantRepository(tx).remove_template(row)

    async def apply(self, template_id: int, wanted: TemplateApply, by: Principal) -> list[GrantOut]:
        """Gives every part to every subject, all or nothing; raises what giving raises."""
        template = await self.one(template_id)
        parts = [
            PartIn.model_validate_json(part.model_dump_json()).part(
                wanted.starts_at, wanted.expires_at
            )
            for part in template.parts
        ]
        if len(parts) * len(wanted.subjects) > MOST_AT_ONCE:
            raise Invalid(
                f"This would make more than {MOST_AT_ONCE} grants.",
                zh=f"将产生超过 {MOST_AT_ONCE} 项授权。",
                limit=MOST_AT_ONCE,
            )
        lineage = await self._grants.lineage(parts, by)
        return await self._apply(template_id, parts, wanted, by, lineage)

    @writes
    def _apply(
        self,
        tx: Transaction,
        template_id: int,
        parts: Sequence[Part],
        wanted: TemplateApply,
        by: Principal,
        lineage: Lineage,
    ) -> list[GrantOut]:
        _must_end_later(tx, parts[0])
        _must_hold(tx, by, parts, lineage)
        return [
            _give(tx, part, subject, by, reason=wanted.reason, template_id=template_id)
            for subject in dict.fromkeys(wanted.subjects)
            for part in parts
        ]


def giver_of(tx: Transaction, by: Principal) -> AccessSet:
    """What the caller may do now: the permissions of the request, and the caller's rows."""
    if is_by_api_token(by) or by.kind == "service":
        return AccessSet(by.permissions)
    grants = GrantRepository(tx)
    return AccessSet(by.permissions, grants.rows_of(by.id, grants.groups_of(by.id)))


def shown(tx: Transaction, rows: Sequence[Grant]) -> list[GrantOut]:
    """Grants with the names of those they concern."""
    grants = GrantRepository(tx)
    people = [row.created_by for row in rows]
    people += [row.subject_id for row in rows if row.subject_type == Subject.USER]
    users = grants.names(Subject.USER, people)
    groups = grants.names(
        Subject.GROUP, [row.subject_id for row in rows if row.subject_type == Subject.GROUP]
    )
    return [_out(tx, row, users, groups) for row in rows]


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
        revoked_by=row.revoked_by,
        revoked_at=row.revoked_at,
    )


def _give(
    tx: Transaction,
    part: Part,
    subject: GrantCreate | SubjectIn,
    by: Principal,
    *,
    reason: str,
    template_id: int | None = None,
) -> GrantOut:
    grants, kind = GrantRepository(tx), Subject(subject.subject_type)
    if grants.subject_name(kind, subject.subject_id) is None:
        raise SubjectNotFound(subject_type=kind, subject_id=subject.subject_id)
    grant = new_grant(part, kind, subject.subject_id, by=by.id, at=tx.now)
    grant.reason, grant.template_id = reason, template_id
    made = _stored(tx, grant)
    _audit(tx, "grant.create", grant, after=made)
    return made


def _stored(tx: Transaction, grant: Grant) -> GrantOut:
    GrantRepository(tx).store(grant)
    tx.emit(
        GrantChanged(
            grant_id=grant.id, subject_type=grant.subject_type, subject_id=grant.subject_id
        )
    )
    return shown(tx, [grant])[0]


def _audit(
    tx: Transaction,
    action: str,
    grant: Grant,
    *,
    before: GrantOut | None = None,
    after: GrantOut | None = None,
) -> None:
    told = after or before
    name = f"{grant.subject_type} {told.subject_name if told else grant.subject_id}"
    audit(tx, action, kind="grant", id=grant.id, name=name, before=before, after=after)


def _giver(by: Principal) -> int:
    """Whose grants are the caller's own; an API token has none (-1), whatever its owner gave."""
    return -1 if is_by_api_token(by) else by.id


def _seen(tx: Transaction, grant_id: int, by: Principal, *, lock: bool = False) -> Grant:
    grant = GrantRepository(tx).by_id(grant_id, lock=lock)
    if grant is None or not (by.can("permissions:read") or grant.created_by == _giver(by)):
        raise GrantNotFound(grant_id=grant_id)
    return grant


def _must_hold(tx: Transaction, by: Principal, parts: Iterable[Part], lineage: Lineage) -> None:
    """Raises ExceedsOwnRights, and Forbidden for who may give nothing at all."""
    giver = giver_of(tx, by)
    if not (giver.can("permissions:write") or any(Action.GRANT in r.actions for r in giver.rows)):
        raise Forbidden(permission="permissions:write")
    for part in parts:
        found = beyond(giver, part, tx.now, lineage)
        if found:
            raise ExceedsOwnRights(beyond=found[:50])


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


def _required(tx: Transaction, template_id: int) -> GrantTemplate:
    row = GrantRepository(tx).template(template_id)
    if row is None:
        raise TemplateNotFound(template_id=template_id)
    return row

"""The use cases of access: deciding, explaining, and telling the other services what decides."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from libs.contracts.access import AccessSet, Decision, Request, decide
from libs.contracts.audit import audit
from libs.contracts.grants import ALL, AccessInfo, Action, ObjectType
from libs.contracts.hosts import HostsClient
from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Forbidden
from libs.kit.pagination import Page
from services.auth.access.domain import resting, sentences
from services.auth.access.repository import AccessRepository
from services.auth.access.schemas import (
    CheckIn,
    CheckOut,
    ExplainIn,
    ExplainOut,
    GroupRef,
    KnownAccess,
    ResourcesIn,
    RightsOut,
    ViewAsOut,
    VisibleOut,
    WhoCanOut,
    WhoCanQuery,
)
from services.auth.errors import UserNotFound
from services.auth.grants.domain import ON_HOSTS
from services.auth.grants.repository import GrantRepository, shown
from services.auth.grants.service import giver_of
from services.auth.models import User
from services.auth.roles.repository import RoleRepository

Around = dict[tuple[ObjectType, str], tuple[str, ...]]


class Access:
    """Decisions and their reasons."""

    def __init__(self, db: Database, hosts: HostsClient) -> None:
        self._db = db
        self._hosts = hosts

    # ---- for other services ----------------------------------------------------------------

    @reads
    def infos(self, tx: Transaction, users: Sequence[KnownAccess]) -> list[AccessInfo]:
        """What decides about those of these users who are active."""
        access = AccessRepository(tx)
        found = [access.info(one.user_id, one.version) for one in users]
        return [info for info in found if info is not None]

    # ---- the caller ------------------------------------------------------------------------

    async def check(self, asked: Sequence[CheckIn], by: Principal) -> list[CheckOut]:
        """Whether the caller may do things now."""
        access = await self._own(by)
        around = await self._around((one.object_type, str(one.object_id)) for one in asked)
        now = clock.now()
        return [_checked(access, one, around, now) for one in asked]

    async def resources(self, asked: ResourcesIn, by: Principal) -> dict[str, dict[Action, bool]]:
        """The same for many objects of one kind."""
        items = [
            CheckIn(
                object_type=asked.object_type,
                object_id=one,
                actions=asked.actions,
                what=asked.what,
                account=asked.account,
            )
            for one in asked.object_ids
        ]
        return {one.object_id: one.results for one in await self.check(items, by)}

    @reads
    def _own(self, tx: Transaction, by: Principal) -> AccessSet:
        return giver_of(tx, by)

    # ---- anybody ---------------------------------------------------------------------------

    @reads
    def rights(self, tx: Transaction, user_id: int, by: Principal) -> RightsOut:
        """Everything that a user may do; of others only with `permissions:read`."""
        return _rights(tx, _user(tx, user_id, by))

    async def explain(self, asked: ExplainIn, by: Principal) -> ExplainOut:
        """Why a decision is what it is."""
        object_id = str(asked.object_id)
        around = await self._around([(asked.object_type, object_id)])
        request = Request(
            asked.action,
            asked.object_type,
            object_id,
            around.get((asked.object_type, object_id), ()),
            asked.what,
            asked.account,
        )
        return await self._explain(asked, request, by)

    @reads
    def _explain(
        self, tx: Transaction, asked: ExplainIn, request: Request, by: Principal
    ) -> ExplainOut:
        if asked.user_id is None or asked.user_id == by.id:
            access = giver_of(tx, by)
        else:
            access = _access(tx, _user(tx, asked.user_id, by))
        decision = decide(access, request, asked.at or tx.now)
        grant = AccessRepository(tx).grant(decision.row_id) if decision.row_id else None
        told = shown(tx, [grant])[0] if grant else None
        text, text_zh = sentences(request, decision)
        if told is not None and told.rests_on:
            more, more_zh = resting(told.created_by_name, told.rests_on)
            text, text_zh = f"{text} {more}", f"{text_zh}{more_zh}"
        return ExplainOut(
            allowed=decision.allowed,
            permission=decision.permission,
            grant=told,
            missing=decision.missing,
            text=text,
            text_zh=text_zh,
        )

    async def who_can(self, asked: WhoCanQuery) -> Page[WhoCanOut]:
        """Who may do something now, and by what."""
        groups: tuple[str, ...] = ()
        if asked.object_type in ON_HOSTS:
            around = await self._around([(asked.object_type, asked.object_id)])
            groups = around.get((asked.object_type, asked.object_id), ())
        request = Request(
            asked.action, asked.object_type, asked.object_id, groups, asked.what, asked.account
        )
        return await self._who_can(asked, request)

    @reads
    def _who_can(self, tx: Transaction, asked: WhoCanQuery, request: Request) -> Page[WhoCanOut]:
        access, grants = AccessRepository(tx), GrantRepository(tx)
        named = [*grants.naming(request.object_type, [request.object_id])]
        if request.groups:
            named += grants.naming(ObjectType.HOST_GROUP, request.groups)
        members = access.members()
        rows = access.rows_by_user({one.id: one for one in named}.values(), members)
        permissions = access.permissions(members)
        able: list[WhoCanOut] = []
        for user_id, username in access.active().items():
            held = AccessSet(permissions.get(user_id, ()), rows.get(user_id, ()))
            decision = decide(held, request, tx.now)
            if decision.allowed:
                able.append(_able(user_id, username, decision))
        page = able[asked.paging.offset : asked.paging.offset + asked.paging.page_size]
        return Page.of(page, total=len(able), params=asked.paging)

    @writes
    def view_as(self, tx: Transaction, user_id: int, by: Principal) -> ViewAsOut:
        """What a user may do and see now; looking is recorded."""
        user = _user(tx, user_id, by)
        access = _access(tx, user)
        visible = {
            kind: {
                action: VisibleOut(
                    everything=seen.everything, ids=sorted(seen.ids), groups=sorted(seen.groups)
                )
                for action in Action
                if not (seen := access.visible(kind, action, tx.now)).nothing
            }
            for kind in ObjectType
        }
        audit(tx, "user.view_as", kind="user", id=user.id, name=user.username)
        return ViewAsOut(rights=_rights(tx, user), visible=visible)

    async def _around(self, objects: Iterable[tuple[ObjectType, str]]) -> Around:
        """The groups around hosts and groups."""
        ids: dict[ObjectType, set[int]] = {kind: set() for kind in ON_HOSTS}
        for kind, one in objects:
            if kind in ids and one != ALL:
                ids[kind].add(int(one))
        if not any(ids.values()):
            return {}
        found = await self._hosts.lineage(*(sorted(ids[kind]) for kind in ON_HOSTS))
        return {
            (kind, str(one)): tuple(map(str, groups))
            for kind, known in zip(ON_HOSTS, (found.hosts, found.groups), strict=True)
            for one, groups in known.items()
        }


def _checked(access: AccessSet, asked: CheckIn, around: Around, now: datetime) -> CheckOut:
    object_id = str(asked.object_id)
    groups = around.get((asked.object_type, object_id), ())
    return CheckOut(
        object_type=asked.object_type,
        object_id=object_id,
        results={
            action: decide(
                access,
                Request(action, asked.object_type, object_id, groups, asked.what, asked.account),
                now,
            ).allowed
            for action in asked.actions
        },
    )


def _able(user_id: int, username: str, decision: Decision) -> WhoCanOut:
    return WhoCanOut(
        user_id=user_id,
        username=username,
        permission=decision.permission,
        grant_id=decision.row_id,
    )


def _user(tx: Transaction, user_id: int, by: Principal) -> User:
    if user_id != by.id and not by.can("permissions:read"):
        raise Forbidden(permission="permissions:read")
    user = AccessRepository(tx).user(user_id)
    if user is None:
        raise UserNotFound(user_id=user_id)
    return user


def _access(tx: Transaction, user: User) -> AccessSet:
    """Of a user who may not act now: nothing."""
    info = AccessRepository(tx).info(user.id, "")
    return AccessSet(()) if info is None else AccessSet.of(info)


def _rights(tx: Transaction, user: User) -> RightsOut:
    access = AccessRepository(tx)
    held = RoleRepository(tx).held_by(user.id)
    permissions = sorted(held.permissions)
    return RightsOut(
        user_id=user.id,
        username=user.username,
        is_active=user.is_active,
        roles=list(held.roles),
        groups=[GroupRef(id=one, name=name) for one, name in access.group_names(user)],
        permissions=permissions,
        permission_count=len(permissions),
        grants=shown(tx, access.grants_of(user.id)),
        granted_permissions=access.granted_permissions(user.id),
    )

"""Who may do what, where, as whom and when: one pure rule, the same in every service.

A right comes from a permission of a role (it holds for all objects of a kind), or from ONE grant
row that covers every part of the request. Two rows are never combined.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from libs.contracts.grants import (
    ALL,
    RIGHTS,
    RUN_AS_ROOT,
    SUPERUSERS,
    AccessInfo,
    Action,
    GrantRow,
    Missing,
    ObjectType,
)

ORDER: Final = {part: place for place, part in enumerate(Missing)}

# Names for members: asking an enumeration for one takes longer than a whole comparison.
_EXECUTE: Final = Action.EXECUTE
_HOST_GROUP: Final = ObjectType.HOST_GROUP
_TIME: Final = Missing.TIME
_WHAT: Final = Missing.WHAT
_ACCOUNT: Final = Missing.ACCOUNT
_WINDOW: Final = Missing.WINDOW


class Request(NamedTuple):
    """What somebody wants to do with one object.

    `groups` are all host groups that a host or group lies in, at any height. `what` and `account`
    belong to running something on a host.
    """

    action: Action
    object_type: ObjectType
    object_id: str
    groups: Sequence[str] = ()
    what: str | None = None
    account: str | None = None


class Decision(NamedTuple):
    """The answer: by a permission, by a row, or what was missing (of the row that came closest).

    With `Missing.SCOPE` the permission is the one that the scopes lack.
    """

    allowed: bool
    permission: str | None = None
    row_id: int | None = None
    missing: Missing | None = None


@dataclass(frozen=True, slots=True)
class Visible:
    """Which objects of a kind may be seen: all, or these ids and what lies in these groups."""

    everything: bool
    ids: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether no object at all may be seen."""
        return not (self.everything or self.ids or self.groups)


_ON_HOSTS: Final = (ObjectType.HOST, ObjectType.HOST_GROUP)


class _Row:
    """A row made ready: sets instead of lists, None for everything."""

    __slots__ = ("accounts", "ends", "hours", "id", "starts", "what")

    def __init__(self, row: GrantRow) -> None:
        self.id = row.id
        self.starts = row.starts_at
        self.ends = row.expires_at
        self.what = None if ALL in row.what else frozenset(row.what)
        self.accounts = None if ALL in row.accounts else frozenset(row.accounts)
        self.hours = None if row.windows is None else tuple(w.hours() for w in row.windows)

    def is_live(self, now: datetime) -> bool:
        begun = self.starts is None or self.starts <= now
        return begun and (self.ends is None or now < self.ends)

    def is_open(self, now: datetime) -> bool:
        if self.hours is None:
            return True
        for hours in self.hours:  # noqa: SIM110  twice as fast as a generator, and asked often
            if hours.holds(now):
                return True
        return False

    def lacks(
        self, what: str | None, account: str | None, now: datetime, *, is_run: bool
    ) -> Missing | None:
        """The first part of a request that this row does not cover; it covers the object."""
        if (self.starts is not None and now < self.starts) or (
            self.ends is not None and now >= self.ends
        ):
            return _TIME
        if is_run and self.what is not None and what not in self.what:
            return _WHAT
        if is_run and self.accounts is not None and account not in self.accounts:
            return _ACCOUNT
        return None if self.hours is None or self.is_open(now) else _WINDOW


_Rows = dict[tuple[Action, ObjectType], dict[str, list[_Row]]]
_NONE: Final[Mapping[str, list[_Row]]] = {}


class AccessSet:
    """What one user may do, compiled for decisions of a few microseconds. Pure and unchanging.

    Under scopes (of an API token) rows count only for what a permission in the scopes would allow,
    seeing included, and as a superuser only with `executions:run_as_root` among them.
    """

    def __init__(
        self, permissions: Iterable[str], rows: Iterable[GrantRow] = (), *, version: str = ""
    ) -> None:
        self.version = version
        self.scopes: frozenset[str] | None = None
        self.permissions = frozenset(permissions)
        self.rows = tuple(rows)
        self._index: _Rows = {}
        for row in self.rows:
            made = _Row(row)
            for action in dict.fromkeys((Action.VIEW, *row.actions)):
                held = self._index.setdefault((action, row.object_type), {})
                for object_id in dict.fromkeys(row.object_ids):
                    held.setdefault(object_id, []).append(made)

    @classmethod
    def of(cls, info: AccessInfo) -> "AccessSet":
        """The compiled form of what auth said."""
        return cls(info.permissions, info.rows or (), version=info.version)

    def can(self, permission: str) -> bool:
        """Whether a role gives this permission."""
        held = self.permissions
        return permission in held or ALL in held

    def covers(self, permission: str) -> bool:
        """Whether the scopes hold this permission, so that rows may stand in for it."""
        return self.scopes is None or permission in self.scopes or ALL in self.scopes

    def narrowed(
        self, permissions: frozenset[str], scopes: frozenset[str] | None = None
    ) -> "AccessSet":
        """The same rows under fewer permissions and these scopes, for a narrower principal."""
        if permissions == self.permissions and scopes == self.scopes:
            return self
        fewer = AccessSet(permissions, version=self.version)
        fewer.rows, fewer._index, fewer.scopes = self.rows, self._index, scopes
        return fewer

    def by_rows_alone(self) -> "AccessSet":
        """The same without any permission."""
        return self.narrowed(frozenset(), self.scopes)

    def lacking(self, right: str, account: str | None) -> str | None:
        """The permission that the scopes lack; `account` is that of a run."""
        if not self.covers(right):
            return right
        return RUN_AS_ROOT if account in SUPERUSERS and not self.covers(RUN_AS_ROOT) else None

    def candidates(self, request: Request) -> list[_Row]:
        """The rows that give the action on the object, directly or by a group around it."""
        action, kind, object_id, groups, _, _ = request
        index = self._index
        direct = index.get((action, kind), _NONE)
        held = [*direct.get(object_id, ()), *direct.get(ALL, ())]
        if groups and kind in _ON_HOSTS:
            is_group = kind is _HOST_GROUP
            around = direct if is_group else index.get((action, _HOST_GROUP), _NONE)
            for group in groups:
                if group in around and not (is_group and group == object_id):
                    held += around[group]
            if not is_group and ALL in around:
                held += around[ALL]
        return held

    def gives(self, request: Request) -> bool:
        """Whether any row gives the action on any object of the kind, at whatever time."""
        if not self.covers(RIGHTS[request.object_type, request.action]):
            return False
        kinds = _ON_HOSTS if request.object_type in _ON_HOSTS else (request.object_type,)
        return any((request.action, kind) in self._index for kind in kinds)

    def visible(self, kind: ObjectType, action: Action, now: datetime) -> Visible:
        """The objects of a kind with which this may be done now; for a condition in SQL.

        Parts that belong to running (what, account) do not narrow it.
        """
        right = RIGHTS[kind, action]
        if self.can(right):
            return Visible(everything=True)
        if not self.covers(right):
            return Visible(everything=False)
        ids = self._now((action, kind), now)
        inherited = kind in _ON_HOSTS
        groups = self._now((action, ObjectType.HOST_GROUP), now) if inherited else frozenset()
        return Visible(everything=ALL in ids, ids=ids, groups=groups)

    def _now(self, key: tuple[Action, ObjectType], now: datetime) -> frozenset[str]:
        return frozenset(
            object_id
            for object_id, rows in self._index.get(key, {}).items()
            if any(row.is_live(now) and row.is_open(now) for row in rows)
        )


def decide(access: AccessSet, request: Request, now: datetime) -> Decision:
    """The rule. `now` is aware.

    A run (`execute` on a host) by permission needs `executions:run`, and `executions:run_as_root`
    for an account of SUPERUSERS; otherwise one live row that has the action and covers the object,
    `what` is run, the account, and the hour. Under scopes all of it has to be within them.
    """
    action, kind, _, _, what, account = request
    right = RIGHTS[kind, action]
    is_run = action is _EXECUTE and kind in _ON_HOSTS
    if access.scopes is not None:
        lacking = access.lacking(right, account if is_run else None)
        if lacking is not None:
            return Decision(False, permission=lacking, missing=Missing.SCOPE)
    furthest: Missing | None = None
    held = access.permissions
    if right in held or ALL in held:
        if not is_run or account not in SUPERUSERS or access.can(RUN_AS_ROOT):
            return Decision(True, permission=right)
        furthest = Missing.ROOT
    for row in access.candidates(request):
        lacks = row.lacks(what, account, now, is_run=is_run)
        if lacks is None:
            return Decision(True, row_id=row.id)
        if furthest is None or ORDER[lacks] > ORDER[furthest]:
            furthest = lacks
    if furthest is None:
        furthest = Missing.OBJECT if access.gives(request) else Missing.ACTION
    return Decision(False, missing=furthest)

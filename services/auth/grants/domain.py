"""The rules of giving: which parts make sense together, and that nobody gives more than they hold.

Pure; knows no database and no clock.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from libs.contracts.access import AccessSet
from libs.contracts.grants import (
    ALL,
    RIGHTS,
    RUN_AS_ROOT,
    SUPERUSERS,
    Action,
    GrantRow,
    ObjectType,
    Window,
)

ON_HOSTS = (ObjectType.HOST, ObjectType.HOST_GROUP)

_ID = re.compile(r"[1-9][0-9]{0,9}\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_WHAT = re.compile(
    r"(?:adhoc|file|(?:script_template|job_template|plan|schedule):[1-9][0-9]{0,9})\Z"
)
_ACCOUNT = re.compile(r"(?:@agent|[A-Za-z_][A-Za-z0-9_.-]{0,63})\Z")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")


class Subject(StrEnum):
    """Who a grant is for."""

    USER = "user"
    GROUP = "group"


class GrantState(StrEnum):
    """How a grant stands at a moment."""

    LIVE = "live"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"
    REVOKED = "revoked"


def state_of(
    starts_at: datetime | None,
    expires_at: datetime | None,
    revoked_at: datetime | None,
    now: datetime,
) -> GrantState:
    """How a grant with these moments stands."""
    if revoked_at is not None:
        return GrantState.REVOKED
    if expires_at is not None and expires_at <= now:
        return GrantState.EXPIRED
    return GrantState.SCHEDULED if starts_at is not None and starts_at > now else GrantState.LIVE


# ---- parts -----------------------------------------------------------------------------------


def object_id(value: object, kind: ObjectType) -> str:
    """An id as rows keep it; ValueError for what cannot be the id of such an object."""
    text = str(value)
    if text == ALL:
        return text
    if kind is ObjectType.EXECUTION:
        if not _UUID.match(text):
            raise ValueError("the id of an execution is a UUID in lower case")
        return text
    if isinstance(value, bool) or not _ID.match(text) or int(text) > 2**31 - 1:
        raise ValueError("must be the id of an object, or *")
    return text


def what(value: str) -> str:
    """What may be run; ValueError for anything else."""
    if value != ALL and not _WHAT.match(value):
        raise ValueError("must be *, adhoc, file, or a kind and an id such as job_template:3")
    return value


def account(value: str) -> str:
    """The account something runs as; ValueError for what no account is called."""
    if value != ALL and not _ACCOUNT.match(value):
        raise ValueError("must be *, @agent, or the name of an account")
    return value


def time_of_day(value: str, *, is_end: bool = False) -> str:
    """Hours and minutes; ValueError for anything else."""
    if not _TIME.match(value) and not (is_end and value == "24:00"):
        raise ValueError("must be a time of day such as 08:30")
    return value


def zone(value: str) -> str:
    """The name of a time zone that is known here; ValueError for any other."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be the name of a time zone such as Asia/Shanghai") from None
    return value


@dataclass(frozen=True)
class Part:
    """A grant without its subject."""

    actions: tuple[Action, ...]
    object_type: ObjectType
    object_ids: tuple[str, ...]
    what: tuple[str, ...]
    accounts: tuple[str, ...]
    windows: tuple[Window, ...] | None
    starts_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def runs(self) -> bool:
        """Whether it is about running on hosts, so that `what` and `accounts` count."""
        return Action.EXECUTE in self.actions and self.object_type in ON_HOSTS


# ---- no more than one holds ------------------------------------------------------------------

Lineage = Mapping[tuple[ObjectType, str], frozenset[str]]
"""The groups around hosts and groups, themselves included; only needed of those in groups."""


@dataclass(frozen=True)
class Judged:
    """What a giver cannot give of a part, and on which own rows the rest of it rests.

    The first as `execute host 5`. What rests on permissions alone rests on no row.
    """

    beyond: tuple[str, ...]
    rests_on: frozenset[int]


def judged(giver: AccessSet, part: Part, now: datetime, lineage: Lineage) -> Judged:
    """Which of the actions and objects of a part the giver can give, and by which rows.

    By permission: the permission for all such objects, and `permissions:write`. By a row: ONE live
    row that covers action, object, and all of the part's what, accounts, hours and time; without
    `permissions:write` the row also needs the action `grant`. Seeing is given with every action,
    so it has to be held, too. Of several rows, one that is needed anyway serves, then the one that
    lasts longest.
    """
    writes = giver.can("permissions:write")
    lasting = sorted(giver.rows, key=_end, reverse=True)
    missing: list[str] = []
    used: set[int] = set()
    for action in dict.fromkeys((*part.actions, Action.VIEW)):
        if writes and _permitted(giver, part, action):
            continue
        rows = [row for row in lasting if _dominates(row, part, action, now, writes=writes)]
        if not _in_scope(giver, part, action, writes=writes):
            rows = []
        for one in part.object_ids:
            around = [row.id for row in rows if _around(row, part.object_type, one, lineage)]
            if not around:
                missing.append(f"{action} {part.object_type} {one}")
            elif used.isdisjoint(around):
                used.add(around[0])
    return Judged(tuple(missing), frozenset(used))


def within(row: GrantRow, part: Part) -> bool:
    """Whether a part lasts no longer, and holds at no other hours, than a row on which it rests."""
    return _lasts(row, part) and _hours_within(row, part)


def reached(below: Mapping[int, Collection[int]], start: int) -> set[int]:
    """All that rests on a grant, directly or on what does; the grant itself is not among it."""
    found: set[int] = set()
    waiting = [start]
    while waiting:
        new = set(below.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found - {start}


def _end(row: GrantRow) -> datetime:
    return row.expires_at or datetime.max.replace(tzinfo=UTC)


def _in_scope(giver: AccessSet, part: Part, action: Action, *, writes: bool) -> bool:
    """Whether the giver's rows count for it at all; they may not under the scopes of a token."""
    if not giver.covers(RIGHTS[part.object_type, action]):
        return False
    if not (writes or giver.covers("permissions:write")):
        return False
    as_root = action is Action.EXECUTE and part.runs and ({ALL} | SUPERUSERS) & set(part.accounts)
    return not as_root or giver.covers(RUN_AS_ROOT)


def _permitted(giver: AccessSet, part: Part, action: Action) -> bool:
    if not giver.can(RIGHTS[part.object_type, action]):
        return False
    if action is not Action.EXECUTE or not part.runs or giver.can(RUN_AS_ROOT):
        return True
    return not ({ALL} | SUPERUSERS) & set(part.accounts)


def _dominates(row: GrantRow, part: Part, action: Action, now: datetime, *, writes: bool) -> bool:
    """Whether a row gives all of a part but the object, which is judged by itself."""
    if not (writes or Action.GRANT in row.actions):
        return False
    if action not in row.actions and action is not Action.VIEW:
        return False
    if not (_is_live(row, now) and within(row, part)):
        return False
    if action is not Action.EXECUTE or not part.runs:
        return True
    return _within(part.what, row.what) and _within(part.accounts, row.accounts)


def _is_live(row: GrantRow, now: datetime) -> bool:
    begun = row.starts_at is None or row.starts_at <= now
    return begun and (row.expires_at is None or now < row.expires_at)


def _lasts(row: GrantRow, part: Part) -> bool:
    return row.expires_at is None or (
        part.expires_at is not None and part.expires_at <= row.expires_at
    )


def _hours_within(row: GrantRow, part: Part) -> bool:
    return row.windows is None or bool(part.windows and set(part.windows) <= set(row.windows))


def _within(wanted: Iterable[str], held: Iterable[str]) -> bool:
    have = set(held)
    return ALL in have or set(wanted) <= have


def _around(row: GrantRow, kind: ObjectType, one: str, lineage: Lineage) -> bool:
    if row.object_type is kind and (ALL in row.object_ids or one in row.object_ids):
        return True
    if row.object_type is not ObjectType.HOST_GROUP or kind not in ON_HOSTS or one == ALL:
        return False
    groups = lineage.get((kind, one), frozenset())
    return bool(groups) and (ALL in row.object_ids or bool(groups & set(row.object_ids)))

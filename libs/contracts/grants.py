"""The rows and words of access: what grants are about, and which permission means the same."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

ALL: Final = "*"
AGENT_ACCOUNT: Final = "@agent"
"""The user that an agent runs as itself; what a run without `run_as` uses."""
SUPERUSERS: Final = frozenset(("root", "0", AGENT_ACCOUNT))
"""Accounts that a permission alone covers only together with `executions:run_as_root`.

An agent usually runs as root, so its own user counts as one of them.
"""
RUN: Final = "executions:run"
RUN_AS_ROOT: Final = "executions:run_as_root"
REFER: Final = "secrets:reference"
"""To name secrets that lie elsewhere in what one runs; whoever names one can read it."""


class ObjectType(StrEnum):
    """What a grant can be about."""

    __hash__ = str.__hash__  # that of an enumeration is a call of Python, in every decision

    HOST = "host"
    HOST_GROUP = "host_group"
    ACCOUNT = "account"
    SCRIPT_TEMPLATE = "script_template"
    JOB_TEMPLATE = "job_template"
    PLAN = "plan"
    SCHEDULE = "schedule"
    EXECUTION = "execution"


class Action(StrEnum):
    """What a grant can allow. Every action includes seeing the object; nothing else follows."""

    __hash__ = str.__hash__

    VIEW = "view"
    USE = "use"
    EXECUTE = "execute"
    EDIT = "edit"
    DELETE = "delete"
    GRANT = "grant"


class Missing(StrEnum):
    """The part of a request that no single row covered, in the order in which parts are judged."""

    ACTION = "action"
    """No row allows this action on any object of this kind."""
    OBJECT = "object"
    TIME = "time"
    """The row has not begun yet, has ended, or was revoked."""
    WHAT = "what"
    ACCOUNT = "account"
    WINDOW = "window"
    ROOT = "root"
    """A permission would do, but not as root."""
    SCOPE = "scope"
    """The API token is not for this, whatever its owner may do."""


class Window(BaseModel):
    """Hours of days of the week (1 is Monday) on the clock of a zone; `until` is not included.

    A window whose end is not after its start goes on until the next day; 24:00 ends a day.
    """

    model_config = ConfigDict(frozen=True)

    days: tuple[int, ...]
    start: str
    until: str
    zone: str = "UTC"

    def hours(self) -> "Hours":
        """The same made ready for many questions."""
        return Hours(frozenset(self.days), _minutes(self.start), _minutes(self.until), self.zone)

    def holds(self, now: datetime) -> bool:
        """Whether this moment lies inside."""
        return self.hours().holds(now)


class Hours(NamedTuple):
    """A window with its times as minutes of the day."""

    days: frozenset[int]
    start: int
    until: int
    zone: str

    def holds(self, now: datetime) -> bool:
        """Whether this moment lies inside."""
        days, start, until, zone = self
        begin, end, weekday, minute = _clocks.get(zone) or _clock(zone, now)
        if not begin <= now < end:
            _, _, weekday, minute = _clock(zone, now)
        if start < until:
            return weekday in days and start <= minute < until
        yesterday = weekday - 1 or 7
        return (weekday in days and minute >= start) or (yesterday in days and minute < until)


class GrantRow(BaseModel):
    """A grant as decisions need it; `*` in a list stands for everything, `windows` None for always.

    `what` and `accounts` are judged for `execute` on hosts and host groups alone. Revoked rows are
    never sent.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    actions: tuple[Action, ...]
    object_type: ObjectType
    object_ids: tuple[str, ...]
    what: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    windows: tuple[Window, ...] | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


class AccessInfo(BaseModel):
    """Everything that decides about one active user; `version` changes with any part of it.

    `rows` is None when the asker knows this version already.
    """

    user_id: int
    version: str
    permissions: list[str]
    rows: list[GrantRow] | None = Field(default_factory=list)


_MINUTE: Final = timedelta(minutes=1)
_READ = {kind: f"{kind}s:read" for kind in ObjectType} | {
    ObjectType.HOST_GROUP: "hosts:read",
    ObjectType.SCRIPT_TEMPLATE: "templates:read",
    ObjectType.JOB_TEMPLATE: "templates:read",
}
_WRITE = {kind: name.replace(":read", ":write") for kind, name in _READ.items()} | {
    ObjectType.EXECUTION: "executions:operate"
}


def _right(kind: ObjectType, action: Action) -> str:
    if action is Action.GRANT:
        return "permissions:write"
    if action is Action.EXECUTE:
        return "executions:operate" if kind is ObjectType.EXECUTION else RUN
    if action is Action.USE and kind is ObjectType.ACCOUNT:
        return "accounts:use"
    return _READ[kind] if action in (Action.VIEW, Action.USE) else _WRITE[kind]


RIGHTS: Final[Mapping[tuple[ObjectType, Action], str]] = {
    (kind, action): _right(kind, action) for kind in ObjectType for action in Action
}
"""The permission that allows an action on all objects of a kind."""


class _Clock(NamedTuple):
    """Day of the week and minute of the day on the clock of a zone, from one moment to another."""

    begin: datetime
    end: datetime
    weekday: int
    minute: int


_clocks: Final[dict[str, _Clock]] = {}
"""By zone what its clock showed when it was last looked at; mostly that is the present minute."""


def _clock(zone: str, now: datetime) -> _Clock:
    minute = int(now.timestamp() // 60)
    begin = datetime.fromtimestamp(minute * 60, UTC)
    here = begin.astimezone(ZoneInfo(zone))
    shown = _Clock(begin, begin + _MINUTE, here.isoweekday(), here.hour * 60 + here.minute)
    _clocks[zone] = shown
    return shown


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)

"""The rule of access against a slow, plain reading of it, and what each part of a row means."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.access import AccessSet, Request, decide
from libs.contracts.grants import RIGHTS, Action, GrantRow, Missing, ObjectType, Window
from services.auth.tokens.domain import effective

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
HOSTS = (ObjectType.HOST, ObjectType.HOST_GROUP)


def row(row_id: int = 1, **parts: object) -> GrantRow:
    """A row to run anything as deploy on host 5, unless told otherwise."""
    whole: dict[str, object] = {
        "id": row_id,
        "actions": ["execute"],
        "object_type": "host",
        "object_ids": ["5"],
        "what": ["*"],
        "accounts": ["deploy"],
    }
    return GrantRow.model_validate(whole | parts)


def run(
    host: str = "5", groups: Sequence[str] = (), *, what: str = "adhoc", account: str = "deploy"
) -> Request:
    """A request to run something on a host."""
    return Request(Action.EXECUTE, ObjectType.HOST, host, groups, what, account)


# ---- the model -------------------------------------------------------------------------------

_ids = st.sampled_from(["1", "2", "3"])
_some_ids = st.lists(st.sampled_from(["1", "2", "3", "*"]), min_size=1, max_size=3, unique=True)
_what = st.sampled_from(["adhoc", "file", "job_template:1", "job_template:2"])
_accounts = st.sampled_from(["root", "deploy", "@agent"])
_moments = st.none() | st.sampled_from([NOON - HOUR, NOON, NOON + HOUR])
_windows = st.none() | st.lists(
    st.builds(
        Window,
        days=st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True).map(tuple),
        start=st.sampled_from(["00:00", "11:59", "12:00", "22:00"]),
        until=st.sampled_from(["06:00", "12:00", "12:01", "24:00"]),
        zone=st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
    ),
    min_size=1,
    max_size=2,
)
_rows = st.lists(
    st.builds(
        GrantRow,
        id=st.integers(1, 99),
        actions=st.lists(st.sampled_from(Action), min_size=1, max_size=3).map(tuple),
        object_type=st.sampled_from([*HOSTS, ObjectType.EXECUTION]),
        object_ids=_some_ids.map(tuple),
        what=st.lists(_what | st.just("*"), max_size=2).map(tuple),
        accounts=st.lists(_accounts | st.just("*"), max_size=2).map(tuple),
        windows=_windows,
        starts_at=_moments,
        expires_at=_moments,
    ),
    max_size=6,
)
_permissions = st.sets(st.sampled_from(["*", "executions:run_as_root", *set(RIGHTS.values())]))
_requests = st.builds(
    Request,
    action=st.sampled_from(Action),
    object_type=st.sampled_from([*HOSTS, ObjectType.EXECUTION]),
    object_id=_ids,
    groups=st.lists(_ids, max_size=2, unique=True).map(tuple),
    what=_what,
    account=_accounts,
)


def _in_window(window: Window, now: datetime) -> bool:
    """Walks every minute of a window that begins on one of its days, as people read it."""
    here = now.astimezone(ZoneInfo(window.zone)).replace(tzinfo=None, second=0, microsecond=0)
    hours, minutes = (int(part) for part in window.start.split(":"))
    until_hours, until_minutes = (int(part) for part in window.until.split(":"))
    for back in (0, 1):
        day = (here - timedelta(days=back)).replace(hour=0, minute=0)
        if day.isoweekday() not in window.days:
            continue
        begins = day + timedelta(hours=hours, minutes=minutes)
        ends = day + timedelta(hours=until_hours, minutes=until_minutes)
        if ends <= begins:
            ends += timedelta(days=1)
        if begins <= here < ends:
            return True
    return False


def _covers(one: GrantRow, request: Request, now: datetime) -> bool:
    """Every part of the request, by this row alone."""
    named = one.object_type == request.object_type and (
        request.object_id in one.object_ids or "*" in one.object_ids
    )
    around = (
        request.object_type in HOSTS
        and one.object_type is ObjectType.HOST_GROUP
        and bool(request.groups)
        and (bool(set(request.groups) & set(one.object_ids)) or "*" in one.object_ids)
    )
    acts = request.action in one.actions or request.action is Action.VIEW
    begun = one.starts_at is None or now >= one.starts_at
    going_on = one.expires_at is None or now < one.expires_at
    hour = one.windows is None or any(_in_window(window, now) for window in one.windows)
    runs = request.action is Action.EXECUTE and request.object_type in HOSTS
    what = not runs or "*" in one.what or request.what in one.what
    account = not runs or "*" in one.accounts or request.account in one.accounts
    return acts and (named or around) and begun and going_on and hour and what and account


def _plainly(
    permissions: set[str],
    rows: Sequence[GrantRow],
    request: Request,
    now: datetime,
    scopes: set[str] | None = None,
) -> bool:
    """A token does what its owner may do, as far as its scopes would do by themselves."""
    if scopes is not None:
        within = _plainly(scopes, (), request, now)
        return within and _plainly(permissions, rows, request, now)
    right = RIGHTS[request.object_type, request.action]
    if right in permissions or "*" in permissions:
        runs = request.action is Action.EXECUTE and request.object_type in HOSTS
        as_root = {"*", "executions:run_as_root"} & permissions
        if not runs or request.account == "deploy" or as_root:
            return True
    return any(_covers(one, request, now) for one in rows)


def _as_asked(
    permissions: set[str], rows: Sequence[GrantRow], scopes: set[str] | None
) -> AccessSet:
    """What decides about a login, or about an API token with these scopes."""
    whole = AccessSet(permissions, rows)
    if scopes is None:
        return whole
    return whole.narrowed(effective(scopes, permissions), frozenset(scopes))


@settings(max_examples=1500, deadline=None)
@given(
    _permissions,
    _rows,
    _requests,
    st.sampled_from([NOON, NOON - HOUR, NOON + 9 * HOUR]),
    st.none() | _permissions,
)
def test_decisions_are_those_of_a_plain_reading(
    permissions: set[str],
    rows: list[GrantRow],
    request: Request,
    now: datetime,
    scopes: set[str] | None,
) -> None:
    decision = decide(_as_asked(permissions, rows, scopes), request, now)

    assert decision.allowed == _plainly(permissions, rows, request, now, scopes)
    assert decision.allowed == (decision.missing is None)
    if decision.row_id is not None:
        ids = [one.id for one in rows if _covers(one, request, now)]
        assert decision.row_id in ids


@settings(max_examples=700, deadline=None)
@given(
    _permissions, _rows, st.sampled_from([*HOSTS, ObjectType.EXECUTION]), st.none() | _permissions
)
def test_the_visible_set_is_what_single_decisions_say(
    permissions: set[str], rows: list[GrantRow], kind: ObjectType, scopes: set[str] | None
) -> None:
    access = _as_asked(permissions, rows, scopes)
    seen = access.visible(kind, Action.VIEW, NOON)

    for object_id in ("1", "2", "9"):
        for groups in ((), ("3",), ("1", "7")):
            if groups and kind not in HOSTS:
                continue
            in_groups = bool(seen.groups & set(groups)) or (bool(groups) and "*" in seen.groups)
            asked = Request(Action.VIEW, kind, object_id, groups)
            assert decide(access, asked, NOON).allowed == (
                seen.everything or object_id in seen.ids or in_groups
            )


# ---- the parts -------------------------------------------------------------------------------


def test_two_rows_are_never_combined() -> None:
    rows = [
        row(1, object_ids=["5"], accounts=["deploy"], what=["job_template:1"]),
        row(2, object_ids=["6"], accounts=["root"], what=["adhoc"]),
    ]
    access = AccessSet((), rows)

    assert decide(access, run("5", what="job_template:1"), NOON).row_id == 1
    assert decide(access, run("6", account="root"), NOON).row_id == 2
    assert not decide(access, run("5", account="root"), NOON).allowed
    assert not decide(access, run("6"), NOON).allowed
    assert not decide(access, run("5"), NOON).allowed


@pytest.mark.parametrize(
    ("rows", "asked", "missing"),
    [
        ([], run(), Missing.ACTION),
        ([row(actions=["view"])], run(), Missing.ACTION),
        ([row(object_ids=["6"])], run(), Missing.OBJECT),
        ([row(expires_at=NOON)], run(), Missing.TIME),
        ([row(starts_at=NOON + HOUR)], run(), Missing.TIME),
        ([row(what=["job_template:3"])], run(), Missing.WHAT),
        ([row()], run(account="root"), Missing.ACCOUNT),
        ([row(windows=[{"days": [6, 7], "start": "08:00", "until": "18:00"}])], run(),
         Missing.WINDOW),
        ([row(1, expires_at=NOON), row(2)], run(account="root"), Missing.ACCOUNT),
    ],
)  # fmt: skip
def test_a_refusal_names_what_the_nearest_row_lacks(
    rows: list[GrantRow], asked: Request, missing: Missing
) -> None:
    assert decide(AccessSet((), rows), asked, NOON).missing is missing


def test_a_permission_alone_does_not_run_as_root() -> None:
    may_run = AccessSet({"executions:run"})

    assert decide(may_run, run(), NOON).permission == "executions:run"
    for account in ("root", "0", "@agent"):
        assert decide(may_run, run(account=account), NOON).missing is Missing.ROOT
    both = AccessSet({"executions:run", "executions:run_as_root"})
    assert decide(both, run(account="root"), NOON).allowed
    by_row = AccessSet({"executions:run"}, [row(accounts=["root"])])
    assert decide(by_row, run(account="root"), NOON).row_id == 1


def test_groups_give_what_lies_in_them_and_a_star_of_groups_needs_a_group() -> None:
    access = AccessSet((), [row(object_type="host_group", object_ids=["2"])])
    every = AccessSet((), [row(object_type="host_group", object_ids=["*"])])

    assert decide(access, run("77", groups=("9", "2")), NOON).allowed
    assert not decide(access, run("77", groups=("9",)), NOON).allowed
    assert not decide(access, run("2"), NOON).allowed
    assert decide(every, run("77", groups=("9",)), NOON).allowed
    assert not decide(every, run("77"), NOON).allowed


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = Window(days=(3,), start="22:00", until="06:00", zone="Asia/Shanghai")
    wednesday = datetime(2026, 11, 18, tzinfo=UTC)  # 08:00 in Shanghai

    assert not night.holds(wednesday)
    assert night.holds(wednesday + timedelta(hours=14))
    assert night.holds(wednesday + timedelta(hours=21, minutes=59))
    assert not night.holds(wednesday + timedelta(hours=22))
    assert not night.holds(wednesday - timedelta(hours=3))


def test_a_window_opens_and_ends_to_the_microsecond_in_whatever_order_moments_are_asked() -> None:
    moment = timedelta(microseconds=1)
    minute = Window(days=(3,), start="12:00", until="12:01")
    begin, end = NOON, NOON + timedelta(minutes=1)

    for _ in range(2):
        for now, inside in (
            *((begin - moment, False), (begin, True), (end - moment, True), (end, False)),
            *((end + 24 * HOUR, False), (begin + 7 * 24 * HOUR, True), (begin - HOUR, False)),
        ):
            assert minute.holds(now) is inside
            assert minute.holds(now.astimezone(ZoneInfo("Asia/Shanghai"))) is inside


def test_a_narrower_principal_keeps_the_rows_and_loses_the_permission() -> None:
    access = AccessSet({"*"}, [row()]).narrowed(frozenset())

    assert decide(access, run(), NOON).row_id == 1
    assert not decide(access, run("6"), NOON).allowed


@pytest.mark.parametrize(
    ("scopes", "asked", "lacking"),
    [
        ({"hosts:read"}, run(), "executions:run"),
        ({"executions:run"}, run(account="root"), "executions:run_as_root"),
        ({"executions:run"}, Request(Action.VIEW, ObjectType.HOST, "5"), "hosts:read"),
    ],
)
def test_a_refusal_names_the_scope_that_a_token_lacks(
    scopes: set[str], asked: Request, lacking: str
) -> None:
    token = _as_asked(set(), [row(accounts=["*"])], scopes)

    decision = decide(token, asked, NOON)

    assert (decision.missing, decision.permission) == (Missing.SCOPE, lacking)
    assert decide(_as_asked(set(), [row(accounts=["*"])], {lacking, *scopes}), asked, NOON).allowed

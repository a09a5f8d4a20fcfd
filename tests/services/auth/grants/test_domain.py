"""Nobody gives more than they hold: what a giver's new row allows, the giver may do already."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.access import AccessSet, Request, decide
from libs.contracts.grants import RIGHTS, Action, GrantRow, ObjectType, Window
from services.auth.grants.domain import Lineage, Part, judged

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = (ObjectType.HOST, ObjectType.HOST_GROUP)
DAY = Window(days=(1, 2, 3, 4, 5), start="08:00", until="18:00")
LINEAGE = {
    (ObjectType.HOST, "1"): frozenset(("1", "2")),
    (ObjectType.HOST, "2"): frozenset(("2",)),
    (ObjectType.HOST, "3"): frozenset(),
    (ObjectType.HOST_GROUP, "1"): frozenset(("1", "2")),
    (ObjectType.HOST_GROUP, "2"): frozenset(("2",)),
    (ObjectType.HOST_GROUP, "3"): frozenset(("3",)),
}

_parts = {
    "actions": st.lists(st.sampled_from(Action), min_size=1, max_size=3, unique=True).map(tuple),
    "object_type": st.sampled_from(KINDS),
    "object_ids": st.lists(st.sampled_from("123*"), min_size=1, max_size=2, unique=True).map(tuple),
    "what": st.lists(st.sampled_from(["adhoc", "file", "*"]), min_size=1, max_size=2).map(tuple),
    "accounts": st.lists(st.sampled_from(["root", "app", "*"]), min_size=1, max_size=2).map(tuple),
    "windows": st.none() | st.just((DAY,)),
    "expires_at": st.none() | st.sampled_from([NOON + HOUR, NOON + 2 * HOUR]),
}
_rows = st.lists(st.builds(GrantRow, id=st.integers(1, 9), **_parts), max_size=4)
_permissions = st.sets(st.sampled_from(["executions:run_as_root", *set(RIGHTS.values())]))


@settings(max_examples=1500, deadline=None)
@given(_permissions, _rows, st.builds(Part, **_parts))
def test_what_is_given_the_giver_may_do_as_long(
    permissions: set[str], rows: list[GrantRow], part: Part
) -> None:
    giver = AccessSet(permissions, rows)
    if beyond(giver, part, NOON, LINEAGE):
        return
    given_row = GrantRow(
        id=99,
        actions=part.actions,
        object_type=part.object_type,
        object_ids=part.object_ids,
        what=part.what,
        accounts=part.accounts,
        windows=part.windows,
        expires_at=part.expires_at,
    )
    taker = AccessSet((), [given_row])

    for now in (NOON, NOON + 61 * timedelta(minutes=1), NOON + 7 * HOUR):
        for kind, one in LINEAGE:
            groups = sorted(LINEAGE[kind, one])
            for action in (*part.actions, Action.VIEW):
                for what, account in (("adhoc", "root"), ("file", "app"), ("adhoc", "app")):
                    asked = Request(action, kind, one, groups, what, account)
                    if decide(taker, asked, now).allowed:
                        assert decide(giver, asked, now).allowed, (asked, now)


def beyond(giver: AccessSet, part: Part, now: datetime, lineage: Lineage) -> list[str]:
    return list(judged(giver, part, now, lineage).beyond)


def _row(**more: object) -> GrantRow:
    whole: dict[str, object] = {
        "id": 1,
        "actions": ["execute", "grant"],
        "object_type": "host_group",
        "object_ids": ["2"],
        "what": ["adhoc"],
        "accounts": ["app"],
    }
    return GrantRow.model_validate(whole | more)


def _part(**more: object) -> Part:
    whole: dict[str, object] = {
        "actions": (Action.EXECUTE,),
        "object_type": ObjectType.HOST,
        "object_ids": ("1",),
        "what": ("adhoc",),
        "accounts": ("app",),
        "windows": None,
    }
    return Part(**(whole | more))  # type: ignore[arg-type]  # fields by name


def test_a_row_with_grant_passes_on_what_it_covers_and_no_more() -> None:
    giver = AccessSet((), [_row(expires_at=NOON + HOUR)])
    end = NOON + HOUR

    assert not beyond(giver, _part(expires_at=end), NOON, LINEAGE)
    for more in (
        {"expires_at": None},
        {"expires_at": end + HOUR},
        {"expires_at": end, "accounts": ("app", "root")},
        {"expires_at": end, "accounts": ("*",)},
        {"expires_at": end, "what": ("*",)},
        {"expires_at": end, "object_ids": ("1", "3")},
        {"expires_at": end, "object_ids": ("*",)},
        {"expires_at": end, "actions": (Action.EXECUTE, Action.EDIT)},
    ):
        assert beyond(giver, _part(**more), NOON, LINEAGE), more
    assert beyond(giver, _part(expires_at=end), NOON + 2 * HOUR, LINEAGE)


@pytest.mark.parametrize("actions", [["execute"], ["view", "execute"]])
def test_a_row_without_grant_passes_nothing_on(actions: list[str]) -> None:
    giver = AccessSet((), [_row(actions=actions)])

    assert beyond(giver, _part(), NOON, LINEAGE) == ["execute host 1", "view host 1"]
    writer = AccessSet({"permissions:write"}, [_row(actions=actions)])
    assert not beyond(writer, _part(), NOON, LINEAGE)


def test_a_permission_without_root_gives_no_root() -> None:
    giver = AccessSet({"permissions:write", "executions:run", "hosts:read"})

    assert not beyond(giver, _part(), NOON, LINEAGE)
    for accounts in (("root",), ("@agent",), ("*",), ("app", "root")):
        assert beyond(giver, _part(accounts=accounts), NOON, LINEAGE)
    assert beyond(AccessSet({"executions:run"}), _part(), NOON, LINEAGE)


def test_who_may_not_see_gives_no_action_that_shows() -> None:
    clerk = AccessSet({"permissions:write", "executions:run"})

    for action in (Action.GRANT, Action.EXECUTE):
        assert beyond(clerk, _part(actions=(action,)), NOON, LINEAGE) == ["view host 1"]


def test_two_rows_of_a_giver_are_never_combined() -> None:
    giver = AccessSet((), [_row(), _row(id=2, object_ids=["3"], accounts=["root"])])

    assert beyond(giver, _part(accounts=("app", "root")), NOON, LINEAGE)
    assert beyond(giver, _part(accounts=("root",)), NOON, LINEAGE)


def test_hours_can_be_kept_and_not_widened() -> None:
    giver = AccessSet((), [_row(windows=[DAY.model_dump()])])

    assert not beyond(giver, _part(windows=(DAY,)), NOON, LINEAGE)
    assert beyond(giver, _part(), NOON, LINEAGE)
    other = Window(days=(6,), start="08:00", until="18:00")
    assert beyond(giver, _part(windows=(DAY, other)), NOON, LINEAGE)


def test_what_is_given_rests_on_the_rows_that_it_needs_and_on_no_others() -> None:
    lasting = _row(id=2, expires_at=None)
    giver = AccessSet((), [_row(id=1, expires_at=NOON + HOUR), lasting, _row(id=3, what=["file"])])
    writer = AccessSet({"permissions:write", "hosts:read"}, [lasting])

    assert judged(giver, _part(expires_at=NOON + HOUR), NOON, LINEAGE).rests_on == {2}
    assert judged(writer, _part(), NOON, LINEAGE).rests_on == {2}
    assert judged(writer, _part(actions=(Action.VIEW,)), NOON, LINEAGE).rests_on == frozenset()


@pytest.mark.parametrize(
    ("scopes", "accounts", "allowed"),
    [
        ({"permissions:write", "hosts:read", "executions:run"}, ("app",), True),
        ({"hosts:read", "executions:run"}, ("app",), False),
        ({"permissions:write", "executions:run"}, ("app",), False),
        ({"permissions:write", "hosts:read", "executions:run"}, ("root",), False),
        ({"*"}, ("root",), True),
    ],
)
def test_a_token_gives_within_its_scopes(
    scopes: set[str], accounts: tuple[str, ...], allowed: bool
) -> None:
    whole = AccessSet((), [_row(accounts=["*"])])
    token = whole.narrowed(frozenset(), frozenset(scopes))

    assert (not beyond(token, _part(accounts=accounts), NOON, LINEAGE)) is allowed

"""Roles mean what casbin says, and delays grow as documented."""

from itertools import chain, combinations

import pytest

from services.auth.domain import (
    PERMISSIONS,
    Role,
    account_delay,
    address_delay,
    delay_keys,
    enforcer,
    hash_password,
    password_matches,
    permissions_of,
    username_key,
)

ROLE_SETS = list(chain.from_iterable(combinations(Role, size) for size in range(len(Role) + 1)))


@pytest.mark.parametrize("roles", ROLE_SETS, ids=lambda roles: "+".join(roles) or "none")
def test_compiled_permissions_are_what_casbin_decides(roles: tuple[Role, ...]) -> None:
    compiled = permissions_of(roles)

    for permission in PERMISSIONS:
        decided = any(enforcer().enforce(str(role), permission) for role in roles)
        assert (permission in compiled or "*" in compiled) == decided


def test_each_role_holds_what_the_plan_of_roles_says() -> None:
    reading = {"hosts:read", "agents:read", "executions:read", "templates:read"}
    reading |= {"plans:read", "schedules:read", "rules:read"}

    assert permissions_of([Role.ADMIN]) == {"*"}
    operating = {"executions:run", "executions:run_as_root", "executions:cancel"}
    operating |= {"executions:operate", "accounts:use"}
    assert permissions_of([Role.OPERATOR]) == reading | operating
    assert permissions_of([Role.VIEWER]) == reading
    assert permissions_of([Role.MEMBER]) == frozenset()
    assert permissions_of([Role.AUDITOR]) >= reading | {"audit:read", "users:read"}
    assert not any(not name.endswith(":read") for name in permissions_of([Role.AUDITOR]))


def test_a_role_that_does_not_exist_allows_nothing() -> None:
    assert permissions_of(["root", "*", ""]) == frozenset()


def test_delays_are_exponential_and_bounded() -> None:
    assert [account_delay(n).total_seconds() for n in (1, 4, 5, 6, 7, 12, 13, 14, 10_000)] == [
        0, 0, 1, 2, 4, 128, 256, 300, 300,
    ]  # fmt: skip
    assert [address_delay(n).total_seconds() for n in (99, 100, 104, 105, 10_000)] == [
        0, 1, 16, 30, 30,
    ]  # fmt: skip


@pytest.mark.parametrize("twin", ["Zoe\u0308", "zo\u00eb", "ZO\u00cb", " zo\u00eb "])
def test_names_that_look_the_same_are_the_same(twin: str) -> None:
    assert username_key(twin) == username_key("Zo\u00eb")


def test_the_whole_password_counts() -> None:
    stored = hash_password("x" * 72 + "one")

    assert password_matches(stored, "x" * 72 + "one")
    assert not password_matches(stored, "x" * 72 + "two")


def test_composed_and_decomposed_spellings_of_a_password_are_one() -> None:
    assert password_matches(hash_password("caf\u00e9-caf\u00e9"), "cafe\u0301-cafe\u0301")


def test_a_hash_that_is_none_matches_nothing() -> None:
    assert not password_matches("not a hash", "password")


def test_failures_of_an_address_count_for_no_account() -> None:
    keys = {*delay_keys("", "192.0.2.1"), *delay_keys("ann", "192.0.2.1")}

    assert len(keys) == 5
    assert delay_keys("", "192.0.2.1").account_here != delay_keys("ann", "192.0.2.1").address

"""Logging in with a password of a real OpenLDAP directory: who, and with which groups."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from libs.kit.auth import Principal
from libs.kit.service import Service
from services.auth.app import service
from services.auth.directory.service import DirectoryWatch
from services.auth.domain import Role
from services.auth.users.schemas import UserPatch
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD as LOCAL_PASSWORD
from tests.services.auth.conftest import make_user
from tests.services.auth.directory.conftest import login, make_group, user_of
from tests.support.doors import Door, error_of, opened
from tests.support.slapd import (
    BASE,
    BINARY,
    DEV,
    OPS,
    PASSWORD,
    Slapd,
)

pytestmark = pytest.mark.skipif(BINARY is None, reason="there is no slapd on this machine")


# ---- who gets in -----------------------------------------------------------------------------


async def test_the_first_login_makes_a_user_of_the_directory(door: Door) -> None:
    user = await user_of(door, await login(door, "ann"))

    assert user["username"] == "ann"
    assert user["display_name"] == "Ann Archer"
    assert user["email"] == "ann@corp.test"
    assert user["roles"] == ["operator"]


async def test_the_same_person_is_the_same_user(door: Door) -> None:
    first = await user_of(door, await login(door, "ann"))
    again = await user_of(door, await login(door, " ANN"))

    assert again["id"] == first["id"]


async def test_ten_first_logins_at_once_make_one_user(door: Door, slapd: Slapd) -> None:
    slapd.add_person("many")

    answers = await asyncio.gather(*(login(door, "many") for _ in range(10)))

    assert [answer.text for answer in answers if answer.status_code != 200] == []
    assert len({answer.json()["content"]["user"]["id"] for answer in answers}) == 1


async def test_logins_at_once_after_a_change_of_groups_all_get_in(door: Door, slapd: Slapd) -> None:
    operations = await make_group(door, "Operations", "operations")
    slapd.add_person("joins")
    await login(door, "joins")
    slapd.set_groups({OPS: ["ann", "joins"]})

    answers = await asyncio.gather(*(login(door, "joins") for _ in range(10)))
    slapd.set_groups({OPS: ["ann"]})

    assert [answer.text for answer in answers if answer.status_code != 200] == []
    user = await user_of(door, answers[0])
    assert (user["roles"], user["groups"]) == (
        ["operator"],
        [{"id": operations, "name": "Operations"}],
    )


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("ann", "wrong", id="wrong password"),
        pytest.param("nobody", PASSWORD, id="unknown"),
        pytest.param("ann", "", id="empty password, an anonymous visitor for a server"),
        pytest.param("ann", "\u00ad", id="a password of which preparation leaves nothing"),
        pytest.param("*", PASSWORD, id="a filter that fits all"),
        pytest.param("ann)(uid=*", PASSWORD, id="a filter put together"),
        pytest.param("*)(|(uid=ann", PASSWORD, id="another one"),
        pytest.param("ann\\2a", PASSWORD, id="an escape"),
        pytest.param(
            "\uff41\uff4e\uff4e", PASSWORD, id="letters that a directory takes for others"
        ),
        pytest.param("", "", id="nothing"),
        pytest.param("ann", PASSWORD + "x" * 300, id="too long"),
        pytest.param("x" * 5000, PASSWORD, id="a long name"),
    ],
)
async def test_everybody_else_gets_one_answer(door: Door, username: str, password: str) -> None:
    answer = await login(door, username, password)

    assert error_of(answer, 401) == "invalid_credentials"
    assert "set-cookie" not in answer.headers
    assert answer.json()["content"]["details"] == {}


async def test_a_local_name_is_never_taken_over(door: Door, slapd: Slapd) -> None:
    slapd.add_person("root-of-here")
    mine = await make_user(door.use_cases(Users), "Root-of-here", Role.ADMIN)

    assert error_of(await login(door, "root-of-here"), 401) == "invalid_credentials"
    answer = await login(door, "root-of-here", LOCAL_PASSWORD)
    assert answer.json()["content"]["user"]["id"] == mine.id


async def test_a_new_person_under_an_old_name_is_not_the_old_one(door: Door, slapd: Slapd) -> None:
    slapd.add_person("temp")
    assert (await login(door, "temp")).status_code == 200
    slapd.remove("temp")
    slapd.add_person("temp")

    assert error_of(await login(door, "temp"), 401) == "invalid_credentials"


async def test_who_is_disabled_in_the_directory_stays_outside(door: Door, slapd: Slapd) -> None:
    slapd.add_person("left")
    assert (await login(door, "left")).status_code == 200

    slapd.disable("left")

    assert error_of(await login(door, "left"), 401) == "invalid_credentials"


async def test_who_is_disabled_here_stays_outside(door: Door, slapd: Slapd) -> None:
    slapd.add_person("banned")
    user = await user_of(door, await login(door, "banned"))
    users = door.use_cases(Users)
    await users.change(int(str(user["id"])), UserPatch(is_active=False))

    assert error_of(await login(door, "banned"), 401) == "invalid_credentials"


async def test_guessing_at_a_password_of_the_directory_is_slowed_down(
    door: Door, slapd: Slapd
) -> None:
    slapd.add_person("guessed")
    for _ in range(3):
        await login(door, "guessed", "wrong")

    assert error_of(await login(door, "guessed"), 401) == "captcha_required"


# ---- groups ----------------------------------------------------------------------------------


async def test_groups_of_the_directory_give_and_take_at_every_login(
    door: Door, slapd: Slapd
) -> None:
    operations = await make_group(door, "Operations", "operations")
    slapd.add_person("gil")
    slapd.set_groups({OPS: ["ann", "gil"]})
    before = await user_of(door, await login(door, "gil"))

    slapd.set_groups({OPS: ["ann"], DEV: ["gil"]})
    after = await user_of(door, await login(door, "gil"))
    slapd.set_groups({OPS: ["ann"]})
    none = await user_of(door, await login(door, "gil"))

    assert (before["roles"], before["groups"]) == (
        ["operator"],
        [{"id": operations, "name": "Operations"}],
    )
    assert (after["roles"], after["groups"]) == (["viewer"], [])
    assert (none["roles"], none["groups"]) == ([], [])


async def test_what_was_given_here_stays(door: Door, slapd: Slapd) -> None:
    slapd.add_person("hal")
    user = await user_of(door, await login(door, "hal"))
    users = door.use_cases(Users)
    await users.change(int(str(user["id"])), UserPatch(roles=["auditor", "viewer"]))

    again = await user_of(door, await login(door, "hal"))

    assert again["roles"] == ["auditor"]


async def test_the_last_administrator_keeps_the_role(
    configured: Callable[..., None],
    database_url: Callable[[Service], str],
    tmp_path: Path,
    slapd: Slapd,
) -> None:
    configured(groups=json.dumps({OPS: ["role:admin"]}))
    slapd.add_person("chief")
    slapd.set_groups({OPS: ["ann", "chief"]})
    async with opened(service, database_url(service), tmp_path) as door:
        await login(door, "chief")
        slapd.set_groups({OPS: ["ann"]})

        kept = await user_of(door, await login(door, "chief"))
        await login(door, "ann")
        gone = await user_of(door, await login(door, "chief"))

    assert kept["roles"] == ["admin"]
    assert gone["roles"] == []


async def test_only_members_of_groups_that_count_come_in_if_so_wished(
    configured: Callable[..., None],
    database_url: Callable[[Service], str],
    tmp_path: Path,
    slapd: Slapd,
) -> None:
    configured(provision="mapped")
    slapd.add_person("ivy")
    slapd.set_groups({OPS: ["ann"]})
    async with opened(service, database_url(service), tmp_path) as door:
        assert error_of(await login(door, "ivy"), 401) == "invalid_credentials"
        assert (await login(door, "ann")).status_code == 200
        total = (await door.content("GET", "/api/auth/users"))["total"]

    assert total == 1


async def test_a_password_of_the_directory_is_not_changed_here(door: Door) -> None:
    user = await user_of(door, await login(door, "ann"))
    ann = Principal(int(str(user["id"])), "ann")
    change = {"current_password": PASSWORD, "new_password": "a new one for here"}

    by_ann = await door.request("POST", "/api/auth/password", by=ann, json=change)
    by_admin = await door.request("POST", f"/api/auth/users/{ann.id}/reset_password")

    assert user["origin"] == "directory"
    assert error_of(by_ann, 409) == "password_elsewhere"
    assert error_of(by_admin, 409) == "password_elsewhere"


# ---- who left ----------------------------------------------------------------------------------


async def test_what_somebody_left_open_ends_when_the_directory_knows_them_no_more(
    door: Door, slapd: Slapd
) -> None:
    slapd.add_person("leaver")
    slapd.add_person("blocked")
    opened_here = {}
    for name in ("ann", "leaver", "blocked"):
        opened_here[name] = (await login(door, name)).json()["content"]["refresh_token"]
    slapd.remove("leaver")
    slapd.disable("blocked")

    disabled = await door.use_cases(DirectoryWatch).look()

    assert disabled == 2
    statuses = {}
    for name, token in opened_here.items():
        body = {"refresh_token": token}
        answer = await door.request("POST", "/api/auth/refresh", by=None, json=body)
        statuses[name] = answer.status_code
    assert statuses == {"ann": 200, "leaver": 401, "blocked": 401}
    assert await door.use_cases(DirectoryWatch).look() == 0


async def test_a_directory_that_knows_nobody_any_more_disables_nobody(
    configured: Callable[..., None],
    database_url: Callable[[Service], str],
    tmp_path: Path,
    door: Door,
    slapd: Slapd,
) -> None:
    slapd.add_person("one")
    await login(door, "one")
    await login(door, "ann")
    configured(base_dn=f"ou=groups,{BASE}")
    async with opened(service, database_url(service), tmp_path) as other:
        assert (await other.content("GET", "/api/auth/users"))["total"] == 2
        assert await other.use_cases(DirectoryWatch).look() == 0

    assert (await login(door, "one")).status_code == 200


# ---- the second factor -----------------------------------------------------------------------


async def test_people_of_the_directory_prove_their_password_there_before_a_setup(
    door: Door,
) -> None:
    me = (await login(door, "ann")).json()["content"]["user"]
    ann = Principal(me["id"], "ann")
    path = "/api/auth/mfa/setup"

    wrong = await door.request("POST", path, by=ann, json={"current_password": "wrong"})
    good = await door.request("POST", path, by=ann, json={"current_password": PASSWORD})

    assert error_of(wrong, 422) == "current_password_wrong"
    assert good.status_code == 200


async def test_a_policy_asks_people_of_the_directory_too(
    configured: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    database_url: Callable[[Service], str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("OPSJOB_AUTH_MFA_POLICY", "required")
    async with opened(service, database_url(service), tmp_path) as door:
        assert error_of(await login(door, "ann"), 401) == "otp_enrolment_required"

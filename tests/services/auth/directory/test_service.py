"""Logging in with a password of a real OpenLDAP directory."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from libs.kit.auth import Principal
from libs.kit.db import Transaction
from libs.kit.service import Service
from services.auth.app import service
from services.auth.domain import Role
from services.auth.models import UserGroup
from services.auth.settings import DirectorySettings
from services.auth.users.schemas import UserPatch
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD as LOCAL_PASSWORD
from tests.services.auth.conftest import make_user
from tests.support.certificates import Authority
from tests.support.doors import Door, error_of, opened
from tests.support.slapd import (
    BASE,
    BINARY,
    DEV,
    OPS,
    PASSWORD,
    SEARCHER,
    SEARCHER_PASSWORD,
    Slapd,
    started,
)

pytestmark = pytest.mark.skipif(BINARY is None, reason="there is no slapd on this machine")

PREFIX = "OPSJOB_AUTH_DIRECTORY_"
GROUPS = {
    f"CN=ops, OU=groups, {BASE}": ["role:operator", "group:Operations"],
    DEV: ["role:viewer", "group:Nowhere"],
}


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """One server for all these tests; each uses people of its own."""
    with started(tmp_path_factory.mktemp("slapd") / "server") as server:
        server.add_person("ann", displayName="Ann Archer", mail="ann@corp.test")
        server.set_groups({OPS: ["ann"]})
        yield server


@pytest.fixture
def configured(slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Points the service at the directory; keywords replace single settings."""

    def configure(**changed: str) -> None:
        settings = {
            "urls": slapd.url,
            "ca_file": str(slapd.ca_file),
            "bind_dn": SEARCHER,
            "bind_password": SEARCHER_PASSWORD,
            "base_dn": BASE,
            "group_base_dn": f"ou=groups,{BASE}",
            "groups": json.dumps(GROUPS),
            **changed,
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)

    configure()
    return configure


@pytest.fixture
async def door(configured: Callable[..., None], door: Door) -> Door:
    """The service, which knows the directory."""
    return door


async def login(door: Door, username: str, password: str = PASSWORD) -> httpx.Response:
    body = {"username": username, "password": password}
    return await door.request("POST", "/api/auth/login", by=None, json=body)


async def user_of(door: Door, answer: httpx.Response) -> dict[str, object]:
    assert answer.status_code == 200, answer.text
    user_id = answer.json()["content"]["user"]["id"]
    return await door.content("GET", f"/api/auth/users/{user_id}")


async def make_group(door: Door, name: str, key: str) -> int:
    def make(tx: Transaction) -> int:
        group = UserGroup(name=name, name_key=key, created_at=tx.now, updated_at=tx.now)
        tx.add(group)
        tx.flush()
        return group.id

    made: int = await door.app.state.database.write(make)
    return made


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


async def test_fifty_first_logins_at_once_make_one_user(door: Door, slapd: Slapd) -> None:
    slapd.add_person("many")

    answers = await asyncio.gather(*(login(door, "many") for _ in range(10)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["content"]["user"]["id"] for answer in answers}) == 1


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


# ---- the connection --------------------------------------------------------------------------


async def test_start_tls_leads_to_the_same(
    configured: Callable[..., None],
    database_url: Callable[[Service], str],
    tmp_path: Path,
    slapd: Slapd,
) -> None:
    configured(urls=slapd.plain_url)
    async with opened(service, database_url(service), tmp_path) as door:
        assert (await login(door, "ann")).status_code == 200


@pytest.mark.parametrize("trust", ["another authority", "another name"])
@pytest.mark.parametrize("encryption", ["ldaps", "start_tls"])
async def test_a_server_that_cannot_prove_itself_hears_no_password(
    configured: Callable[..., None],
    database_url: Callable[[Service], str],
    tmp_path: Path,
    slapd: Slapd,
    trust: str,
    encryption: str,
) -> None:
    url = slapd.url if encryption == "ldaps" else slapd.plain_url
    if trust == "another name":
        configured(urls=url.replace("localhost", "127.0.0.1"))
    else:
        configured(urls=url, ca_file=str(Authority(tmp_path).ca_file))
    async with opened(service, database_url(service), tmp_path) as door:
        assert error_of(await login(door, "ann"), 503) == "directory_unavailable"


async def test_the_next_server_is_asked_when_one_is_down(
    configured: Callable[..., None],
    database_url: Callable[[Service], str],
    tmp_path: Path,
    slapd: Slapd,
) -> None:
    configured(urls=f"{nowhere()}, {slapd.url}")
    async with opened(service, database_url(service), tmp_path) as door:
        assert (await login(door, "ann")).status_code == 200


async def test_without_the_directory_users_of_here_still_log_in(
    configured: Callable[..., None], database_url: Callable[[Service], str], tmp_path: Path
) -> None:
    configured(urls=nowhere())
    async with opened(service, database_url(service), tmp_path) as door:
        await make_user(door.use_cases(Users), "lea")

        answer = await login(door, "ann")

        assert error_of(answer, 503) == "directory_unavailable"
        assert int(answer.headers["retry-after"]) >= 1
        assert (await login(door, "lea", LOCAL_PASSWORD)).status_code == 200
        assert error_of(await login(door, "lea", "wrong"), 401) == "invalid_credentials"


async def test_a_directory_that_says_nothing_is_given_up_after_a_while(
    configured: Callable[..., None], database_url: Callable[[Service], str], tmp_path: Path
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        configured(urls=f"ldaps://127.0.0.1:{silent.getsockname()[1]}", seconds="1")
        async with opened(service, database_url(service), tmp_path) as door:
            answer = await asyncio.wait_for(login(door, "ann"), 10)

    assert error_of(answer, 503) == "directory_unavailable"


async def test_a_searching_account_that_is_refused_is_not_the_persons_fault(
    configured: Callable[..., None], database_url: Callable[[Service], str], tmp_path: Path
) -> None:
    configured(bind_password="changed meanwhile")
    async with opened(service, database_url(service), tmp_path) as door:
        assert error_of(await login(door, "ann"), 503) == "directory_unavailable"


def nowhere() -> str:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"ldaps://127.0.0.1:{probe.getsockname()[1]}"


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


# ---- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"urls": "http://ldap.corp.test"},
        {"urls": "ldaps://user@ldap.corp.test"},
        {"base_dn": ""},
        {"user_filter": "(uid=ann)"},
        {"group_filter": "(member=ann)"},
        {"bind_password": ""},
        {"groups": '{"cn=ops": ["operator"]}'},
        {"provision": "some"},
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    configured: Callable[..., None], wrong: dict[str, str]
) -> None:
    configured(**wrong)

    with pytest.raises(ValidationError):
        DirectorySettings()

"""The connection to a real OpenLDAP directory: encryption, failures, settings."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from libs.kit.service import Service
from services.auth.app import service
from services.auth.settings import DirectorySettings
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD as LOCAL_PASSWORD
from tests.services.auth.conftest import make_user
from tests.services.auth.directory.conftest import login
from tests.support.certificates import Authority
from tests.support.doors import error_of, opened
from tests.support.slapd import (
    BINARY,
    Slapd,
)

pytestmark = pytest.mark.skipif(BINARY is None, reason="there is no slapd on this machine")


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

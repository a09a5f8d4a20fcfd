"""A real OpenLDAP server, and the service pointed at it."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from libs.kit.db import Transaction
from services.auth.models import UserGroup
from tests.support.doors import Door
from tests.support.slapd import (
    BASE,
    DEV,
    OPS,
    PASSWORD,
    SEARCHER,
    SEARCHER_PASSWORD,
    Slapd,
    started,
)

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

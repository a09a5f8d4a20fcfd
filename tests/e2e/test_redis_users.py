"""S57: a platform at work asks Valkey for nothing that its users may not do."""

import os
from typing import cast
from urllib.parse import quote

import httpx
import pytest
from redis import Redis

from services.embedded.valkey_users import USERS
from tests.support.platform import Platform

pytestmark = pytest.mark.processes


def test_a_platform_at_work_is_refused_nothing(platform: Platform, admin: httpx.Client) -> None:
    """Also of what every earlier test of this session did with the shared platform."""
    host = platform.wait_online(admin)
    ended = platform.wait_ended(admin, platform.submit(admin, "echo at work", int(host["id"])))
    assert ended["status"] == "success"
    lines = (platform.data_dir / "run" / "valkey.conf").read_text().splitlines()
    known = dict(line.split(" ", 1) for line in lines if " " in line)
    place = quote(known["unixsocket"].strip('"'))
    redis = Redis.from_url(f"unix://:{known['requirepass']}@{place}", socket_timeout=5)

    log = cast("list[dict[str, str]]", redis.acl_log())
    clients = cast("list[dict[str, str]]", redis.client_list())
    refused = [(entry["username"], entry["reason"], entry["object"]) for entry in log]
    users = {client["user"] for client in clients} - {"default"}

    assert not refused
    assert users <= USERS.keys()
    assert {"auth", "hosts", "execution", "worker", "gateway-agents"} <= users
    assert os.stat(platform.data_dir / "run" / "valkey.conf").st_mode & 0o077 == 0

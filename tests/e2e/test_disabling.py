"""A disabled user is out everywhere within five seconds, on the real platform."""

import os
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.platform import Platform
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PASSWORD = "A long enough pass phrase 49!"
OUT_SECONDS = 5.0


class Ways:
    """Everything with which one user is in."""

    def __init__(self, platform: Platform, name: str) -> None:
        self.browser = httpx.Client(base_url=platform.url, timeout=30, trust_env=False)
        proof = {"X-Requested-With": "opsjob", "Origin": platform.url}
        body = {"username": name, "password": PASSWORD}
        answer = self.browser.post("/api/auth/login/", json=body, headers=proof)
        assert answer.status_code == 200, answer.text
        pair = answer.json()["content"]
        self.refresh = pair["refresh_token"]
        self.access = self._program(platform, pair["access_token"])
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        spec = {"name": "build", "scopes": ["hosts:read", "executions:read"], "expires_at": ends}
        made = self.access.post("/api/auth/tokens/", json=spec)
        assert made.status_code == 201, made.text
        self.token = self._program(platform, made.json()["content"]["token"])

    def _program(self, platform: Platform, bearer: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {bearer}"}
        return httpx.Client(base_url=platform.url, timeout=30, trust_env=False, headers=headers)

    def codes(self) -> list[int]:
        """What a cookie, an access token and an API token are answered at this moment."""
        clients = (self.browser, self.access, self.token)
        return [client.get("/api/hosts/").status_code for client in clients]

    def close(self) -> None:
        for client in (self.browser, self.access, self.token):
            client.close()


@pytest.fixture
def name(platform: Platform, admin: httpx.Client) -> str:
    """An operator of this test."""
    made = f"out{os.getpid()}-{time.monotonic_ns() % 100_000}"
    spec = {"username": made, "password": PASSWORD, "roles": ["operator"]}
    assert admin.post("/api/auth/users/", json=spec).status_code == 201
    return made


@pytest.fixture
def ways(platform: Platform, name: str) -> Iterator[Ways]:
    found = Ways(platform, name)
    yield found
    found.close()


def user_id(admin: httpx.Client, name: str) -> int:
    rows = admin.get("/api/auth/users/", params={"search": name}).json()["content"]["results"]
    return int(rows[0]["id"])


def test_a_disabled_user_is_out_everywhere(
    platform: Platform, admin: httpx.Client, name: str, ways: Ways
) -> None:
    host = platform.wait_online(admin)
    execution = platform.submit(ways.access, "sleep 30", int(host["id"]))
    tasks = f"/api/executor/execution-records/{execution}/tasks/"

    def task() -> str:
        return str(admin.get(tasks).json()["content"]["results"][0]["status"])

    eventually_sync(lambda: task() == "running", timeout=20)
    assert ways.codes() == [200, 200, 200]
    heard, opened = [], threading.Event()

    def listen() -> None:
        path = f"/api/realtime/sse/logs/{execution}/"
        with ways.token.stream("GET", path, timeout=30) as stream:
            for line in stream.iter_lines():
                opened.set()
                heard.append(line)

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    assert opened.wait(10)

    began = time.monotonic()
    answer = admin.post(f"/api/auth/users/{user_id(admin, name)}/disable/", json={})

    assert answer.status_code == 200, answer.text
    eventually_sync(lambda: ways.codes() == [401, 401, 401], timeout=OUT_SECONDS)
    reader.join(max(0.1, OUT_SECONDS - (time.monotonic() - began)))
    assert not reader.is_alive()
    assert "event: revoked" in heard, heard
    assert time.monotonic() - began < OUT_SECONDS
    again = httpx.post(
        f"{platform.url}/api/auth/refresh/", json={"refresh_token": ways.refresh}, trust_env=False
    )
    assert again.status_code == 401
    admin.post(f"/api/executor/execution-records/{execution}/cancel/", json={})
    assert platform.wait_ended(admin, execution)["status"] == "cancelled"


def test_signing_out_everywhere_leaves_api_tokens(
    platform: Platform, admin: httpx.Client, name: str, ways: Ways
) -> None:
    ended = ways.access.delete("/api/auth/sessions/")

    assert ended.json()["content"] == {"ended": 1}
    eventually_sync(lambda: ways.codes() == [401, 401, 200], timeout=OUT_SECONDS)
    revoked = admin.delete(f"/api/auth/users/{user_id(admin, name)}/tokens/")
    assert revoked.json()["content"] == {"revoked": 1}
    eventually_sync(lambda: ways.codes() == [401, 401, 401], timeout=OUT_SECONDS)

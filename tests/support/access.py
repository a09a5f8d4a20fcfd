"""Stand-ins for auth and hosts as far as decisions need them."""

import json
from collections.abc import Iterable

import httpx
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from libs.contracts.auth import AuthClient
from libs.contracts.believed import Accesses
from libs.contracts.grants import GrantRow
from libs.kit.auth import InternalTokens
from libs.kit.client import InProcess


async def answer(send: Send, content: object, status: int = 200) -> None:
    """An answer in the envelope of the platform."""
    document = {"code": status, "message": "-", "success": status == 200, "content": content}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


class TreeOfHosts:
    """Hosts with their groups, and groups with those above them, all as told."""

    def __init__(self) -> None:
        self.hosts: dict[int, list[int]] = {}
        self.groups: dict[int, list[int]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer /internal/hosts/lineage."""
        assert scope["path"] == "/internal/hosts/lineage"
        asked = json.loads((await receive())["body"])
        content = {
            "hosts": {one: self.hosts[one] for one in asked["host_ids"] if one in self.hosts},
            "groups": {one: self.groups[one] for one in asked["group_ids"] if one in self.groups},
        }
        await answer(send, content)


class Given:
    """Auth as far as it tells what decides about users; `down` makes it unreachable."""

    def __init__(self) -> None:
        self.rows: dict[int, list[GrantRow]] = {}
        self.permissions: dict[int, list[str]] = {}
        self.down = False
        self.asked = 0
        self.heard = 0
        """Users about whom something was asked."""

    def give(self, user_id: int, *rows: GrantRow) -> None:
        """From now on the user has exactly these rows."""
        self.rows[user_id] = list(rows)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer /internal/access."""
        assert scope["path"] == "/internal/access"
        body = json.loads((await receive())["body"])
        self.asked += 1
        if self.down:
            await answer(send, {"error": "unavailable", "details": {}}, 503)
            return
        await answer(send, self.infos(body["users"]))

    def infos(self, users: Iterable[dict[str, object]]) -> list[dict[str, object]]:
        """What decides about these users; a known version comes without rows."""
        found = []
        for one in users:
            self.heard += 1
            user_id = one["user_id"]
            assert isinstance(user_id, int)
            rows = [row.model_dump(mode="json") for row in self.rows.get(user_id, ())]
            permissions = self.permissions.get(user_id, [])
            version = str(hash(json.dumps([rows, permissions], sort_keys=True)))
            found.append(
                {
                    "user_id": user_id,
                    "version": version,
                    "permissions": permissions,
                    "rows": None if one["version"] == version else rows,
                }
            )
        return found


def row(row_id: int = 1, **parts: object) -> GrantRow:
    """A row to see host 5, unless told otherwise."""
    whole: dict[str, object] = {
        "id": row_id,
        "actions": ["view"],
        "object_type": "host",
        "object_ids": ["5"],
    }
    return GrantRow.model_validate(whole | parts)


def accesses_as(given: Given) -> Accesses:
    """What a service remembers of an auth that says this."""
    network = InProcess()
    network.apps["auth"] = given
    http = httpx.AsyncClient(transport=network)
    return Accesses(AuthClient(http, InternalTokens(SecretStr("x" * 40)), "hosts"))

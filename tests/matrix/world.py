"""The fixture world: one object of each kind, made through the API, and callers of every kind."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.approvals import ApprovalRequest
from libs.contracts.grants import Action
from libs.kit import clock
from libs.kit.artifacts import FileTickets, Ticket
from libs.kit.auth import Principal
from services.auth.domain import Role
from tests.matrix.callers import GRANTS, ROLES, SCOPE, Caller
from tests.matrix.platform import PASSWORD, Headers, Platform
from tests.support.identities import enrol_request
from tests.support.waiting import eventually

RUNS = {"what": ["*"], "accounts": ["*"]}
CONTENT = b"what a file holds"
ACTIONS = [action.value for action in Action]
THINGS = (
    "subgroup", "host", "agent", "user", "users", "role", "template", "grant", "token", "enrolment",
    "upload", "file", "execution", "ended", "approval", "command_rule",
)  # fmt: skip
"""In the order in which they can be made."""


def _within(days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


@dataclass
class World:
    """What exists, who may ask, and the names that only some may read."""

    platform: Platform
    callers: dict[Caller, Headers] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    hidden: list[bytes] = field(default_factory=list)
    """Names of objects of which members without a grant must not learn."""
    people: list[bytes] = field(default_factory=list)
    """Names of administrators and others whom nobody without a part in their work has to know."""
    far: list[bytes] = field(default_factory=list)
    """Names of the objects that only `grant elsewhere` sees of all members."""
    _made: int = 0

    @property
    def admin(self) -> Headers:
        """The administrator."""
        return self.callers[Caller.ADMIN]

    def name(self, kind: str) -> str:
        """A name that nothing else has."""
        self._made += 1
        return f"zq{kind}{uuid4().hex[:8]}"

    def number(self, thing: str) -> int:
        """The id of an object that has a number, or 0 as long as there is none."""
        return int(self.ids.get(thing, "0"))

    # ---- objects ---------------------------------------------------------------------------

    async def make(self, thing: str) -> str:
        """A new object of a kind; answers its id."""
        makers: dict[str, Callable[[], Awaitable[str]]] = {
            "agent": self._agent,
            "file": self._file,
            "execution": self._execution,
            "ended": self._ended,
            "approval": self._approval,
        }
        if thing in makers:
            return await makers[thing]()
        path, body, key = self._recipe(thing)
        content = await self.platform.content("POST", path, headers=self.admin, body=body)
        return str(content[key])

    def _recipe(self, thing: str) -> tuple[str, dict[str, object], str]:
        name = self.name(thing)
        self.hidden.append(name.encode())
        recipes: dict[str, tuple[str, dict[str, object], str]] = {
            "group": ("/api/hosts/groups/", {"name": name}, "id"),
            "subgroup": (
                "/api/hosts/groups/",
                {"name": name, "parent_id": self.number("group")},
                "id",
            ),
            "host": ("/api/hosts/", self._host(name), "id"),
            "user": ("/api/auth/users/", {"username": name, "password": PASSWORD}, "id"),
            "users": ("/api/auth/groups/", {"name": name}, "id"),
            "role": ("/api/permissions/roles/", {"name": name, "permissions": [SCOPE]}, "id"),
            "template": ("/api/permissions/templates/", self._template(name), "id"),
            "grant": ("/api/permissions/grants/", self.grant_body(name), "id"),
            "token": (
                "/api/auth/tokens/",
                {"name": name, "scopes": [SCOPE], "expires_at": _within(30)},
                "id",
            ),
            "command_rule": (
                "/api/executor/command_rules/",
                {"name": name, "pattern": name, "is_enabled": False},
                "id",
            ),
            "enrolment": ("/api/agents/enrolment_tokens/", {"ttl_seconds": 600}, "id"),
            "upload": (
                "/api/files/uploads/",
                {"name": name, "size": 3, "sha256": hashlib.sha256(name.encode()).hexdigest()},
                "upload_id",
            ),
        }  # fmt: skip
        return recipes[thing]

    def _host(self, name: str) -> dict[str, object]:
        group = self.number("group")
        return {"name": name, "ip_address": "127.0.0.1", "group": group, "description": f"d{name}"}

    def _template(self, name: str) -> dict[str, object]:
        part = {"actions": ["view"], "object_type": "host", "object_ids": [self.number("host")]}
        return {"name": name, "parts": [part]}

    def grant_body(self, reason: str = "") -> dict[str, object]:
        """A grant to see the host of the matrix, for the user of the matrix."""
        return {
            "subject_type": "user",
            "subject_id": self.number("user"),
            "actions": ["view"],
            "object_type": "host",
            "object_ids": [self.number("host")],
            "reason": reason,
        }

    async def _agent(self) -> str:
        """An enrolled agent on a host of its own, which lies in the group."""
        host = self.ids["host"] if "agent" not in self.ids else await self.make("host")
        return await self.enrol(host)

    async def enrol(self, host_id: str) -> str:
        """An agent identity for a host; it never connects."""
        issued = await self.platform.content(
            "POST",
            "/api/agents/enrolment_tokens/",
            headers=self.admin,
            body={"host_id": int(host_id), "ttl_seconds": 600},
        )
        request = enrol_request(
            str(issued["token"]), Ed25519PrivateKey.generate(), hostname=self.name("machine")
        )
        return (await self.platform.hosts.enrol(request)).agent_id

    async def _execution(self) -> str:
        host = int(self.ids["host"])
        return await self.run(host, self.name("run"))

    async def run(self, host_id: int, name: str) -> str:
        """An execution of the administrator that waits for its agent."""
        self.hidden.append(name.encode())
        body = {"script_content": f"echo s{name}", "target_host_ids": [host_id], "name": name}
        made = await self.platform.content(
            "POST", "/api/quick/execute_script/", headers=self.admin, body=body
        )
        return str(made["execution_id"])

    async def _ended(self) -> str:
        execution = await self._execution()
        path = f"/api/executor/execution-records/{execution}/cancel/"
        await self.platform.content("POST", path, headers=self.admin)
        return execution

    async def _file(self) -> str:
        """A file of the administrator, sent in one piece."""
        name = self.name("file")
        content = CONTENT + name.encode()
        body = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self.hidden.append(name.encode())
        started = await self.platform.content(
            "POST", "/api/files/uploads/", headers=self.admin, body=body
        )
        path = f"/api/files/uploads/{started['upload_id']}"
        sent = await self.platform.ask(
            "PUT",
            f"{path}/",
            headers={**self.admin, "content-type": "application/octet-stream"},
            query="offset=0",
            body=content,
        )
        assert sent.status == 200, sent.body
        file = await self.platform.content("POST", f"{path}/complete/", headers=self.admin)
        return str(file["id"])

    async def parts_of(self, execution: str) -> dict[str, str]:
        """The first step of an execution and its first task."""
        path = f"/api/executor/execution-records/{execution}/"
        detail = await self.platform.content("GET", path, headers=self.admin)
        steps = detail["steps"]
        assert isinstance(steps, list)
        return {"step": steps[0]["id"], "task": steps[0]["tasks"][0]["id"]}

    async def _approval(self) -> str:
        """Somebody asks somebody for consent; neither is one of the callers."""
        name, runtime = self.name("asks"), self.platform.runtime
        self.hidden.append(name.encode())
        token = runtime.internal_tokens.issue(
            "auth", Principal.of_service("execution"), "execution"
        )
        request = ApprovalRequest(
            subject_kind="plan",
            subject_id="7",
            subject_name=name,
            subject_hash="a" * 64,
            requester_id=self.number("user"),
            approver_ids=[int(await self.make("user"))],
        )
        answer = await runtime.http.post(
            "http://auth/internal/approvals",
            headers={"authorization": f"Bearer {token}"},
            json=request.model_dump(mode="json"),
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"]["id"])

    # ---- grants and people -----------------------------------------------------------------

    async def person(self, caller: Caller, *roles: str) -> str:
        """A user for a caller; answers the id and lets the caller log in."""
        username = f"{caller.name.lower()}-{self.name('who')}"
        if caller in (Caller.ADMIN, Caller.STALE, Caller.AUDITOR, Caller.OPERATOR):
            self.people.append(username.encode())
        body = {"username": username, "password": PASSWORD, "roles": list(roles)}
        made = await self.platform.content(
            "POST", "/api/auth/users/", headers=self.admin, body=body
        )
        login = await self.platform.login(username)
        self.callers[caller] = {"authorization": login["authorization"]}
        self.ids[f"user of {caller}"] = str(made["id"])
        self.ids[f"name of {caller}"] = username
        return str(made["id"])

    async def token(self, scope: str) -> Headers:
        """An API token of the administrator with one scope."""
        body = {"name": self.name("token"), "scopes": [scope], "expires_at": _within(30)}
        made = await self.platform.content(
            "POST", "/api/auth/tokens/", headers=self.admin, body=body
        )
        return {"authorization": f"Bearer {made['token']}"}

    async def thrown_away(self, *roles: str) -> Headers:
        """The credential of a new user, whose login may end."""
        username = self.name("leaver")
        body = {"username": username, "password": PASSWORD, "roles": list(roles)}
        await self.platform.content("POST", "/api/auth/users/", headers=self.admin, body=body)
        return {"authorization": (await self.platform.login(username))["authorization"]}

    async def grant(self, caller: Caller, kind: str, object_id: str, actions: list[str]) -> str:
        """A grant for one of the members."""
        body: dict[str, object] = {
            "subject_type": "user",
            "subject_id": int(self.ids[f"user of {caller}"]),
            "actions": sorted(actions),
            "object_type": kind,
            "object_ids": [object_id],
        }
        if kind in ("host", "host_group") and "execute" in actions:
            body |= RUNS
        made = await self.platform.content(
            "POST", "/api/permissions/grants/", headers=self.admin, body=body
        )
        return str(made["id"])


async def built(platform: Platform) -> World:
    """The world of the matrix, complete."""
    world = World(platform)
    await _administrators(world)
    for caller in (Caller.MEMBER, Caller.STRANGER, Caller.REVOKED, *GRANTS):
        await world.person(caller, Role.MEMBER)
    for caller in (Caller.VIEWER, Caller.AUDITOR, Caller.OPERATOR):
        await world.person(caller, ROLES[caller])
    world.ids["group"] = await world.make("group")
    await _grants(world)
    for thing in THINGS:
        world.ids[thing] = await world.make(thing)
    await _rest(world)
    await _nobodies(world)
    await _far(world)
    return world


async def _administrators(world: World) -> None:
    platform = world.platform
    first = await platform.auth.create_first_admin("first")
    answer = await platform.ask(
        "POST",
        "/api/auth/login/",
        body={"username": first.username, "password": first.password},
    )
    content = answer.content
    assert isinstance(content, dict), answer.body
    world.callers[Caller.ADMIN] = {"authorization": f"Bearer {content['access_token']}"}
    await world.person(Caller.ADMIN, Role.ADMIN)
    name = world.ids[f"name of {Caller.ADMIN}"]
    page = await platform.login(name)
    world.callers[Caller.ELSEWHERE] = {
        "cookie": page["cookie"],
        "origin": "https://elsewhere.test",
        "sec-fetch-site": "cross-site",
        "x-requested-with": "opsjob",
    }
    await world.person(Caller.STALE, Role.ADMIN)
    name = world.ids[f"name of {Caller.STALE}"]
    world.callers[Caller.STALE] = await world.platform.came_long_ago(name)
    world.callers[Caller.TOKEN] = await world.token(SCOPE)


async def _grants(world: World) -> None:
    for caller, actions in GRANTS.items():
        held = [action.value for action in actions]
        await world.grant(caller, "host_group", world.ids["group"], held)
        await world.grant(caller, "execution", "*", held)
    over = await world.grant(Caller.REVOKED, "host_group", world.ids["group"], ACTIONS)
    await world.platform.content("DELETE", f"/api/permissions/grants/{over}/", headers=world.admin)


async def _rest(world: World) -> None:
    """What cannot be made but comes by itself, and what belongs to somebody else."""
    world.ids |= await world.parts_of(world.ids["execution"])
    somebody = await world.thrown_away(Role.VIEWER)
    sessions = await world.platform.ask("GET", "/api/auth/sessions/", headers=somebody)
    assert isinstance(sessions.content, list)
    world.ids["session"] = str(sessions.content[0]["id"])
    body = {"name": "mine", "scopes": [SCOPE], "expires_at": _within(30)}
    token = await world.platform.content("POST", "/api/auth/tokens/", headers=somebody, body=body)
    world.ids["token of somebody"] = str(token["id"])

    async def recorded() -> str | None:
        logs = "/api/permissions/audit-logs/"
        page = await world.platform.content("GET", logs, headers=world.admin)
        rows = page["results"]
        assert isinstance(rows, list)
        return str(rows[0]["id"]) if rows else None

    world.ids["record"] = str(await eventually(recorded))


async def _nobodies(world: World) -> None:
    platform = world.platform
    tokens = platform.runtime.access_tokens
    world.callers[Caller.ANONYMOUS] = {}
    expired = tokens.issue(int(world.ids[f"user of {Caller.ADMIN}"]), uuid4().hex, -60)
    world.callers[Caller.EXPIRED] = {"authorization": f"Bearer {expired}"}
    user = await world.person(Caller.DISABLED, Role.ADMIN)
    path = f"/api/auth/users/{user}/disable/"
    await platform.content("POST", path, headers=world.admin)
    ticket = Ticket("fetch", world.ids["task"], 1, world.ids["agent"], 2**33, sha256="0" * 64)
    shown = FileTickets(platform.runtime.settings.secret).issue(ticket)
    world.callers[Caller.AGENT] = {"authorization": f"Bearer {shown}"}
    forged = platform.runtime.internal_tokens.issue(
        "hosts", Principal.of_service("execution"), "execution", ttl=3600
    )
    world.callers[Caller.SERVICE] = {"authorization": f"Bearer {forged}"}


async def _far(world: World) -> None:
    """What only `grant elsewhere` sees."""
    before = len(world.hidden)
    group = await world.make("group")
    near, world.ids["group"] = world.ids["group"], group
    host = await world.make("host")
    world.ids["group"] = near
    await world.enrol(host)
    execution = await world.run(int(host), world.name("run"))
    await world.grant(Caller.STRANGER, "host_group", group, ACTIONS)
    await world.grant(Caller.STRANGER, "execution", execution, ACTIONS)
    world.ids |= {"far host": host, "far group": group, "far execution": execution}
    world.far = world.hidden[before:]
    del world.hidden[before:]

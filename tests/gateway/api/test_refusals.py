"""What the gateway refuses by itself reaches the audit log, without anybody waiting for it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.types import Message

from gateway.api.app import create_gateway
from gateway.api.settings import GatewaySettings
from libs.contracts.audit import AuditClient
from libs.kit.client import InProcess
from libs.kit.errors import Unavailable
from libs.kit.refusals import Refusal
from tests.gateway.api.parts import ACCESS, INTERNAL, AuthInMemory, Witness, served, somebody
from tests.support.waiting import eventually


class AuditInMemory(AuditClient):
    """Remembers what it is told; `down` makes it unreachable."""

    def __init__(self) -> None:
        super().__init__(httpx.AsyncClient(transport=InProcess()), INTERNAL, "gateway")
        self.told: list[tuple[Refusal, int]] = []
        self.down = False

    async def report_refusals(self, refusals: Sequence[tuple[Refusal, int]]) -> None:
        if self.down:
            raise Unavailable(service="auth")
        self.told += refusals

    def codes(self) -> dict[str, int]:
        """How often each thing was refused."""
        return {refusal.code: count for refusal, count in self.told}


@dataclass
class Gate:
    """A served gateway, its neighbours, and a client in front."""

    client: httpx.AsyncClient
    auth: AuthInMemory = field(default_factory=AuthInMemory)
    audit: AuditInMemory = field(default_factory=AuditInMemory)

    def cookie(self) -> dict[str, str]:
        return {"cookie": f"opsjob_session={self.auth.log_in_browser(somebody())}"}


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    auth, audit = AuthInMemory(), AuditInMemory()
    gateway = create_gateway(
        GatewaySettings(),
        {"hosts": Witness("hosts"), "auth": Witness("auth")},
        auth,
        internal_tokens=INTERNAL,
        access_tokens=ACCESS,
        audit=audit,
    )
    async with (
        served(gateway) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield Gate(client, auth, audit)


async def test_a_bad_credential_is_told_with_where_it_came_from(gate: Gate) -> None:
    headers = {"authorization": "Bearer nonsense", "user-agent": "evil/1"}
    answer = await gate.client.get("/api/hosts/", headers=headers)
    assert answer.status_code == 401

    [(refusal, count)] = await eventually(lambda: gate.audit.told)

    assert count == 1
    assert (refusal.action, refusal.code) == ("session.refused", "unauthenticated")
    assert refusal.place == "GET /api/hosts/"
    assert (refusal.actor.address, refusal.actor.user_agent) == ("127.0.0.1", "evil/1")
    assert refusal.request_id == answer.headers["x-request-id"]
    assert "nonsense" not in repr(refusal)


async def test_a_forged_origin_is_told(gate: Gate) -> None:
    foreign = gate.cookie() | {"x-requested-with": "opsjob", "origin": "http://evil.test"}
    answer = await gate.client.post("/api/hosts/", headers=foreign, json={})
    assert answer.status_code == 403

    [(refusal, _)] = await eventually(lambda: gate.audit.told)

    assert (refusal.action, refusal.code) == ("access.denied", "csrf_failed")


async def test_a_credential_in_an_address_is_told_without_the_credential(gate: Gate) -> None:
    answer = await gate.client.get("/api/hosts/?access_token=canary")
    assert answer.status_code == 400

    [(refusal, _)] = await eventually(lambda: gate.audit.told)

    assert refusal.code == "token_in_query"
    assert "canary" not in repr(refusal)


async def test_equal_refusals_are_told_once_with_their_number(gate: Gate) -> None:
    for _ in range(25):
        await gate.client.get("/api/hosts/", headers={"authorization": "Bearer nonsense"})

    await eventually(lambda: gate.audit.told)

    assert sum(gate.audit.codes().values()) <= 25
    assert len(gate.audit.told) == 1


async def test_who_is_merely_not_logged_in_and_who_may_is_no_event(gate: Gate) -> None:
    assert (await gate.client.get("/api/hosts/")).status_code == 401
    assert (await gate.client.get("/api/hosts/", headers=gate.cookie())).status_code == 200
    await gate.client.get("/api/nowhere/")
    await gate.client.get("/api/hosts/", headers={"authorization": "Bearer nonsense"})

    await eventually(lambda: gate.audit.told)

    assert gate.audit.codes() == {"unauthenticated": 1}


async def test_refusals_wait_while_auth_is_away(gate: Gate) -> None:
    gate.audit.down = True
    for _ in range(3):
        answer = await gate.client.get("/api/hosts/", headers={"authorization": "Bearer x"})
        assert answer.status_code == 401
    gate.audit.down = False

    await eventually(lambda: sum(gate.audit.codes().values()) >= 1)


async def test_the_last_ones_are_told_when_the_gateway_ends() -> None:
    audit = AuditInMemory()
    gateway = create_gateway(
        GatewaySettings(),
        {"hosts": Witness("hosts")},
        AuthInMemory(),
        internal_tokens=INTERNAL,
        access_tokens=ACCESS,
        audit=audit,
    )
    orders: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.create_task(gateway({"type": "lifespan"}, orders.get, answers.put))
    await orders.put({"type": "lifespan.startup"})
    assert (await answers.get())["type"] == "lifespan.startup.complete"
    transport = httpx.ASGITransport(app=gateway)
    async with httpx.AsyncClient(transport=transport, base_url="http://console.test") as client:
        await client.get("/api/hosts/", headers={"authorization": "Bearer nonsense"})

    await orders.put({"type": "lifespan.shutdown"})
    await life

    assert audit.codes() == {"unauthenticated": 1}

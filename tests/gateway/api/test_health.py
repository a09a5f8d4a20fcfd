"""Alive, ready, and figures for those who may read them."""

import json

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, error_of


class Part:
    """A service as far as its readiness goes, in the words of the kit."""

    def __init__(self, *, status: int = 200, redis: str = "ok") -> None:
        self.status = status
        self.content = {"database": "ok", "migrations": "ok", "redis": redis}
        self.asked = 0

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["path"] == "/health/ready"
        self.asked += 1
        document = {"code": self.status, "message": "", "success": True, "content": self.content}
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(document).encode()})


async def _dead(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """A service that says nothing at all."""


def _house(**parts: Part) -> House:
    upstreams = {"auth": Part(), "hosts": Part(), "execution": Part(), **parts}
    return House(GatewaySettings(), upstreams=dict(upstreams))


@pytest.mark.parametrize("path", ["/health/", "/health", "/health/ready", "/health/ready/"])
async def test_a_platform_whose_parts_are_ready_is_ready(path: str) -> None:
    response = await _house().client.get(path)

    assert response.status_code == 200
    assert response.json()["content"] == {
        "status": "ok",
        "services": {"auth": "ok", "execution": "ok", "hosts": "ok"},
        "degraded": [],
    }


async def test_without_redis_the_platform_is_degraded_and_ready() -> None:
    response = await _house(hosts=Part(redis="down")).client.get("/health/ready")

    assert response.status_code == 200
    assert response.json()["content"]["status"] == "degraded"
    assert response.json()["content"]["degraded"] == ["redis"]


async def test_without_a_database_the_platform_is_not_ready() -> None:
    house = _house(execution=Part(status=503))

    ready = await house.client.get("/health/ready")
    summary = await house.client.get("/health/")
    live = await house.client.get("/health/live")

    assert ready.status_code == 503
    assert ready.headers["retry-after"]
    assert ready.json()["success"] is False
    assert summary.status_code == 200
    assert summary.json()["content"]["services"]["execution"] == "unavailable"
    assert live.status_code == 200


async def test_a_service_that_says_nothing_is_not_ready() -> None:
    house = House(
        GatewaySettings(), upstreams={"auth": _dead, "hosts": Part(), "execution": Part()}
    )

    response = await house.client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["content"]["services"] == {
        "auth": "unavailable",
        "execution": "ok",
        "hosts": "ok",
    }


async def test_many_questions_cost_the_services_one() -> None:
    part = Part()
    house = _house(hosts=part)

    for _ in range(20):
        await house.client.get("/health/ready")

    assert part.asked == 1


async def test_health_is_read_only(house: House) -> None:
    response = await house.client.post("/health/ready")

    assert response.status_code == 405


async def test_figures_count_by_route_and_status(house: House) -> None:
    await house.client.get("/api/hosts/1/", headers=house.bearer())
    await house.client.get("/api/hosts/2/", headers=house.bearer())
    await house.client.get("/api/hosts/")
    await house.client.get("/nothing/here.js")

    text = (await house.client.get("/metrics")).text

    assert 'opsjob_gateway_requests_total{route="/api/hosts",status="200"} 2.0' in text
    assert 'opsjob_gateway_requests_total{route="/api/hosts",status="401"} 1.0' in text
    assert 'opsjob_gateway_requests_total{route="console",status="404"} 1.0' in text
    assert 'opsjob_gateway_request_seconds_count{route="/api/hosts"} 3.0' in text


async def test_addresses_never_become_labels(house: House) -> None:
    for number in range(50):
        await house.client.get(f"/api/unknown-{number}/")
        await house.client.get(f"/page-{number}")

    text = (await house.client.get("/metrics")).text

    assert "unknown-" not in text
    assert "page-" not in text


async def test_figures_are_for_this_machine_only(house: House) -> None:
    far = httpx.ASGITransport(app=house.gateway, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=far, base_url="http://console.test") as client:
        remote = await client.get("/metrics")
    proxied = await house.client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"})

    assert remote.status_code == 404
    assert error_of(remote) == "not_found"
    assert proxied.status_code == 404


async def test_figures_with_a_token_are_for_those_who_have_it() -> None:
    house = House(GatewaySettings.model_validate({"metrics_token": "scrape-me"}))

    without = await house.client.get("/metrics")
    wrong = await house.client.get("/metrics", headers={"authorization": "Bearer other"})
    right = await house.client.get("/metrics", headers={"authorization": "Bearer scrape-me"})

    assert (without.status_code, wrong.status_code, right.status_code) == (404, 404, 200)

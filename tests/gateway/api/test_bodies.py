"""Bodies that are too large, packed or of a size nobody declared."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import PROOF, House, error_of, somebody
from tests.gateway.api.services import three_services

KIB = 1024


async def _pieces(total: int) -> AsyncIterator[bytes]:
    """A body of undeclared size, so that it travels in chunks."""
    for _ in range(total // KIB):
        yield b"x" * KIB


@pytest.fixture
def small() -> House:
    """A gateway that takes 64 KiB."""
    return House(GatewaySettings(max_body_bytes=64 * KIB))


async def test_a_declared_body_beyond_the_limit_never_reaches_a_service(small: House) -> None:
    response = await small.client.post(
        "/api/hosts/", content=b"x" * (64 * KIB + 1), headers=small.bearer()
    )

    assert response.status_code == 413
    assert error_of(response) == "too_large"
    assert response.headers["connection"] == "close"
    assert small.visits() == 0


async def test_an_undeclared_body_is_stopped_at_the_limit(small: House) -> None:
    response = await small.client.post(
        "/api/hosts/", content=_pieces(80 * KIB), headers=small.bearer()
    )

    assert response.status_code == 413
    assert error_of(response) == "too_large"
    assert small.visits() == 0


@pytest.mark.parametrize("size", [0, KIB, 64 * KIB])
async def test_an_undeclared_body_within_the_limit_arrives_whole(small: House, size: int) -> None:
    response = await small.client.post("/api/hosts/", content=_pieces(size), headers=small.bearer())

    assert response.status_code == 200
    assert len(small.hosts.last.body) == size


async def test_a_real_service_that_reads_a_body_without_end_is_answered_for(tmp_path: Path) -> None:
    house = House(
        GatewaySettings(max_body_bytes=64 * KIB), upstreams=dict(three_services(tmp_path))
    )
    headers = house.bearer(somebody(permissions=("hosts:write",)))
    headers["content-type"] = "application/json"

    response = await house.client.post("/api/hosts/", content=_pieces(200 * KIB), headers=headers)

    assert response.status_code == 413
    assert error_of(response) == "too_large"


async def test_logging_in_takes_small_bodies_only(house: House) -> None:
    response = await house.client.post("/api/auth/login/", content=b"x" * (65 * KIB))

    assert response.status_code == 413
    assert house.visits() == 0


@pytest.mark.parametrize(
    "encoding",
    [pytest.param(name, id=f"B010-{name}") for name in ("gzip", "deflate", "br", "gzip, gzip")],
)
async def test_packed_bodies_are_not_unpacked(house: House, encoding: str) -> None:
    headers = house.bearer() | {"content-encoding": encoding}

    response = await house.client.post("/api/hosts/", content=b"x" * 100, headers=headers)

    assert response.status_code == 415
    assert error_of(response) == "unsupported_media_type"
    assert house.visits() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("content-length", "-1", id="B011-negative"),
        pytest.param("content-length", "1e9", id="B011-float"),
        pytest.param("content-length", "9" * 40, id="B011-forty-digits"),
        pytest.param("transfer-encoding", "chunked", id="B011-length-and-chunked"),
    ],
)
async def test_a_length_that_is_no_length_is_refused(house: House, name: str, value: str) -> None:
    headers = [*house.bearer().items(), ("content-length", "2"), (name, value)]
    if name == "content-length":
        headers.pop(1)

    response = await house.client.post("/api/hosts/", content=b"{}", headers=headers)

    assert response.status_code == 400
    assert error_of(response) == "bad_request"
    assert house.visits() == 0


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, id=f"B009-{number}")
        for number, kind in enumerate(
            [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/json; charset=utf-7",
                "",
            ]
        )
    ],
)
async def test_forms_that_a_page_can_send_change_nothing_even_with_a_cookie(
    tmp_path: Path, kind: str
) -> None:
    house = House(GatewaySettings(), upstreams=dict(three_services(tmp_path)))
    headers = house.cookie(somebody(permissions=("hosts:write",))) | PROOF | {"content-type": kind}

    response = await house.client.post("/api/hosts/", content=b'{"name":"x"}', headers=headers)

    assert response.status_code == 415
    assert error_of(response) == "unsupported_media_type"


async def test_a_defect_of_a_service_is_one_envelope_without_details(tmp_path: Path) -> None:
    house = House(GatewaySettings(), upstreams=dict(three_services(tmp_path)))

    response = await house.client.get("/api/hosts/broken/", headers=house.bearer())

    assert response.status_code == 500
    assert error_of(response) == "internal"
    assert "defect" not in response.text

"""The console's files, and nothing else of this machine."""

import gzip
from pathlib import Path

import pytest

from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, error_of

INDEX = "<!doctype html><title>Console</title>"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A built console, with a secret beside it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "index-B7xk3f9Q.js").write_text("console.log(1);" * 200)
    (folder / "assets" / "style-Ca81hh2_.css").write_text("a{}")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / ".vite").mkdir()
    (folder / ".vite" / "manifest.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def console(build: Path) -> House:
    """A gateway with that build."""
    return House(GatewaySettings(static_dir=build))


@pytest.mark.parametrize("path", ["/", "/hosts", "/executions/0190-abc/", "/ops/x/y", "/主机"])
async def test_every_page_is_the_index_and_never_kept(console: House, path: str) -> None:
    response = await console.client.get(path)

    assert response.status_code == 200
    assert response.text == INDEX
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


async def test_hashed_assets_are_kept_for_ever(console: House) -> None:
    response = await console.client.get("/assets/index-B7xk3f9Q.js")

    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.text == "console.log(1);" * 200


async def test_other_files_are_asked_for_again(console: House) -> None:
    first = await console.client.get("/favicon.svg")
    again = await console.client.get(
        "/favicon.svg", headers={"if-none-match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["content-type"] == "image/svg+xml"
    assert (again.status_code, again.content) == (304, b"")


async def test_large_texts_are_packed_for_those_who_unpack(console: House) -> None:
    path = "/assets/index-B7xk3f9Q.js"

    packed = await console.client.get(path, headers={"accept-encoding": "br, gzip;q=0.8"})
    plain = await console.client.get(path, headers={"accept-encoding": "identity"})
    refused = await console.client.get(path, headers={"accept-encoding": "gzip;q=0"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.text == plain.text == refused.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers


async def test_a_packed_file_of_the_build_is_taken_as_it_is(build: Path) -> None:
    name = "index-B7xk3f9Q.js"
    (build / "assets" / f"{name}.gz").write_bytes(gzip.compress(b"from the build"))
    house = House(GatewaySettings(static_dir=build))

    response = await house.client.get(f"/assets/{name}", headers={"accept-encoding": "gzip"})

    assert response.text == "from the build"


async def test_head_tells_the_size_and_sends_nothing(console: House) -> None:
    response = await console.client.head("/assets/style-Ca81hh2_.css")

    assert response.status_code == 200
    assert response.headers["content-length"] == "3"
    assert response.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing-12345678.js",
        "/secret.txt",
        "/link.txt",
        "/.vite/manifest.json",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/assets/%00.js",
    ],
)
async def test_nothing_outside_the_build_is_served(console: House, path: str) -> None:
    # B025: a client of our own, because httpx would tidy the path up first.
    request = console.client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())

    response = await console.client.send(request)

    assert response.status_code == 404
    assert error_of(response) == "not_found"
    assert "secret" not in response.json()["message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_pages_are_read_only(console: House, method: str) -> None:
    response = await console.client.request(method, "/hosts")

    assert response.status_code == 405


async def test_ranges_without_number_cost_nothing(console: House) -> None:
    ranges = "bytes=" + ",".join(["0-"] * 5_000)

    response = await console.client.get("/", headers={"range": ranges})

    assert (response.status_code, response.text) == (200, INDEX)  # B029


async def test_a_new_build_is_noticed(console: House, build: Path) -> None:
    assert (await console.client.get("/")).text == INDEX
    (build / "index.html").write_text("<title>New</title>")
    (build / "new.txt").write_text("new")

    assert (await console.client.get("/hosts")).text == "<title>New</title>"
    assert (await console.client.get("/new.txt")).text == "new"


@pytest.mark.parametrize("static_dir", [None, Path("/nonexistent")])
async def test_without_a_build_a_page_says_how_to_make_one(static_dir: Path | None) -> None:
    house = House(GatewaySettings(static_dir=static_dir))

    response = await house.client.get("/")
    asset = await house.client.get("/assets/index-B7xk3f9Q.js")

    assert response.status_code == 200
    assert "make setup" in response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert asset.status_code == 404

"""S56: services that are processes of their own hear, and ask, holders of certificates alone."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from gateway.api.errors import ServiceUnreachable
from gateway.api.remote import RemoteUpstream
from libs.kit.client import remote_transport
from libs.kit.settings import Settings
from libs.kit.tls import TlsFiles
from services.embedded.serving import Listening, internal_config, serve_until
from tests.support.tree import REPOSITORY

SECRET = "tls-0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders of certificates of one authority each, as the scaled profile's script makes them."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str) -> Path:
        if not (folder / name).exists():
            script = REPOSITORY / "deploy/tls/make-certificates.sh"
            subprocess.run(["bash", script, folder / name], check=True, timeout=60)
        return folder / name

    return make


def files_in(folder: Path, part: str) -> TlsFiles:
    own = folder / part
    return TlsFiles(own / "certificate.pem", own / "key.pem", own / "ca.pem")


class Answers:
    """A service that counts what reaches it."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"heard"})


@asynccontextmanager
async def serving(app: Answers, files: TlsFiles) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_until([Listening(internal_config(app, files), listener)], stop))
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()


def settings_for(url: str, files: TlsFiles | None) -> Settings:
    found = files or (None, None, None)
    return Settings(
        database_url="sqlite:////tmp/{service}.db",
        secret=SECRET,
        service_url=url + "/{service}",
        tls_certificate_file=found[0],
        tls_key_file=found[1],
        tls_ca_file=found[2],
    )


async def test_s56_services_and_the_gateway_are_heard_by_their_certificates(
    made: Callable[[str], Path],
) -> None:
    ours = made("ours")
    app = Answers()
    async with serving(app, files_in(ours, "hosts")) as url:
        transport = remote_transport(settings_for(url, files_in(ours, "execution")))
        async with httpx.AsyncClient(transport=transport) as http:
            asked = await http.get("http://hosts/internal/x")
        tls = files_in(ours, "gateway-api").to_ask()
        async with (
            RemoteUpstream(url, service="hosts", tls=tls) as upstream,
            httpx.AsyncClient(transport=httpx.ASGITransport(upstream)) as http,
        ):
            passed = await http.get("http://hosts/api/x")

    assert (asked.text, passed.text, app.asked) == ("heard", "heard", 2)
    assert asked.request.headers["host"] == "hosts"


async def test_s56_who_shows_no_certificate_of_ours_is_not_heard(
    made: Callable[[str], Path],
) -> None:
    ours, theirs = made("ours"), made("theirs")
    believing = ssl.create_default_context(cafile=ours / "hosts" / "ca.pem")
    stranger = ssl.create_default_context(cafile=ours / "hosts" / "ca.pem")
    own = files_in(theirs, "auth")
    stranger.load_cert_chain(own.certificate, own.key)
    app = Answers()
    async with serving(app, files_in(ours, "hosts")) as url:
        for context in (believing, stranger):
            async with httpx.AsyncClient(verify=context) as http:
                with pytest.raises(httpx.HTTPError):
                    await http.get(url)
        async with httpx.AsyncClient() as http:
            with pytest.raises(httpx.HTTPError):
                await http.get(url.replace("https", "http"))

    assert app.asked == 0


async def test_s56_a_service_with_a_certificate_of_others_is_not_believed(
    made: Callable[[str], Path],
) -> None:
    ours, theirs = made("ours"), made("theirs")
    app = Answers()
    async with serving(app, files_in(theirs, "hosts")) as url:
        tls = files_in(ours, "gateway-api").to_ask()
        async with (
            RemoteUpstream(url, service="hosts", tls=tls) as upstream,
            httpx.AsyncClient(transport=httpx.ASGITransport(upstream)) as http,
        ):
            with pytest.raises(ServiceUnreachable):
                await http.get("http://hosts/api/x")

    assert app.asked == 0


def test_s56_files_belong_together_and_addresses_with_them(made: Callable[[str], Path]) -> None:
    whole = files_in(made("ours"), "auth")

    with pytest.raises(ValidationError, match="https://"):
        settings_for("http://hosts:8000", whole)
    with pytest.raises(ValidationError, match="belong together"):
        Settings(
            database_url="sqlite:////tmp/{service}.db",
            secret=SECRET,
            tls_certificate_file=whole.certificate,
        )
    assert TlsFiles.of(settings_for("https://hosts:8000", whole)) == whole
    assert TlsFiles.of(settings_for("http://hosts:8000", None)) is None

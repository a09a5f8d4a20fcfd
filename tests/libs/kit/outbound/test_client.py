"""S43: requests to the outside go to the vetted address only, and end within their caps."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from libs.kit.outbound import Outbound, OutboundFailed, UrlRefused
from libs.kit.settings import OutboundSettings
from tests.libs.kit.outbound.server import Names, Server, answer
from tests.support.certificates import Authority

Making = Callable[..., Outbound]


@pytest.fixture
async def making() -> AsyncIterator[Making]:
    async with AsyncExitStack() as stack:

        def make(*ports: int, names: Names | None = None, **settings: object) -> Outbound:
            given = {"networks": "127.0.0.1/32", "allow_http": True, "ports": ports, "seconds": 5}
            outbound = Outbound(
                OutboundSettings.model_validate(given | settings), resolve=names or Names()
            )
            stack.push_async_callback(outbound.aclose)
            return outbound

        yield make


class TestPinning:
    """The address that was checked is the one that is asked."""

    async def test_the_name_is_asked_for_at_its_address(self, making: Making) -> None:
        async with Server(answer(b"hello")).running() as server:
            outbound = making(server.port, names=Names(hook_example=[["127.0.0.1"]]))

            got = await outbound.send(
                "POST", f"http://hook.example:{server.port}/in?a=b", content=b"{}"
            )

        assert (got.status_code, got.content) == (200, b"hello")
        assert server.asked[0].startswith("POST /in?a=b HTTP/1.1\r\n")
        assert f"\r\nhost: hook.example:{server.port}\r\n" in server.asked[0].lower()
        assert "\r\naccept-encoding: identity\r\n" in server.asked[0].lower()

    async def test_a_name_that_moves_after_its_check_is_not_followed(self, making: Making) -> None:
        """DNS rebinding: the second answer is never even asked for within one request."""
        names = Names(hook_example=[["127.0.0.1"], ["127.0.0.2"]])
        async with Server(answer(b"ours")).running() as ours:
            outbound = making(ours.port, names=names)
            got = await outbound.send("GET", f"http://hook.example:{ours.port}/")
            assert got.content == b"ours"
            assert names.asked == ["hook.example"]

            with pytest.raises(UrlRefused):
                await outbound.send("GET", f"http://hook.example:{ours.port}/")

        assert len(ours.asked) == 1

    async def test_a_private_address_is_never_connected_to(self, making: Making) -> None:
        async with Server(answer(b"secret")).running() as server:
            outbound = making(server.port, networks="", names=Names(evil_example=[["127.0.0.1"]]))
            for url in ("http://evil.example", "http://127.0.0.1", "http://[::ffff:127.0.0.1]"):
                with pytest.raises(UrlRefused):
                    await outbound.send("GET", f"{url}:{server.port}/")
            async with outbound.client() as client:
                with pytest.raises(UrlRefused):
                    await client.get(f"http://evil.example:{server.port}/")

        assert server.asked == []

    async def test_the_next_address_is_tried_when_one_does_not_listen(self, making: Making) -> None:
        async with Server(answer(b"hello")).running() as server:
            names = Names(hook_example=[["127.0.0.3", "127.0.0.1"]])
            outbound = making(server.port, names=names, networks="127.0.0.0/8")

            got = await outbound.send("GET", f"http://hook.example:{server.port}/")

        assert got.content == b"hello"

    async def test_no_proxy_of_the_environment_is_used(
        self, making: Making, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        direct, proxy = Server(answer(b"direct")), Server(answer(b"proxy"))
        async with direct.running(), proxy.running():
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            outbound = making(direct.port)
            got = await outbound.send("GET", f"http://127.0.0.1:{direct.port}/")
            async with outbound.client() as client:
                other = await client.get(f"http://127.0.0.1:{direct.port}/")

        assert (got.content, other.content, proxy.asked) == (b"direct", b"direct", [])

    async def test_a_url_can_be_vetted_when_it_is_saved(self, making: Making) -> None:
        names = Names(good_example=[["127.0.0.1"]], evil_example=[["10.0.0.1"]])
        outbound = making(80, names=names)

        await outbound.vet("http://good.example/")
        with pytest.raises(UrlRefused):
            await outbound.vet("http://evil.example/")
        with pytest.raises(OutboundFailed, match="usable"):
            await outbound.vet("http://unknown.example/")


class TestTls:
    """The certificate is the one of the name, although the address is what is connected to."""

    async def test_the_name_is_what_the_certificate_is_for(
        self, making: Making, tmp_path: Path
    ) -> None:
        authority = Authority(tmp_path)
        names = Names(vault_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
        server = Server(answer(b"hello"))
        async with server.running(tls=authority.server("vault.example")):
            outbound = making(server.port, names=names, ca_file=authority.ca_file)
            got = await outbound.send("GET", f"https://vault.example:{server.port}/")
            assert got.content == b"hello"

            with pytest.raises(OutboundFailed) as failed:
                await outbound.send("GET", f"https://other.example:{server.port}/")

        assert failed.value.details == {"reason": "tls"}
        assert len(server.asked) == 1

    async def test_an_unknown_authority_is_not_believed(
        self, making: Making, tmp_path: Path
    ) -> None:
        names = Names(vault_example=[["127.0.0.1"]])
        server = Server(answer(b"hello"))
        async with server.running(tls=Authority(tmp_path).server("vault.example")):
            with pytest.raises(OutboundFailed) as failed:
                await making(server.port, names=names).send(
                    "GET", f"https://vault.example:{server.port}/"
                )

        assert failed.value.details == {"reason": "tls"}


class TestAnswers:
    """B123: what a server may do, and what becomes of it."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_redirect_is_not_followed(self, making: Making, status: int) -> None:
        async with Server([]).running() as server:
            location = b"location: http://127.0.0.1:%d/secret" % server.port
            server.pieces = answer(b"", location, status=b"%d Moved" % status)
            outbound = making(server.port)
            async with outbound.client() as client:
                client.follow_redirects = True
                with pytest.raises(OutboundFailed) as failed:
                    await client.get(f"http://127.0.0.1:{server.port}/")

        assert failed.value.details == {"reason": "redirect"}
        assert len(server.asked) == 1

    @pytest.mark.parametrize(
        ("pieces", "reason"),
        [
            (answer(b"x" * 70_000), "too_large"),
            ([b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", *[b"x" * 9_999] * 20], "too_large"),
            (answer(b"\x1f\x8b", b"content-encoding: gzip"), "encoding"),
            ([None], "timeout"),
            ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", None], "timeout"),
            ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"], "connection"),
            ([b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, None], "connection"),
            ([b"no http\r\n\r\n"], "connection"),
            ([], "connection"),
        ],
    )
    async def test_a_bad_answer_fails_for_a_stated_reason(
        self, making: Making, pieces: list[bytes | None], reason: str
    ) -> None:
        async with Server(pieces).running() as server:
            outbound = making(server.port, seconds=0.5 if reason == "timeout" else 5)
            with pytest.raises(OutboundFailed) as failed:
                await outbound.send("GET", f"http://127.0.0.1:{server.port}/")

        assert failed.value.details == {"reason": reason}

    async def test_cookies_are_not_kept(self, making: Making) -> None:
        server = Server(answer(b"", b"set-cookie: a=b"))
        async with server.running():
            client = making(server.port).client()
            for _ in range(2):
                await client.get(f"http://127.0.0.1:{server.port}/")

        assert len(server.asked) == 2
        assert all("cookie" not in asked.lower() for asked in server.asked)

    async def test_a_resolver_that_hangs_is_bounded(self, making: Making) -> None:
        class Hanging(Names):
            async def __call__(self, host: str, _port: int) -> list[str]:
                return await asyncio.Future()

        outbound = making(80, names=Hanging(), seconds=0.2)
        with pytest.raises(OutboundFailed) as failed:
            await outbound.send("GET", "http://hook.example/")

        assert failed.value.details == {"reason": "timeout"}

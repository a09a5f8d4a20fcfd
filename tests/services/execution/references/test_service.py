"""Secrets that lie elsewhere: fetched from where the operator allows it, and from nowhere else."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from libs.kit.errors import AppError
from libs.kit.outbound import Outbound
from libs.kit.settings import OutboundSettings
from services.execution.references.service import References
from services.execution.settings import SecretSettings
from tests.services.execution.references.vault import FakeVault

pytestmark = pytest.mark.anyio


def outbound(*ports: int, networks: str = "127.0.0.0/8") -> Outbound:
    return Outbound(
        OutboundSettings.model_validate(
            {"networks": networks, "ports": ports or (443,), "allow_http": True}
        )
    )


def references(environment: dict[str, str] | None = None, **settings: object) -> References:
    return References(SecretSettings.model_validate(settings), outbound(), environment or {})


async def fetched(source: References, text: str) -> str:
    """The secret, or the code of the error."""
    found = (await source.resolve([text]))[text]
    return found.code if isinstance(found, AppError) else found


class TestEnvironment:
    """env:NAME"""

    async def test_a_variable_that_is_named_in_settings(self) -> None:
        source = references({"DB_PASSWORD": "hunter22"}, env_names="DB_PASSWORD,OTHER")

        assert await fetched(source, "env:DB_PASSWORD") == "hunter22"
        assert await fetched(source, "env:OTHER") == "secret_not_found"

    @pytest.mark.parametrize("name", ["OPSJOB_SECRET", "PATH", "db_password"])
    async def test_no_other_variable(self, name: str) -> None:
        source = references({name: "value"}, env_names="DB_PASSWORD")

        assert await fetched(source, f"env:{name}") == "secret_reference_not_allowed"


class TestFiles:
    """file:/path"""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "root"
        (root / "app").mkdir(parents=True)
        (root / "app" / "password").write_text("hunter22\n")
        (tmp_path / "outside").write_text("not yours")
        return root

    async def test_a_file_below_the_root_without_its_last_newline(self, root: Path) -> None:
        source = references(file_root=str(root))

        assert await fetched(source, f"file:{root}/app/password") == "hunter22"
        assert await fetched(source, f"file:{root}/app/none") == "secret_not_found"

    async def test_a_link_inside_the_root_is_followed(self, root: Path) -> None:
        """As Kubernetes lays out mounted secrets."""
        (root / "current").symlink_to("app")
        (root / "password").symlink_to("current/password")

        assert await fetched(references(file_root=str(root)), f"file:{root}/password") == "hunter22"

    @pytest.mark.parametrize("target", ["../outside", "/etc/hostname"])
    async def test_a_link_that_leads_out_is_not(self, root: Path, target: str) -> None:
        (root / "link").symlink_to(target)
        (root / "folder").symlink_to("..")
        source = references(file_root=str(root))

        for path in ("link", "folder/outside"):
            assert await fetched(source, f"file:{root}/{path}") == "secret_reference_not_allowed"

    async def test_nothing_outside_and_no_dots(self, root: Path) -> None:
        source = references(file_root=str(root))

        for path in (f"{root}/../outside", f"{root}2/x", "/etc/hostname", f"{root}", "x", "/"):
            assert await fetched(source, f"file:{path}") == "secret_reference_not_allowed"
        assert await fetched(references(), f"file:{root}/app/password") == (
            "secret_reference_not_allowed"
        )

    async def test_what_is_no_small_text_is_unusable(self, root: Path) -> None:
        (root / "empty").write_bytes(b"")
        (root / "binary").write_bytes(b"\xff\xfe")
        (root / "nul").write_bytes(b"a\0b")
        (root / "long").write_bytes(b"a" * 40_000)
        os.mkfifo(root / "pipe")
        source = references(file_root=str(root))

        for name in ("empty", "binary", "nul", "long", "pipe", "app"):
            assert await fetched(source, f"file:{root}/{name}") == "secret_unusable", name


class TestVault:
    """vault:mount/path#field"""

    @asynccontextmanager
    async def vault(self, **settings: object) -> AsyncIterator[tuple[FakeVault, References]]:
        async with FakeVault("s.the-token").running() as vault:
            vault.secrets["apps/web"] = {"password": "hunter22", "port": 5432}
            given = {"vault_url": vault.url, "vault_paths": "kv/apps"} | settings
            if "vault_token_file" not in given:
                given.setdefault("vault_token", "s.the-token")
            made = References(SecretSettings.model_validate(given), outbound(vault.port), {})
            yield vault, made

    async def test_a_field_of_a_secret_is_asked_for_with_the_token(self) -> None:
        async with self.vault(vault_namespace="team") as (vault, source):
            assert await fetched(source, "vault:kv/apps/web#password") == "hunter22"

        ((path, headers),) = vault.asked
        assert path == "/v1/kv/data/apps/web"
        assert headers["x-vault-token"] == "s.the-token"
        assert headers["x-vault-namespace"] == "team"

    async def test_the_same_secret_is_asked_for_once(self) -> None:
        text = "vault:kv/apps/web#password"
        async with self.vault() as (vault, source):
            assert await source.resolve([text, text]) == {text: "hunter22"}

        assert len(vault.asked) == 1

    async def test_a_token_in_a_file_may_change(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        async with self.vault(vault_token_file=str(file)) as (_, source):
            assert await fetched(source, "vault:kv/apps/web#password") == (
                "secret_source_unavailable"
            )
            file.write_text("s.the-token\n")
            assert await fetched(source, "vault:kv/apps/web#password") == "hunter22"

    @pytest.mark.parametrize(
        ("reference", "code"),
        [
            ("vault:kv/apps/none#password", "secret_not_found"),
            ("vault:kv/apps/web#none", "secret_not_found"),
            ("vault:kv/apps/web#port", "secret_unusable"),
            ("vault:kv/other#password", "secret_reference_not_allowed"),
            ("vault:kv/appsother#password", "secret_reference_not_allowed"),
            ("vault:kv/apps/../other#password", "secret_reference_not_allowed"),
            ("vault:sys/raw#password", "secret_reference_not_allowed"),
            ("vault:kv/apps/web", "secret_reference_not_allowed"),
            ("vault:kv/apps/web?x=y#password", "secret_reference_not_allowed"),
        ],
    )
    async def test_what_there_is_not(self, reference: str, code: str) -> None:
        async with self.vault() as (vault, source):
            assert await fetched(source, reference) == code

        assert bool(vault.asked) == (code != "secret_reference_not_allowed")

    async def test_a_wrong_token_is_not_allowed(self) -> None:
        async with self.vault(vault_token="s.another") as (_, source):
            assert await fetched(source, "vault:kv/apps/web#password") == (
                "secret_reference_not_allowed"
            )

    @pytest.mark.parametrize(
        "broken", [(500, b"{}"), (200, b"no json"), (200, b"[]"), (302, b""), (200, b"x" * 99_999)]
    )
    async def test_a_vault_that_is_broken_is_unavailable(self, broken: tuple[int, bytes]) -> None:
        async with self.vault() as (vault, source):
            vault.broken = broken
            assert await fetched(source, "vault:kv/apps/web#password") == (
                "secret_source_unavailable"
            )

    async def test_a_vault_in_a_network_that_is_not_allowed_gets_no_token(self) -> None:
        async with FakeVault("t").running() as vault:
            settings = {"vault_url": vault.url, "vault_token": "t", "vault_paths": "kv"}
            source = References(
                SecretSettings.model_validate(settings), outbound(vault.port, networks=""), {}
            )
            assert await fetched(source, "vault:kv/a#b") == "secret_source_unavailable"

        assert vault.asked == []

    def test_a_vault_without_a_token_is_refused_at_the_start(self) -> None:
        with pytest.raises(ValidationError):
            SecretSettings.model_validate({"vault_url": "https://vault.example"})

"""A login on its way outlives a change of the keys that values are sealed with."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from services import cli, registry
from tests.services.auth.oidc.conftest import come_back, leave, session_of
from tests.support.doors import SECRET, opened
from tests.support.oidc_provider import Provider

pytestmark = pytest.mark.anyio


async def test_a_login_on_its_way_arrives_after_the_old_key_is_gone(
    configured: Callable[..., None],
    provider: Provider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("OPSJOB_DATABASE_URL", "OPSJOB_SECRET", "OPSJOB_SEALING_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    secret = tmp_path / "secret"
    secret.write_text(SECRET.get_secret_value())
    secret.chmod(0o600)
    for name, service in registry.load_all().items():
        engine = create_engine(f"sqlite:///{tmp_path}/{name}.db")
        service.metadata.create_all(engine)
        engine.dispose()
    auth, url = registry.load("auth"), f"sqlite:///{tmp_path}/auth.db"

    async def run(*words: str) -> str:
        arguments = ["admin", "secrets", *words, "--data-dir", str(tmp_path)]
        code = await asyncio.to_thread(cli.invoke, arguments)
        said = capsys.readouterr()
        assert code == 0, said
        return said.out

    await run("new-key")
    async with opened(auth, url, tmp_path) as door:
        trip = await leave(door, provider)
    await run("new-key")
    assert "auth: 1 to do" in await run("rotate")
    keys = tmp_path / "sealing-keys"
    newest = [line for line in keys.read_text().splitlines() if line and line[0] != "#"]
    assert len(newest) == 2
    keys.write_text(f"{newest[0]}\n")

    async with opened(auth, url, tmp_path) as door:
        assert session_of(await come_back(door, trip)) is not None

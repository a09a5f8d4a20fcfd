"""S20: `opsjob admin secrets`: keys change while the platform runs, and a missing one is named."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from libs.kit.db import Database
from libs.kit.resealing import Resealing
from libs.kit.seal import KeyRing, Seal, SealingKeyMissing
from services import cli, registry
from services.embedded.sealing import settings_of
from services.hosts.service import password_place
from tests.support.doors import SECRET, opened


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a platform with empty databases."""
    for name in ("OPSJOB_DATABASE_URL", "OPSJOB_SECRET", "OPSJOB_SEALING_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    secret = tmp_path / "secret"
    secret.write_text(SECRET.get_secret_value())
    secret.chmod(0o600)
    for name, service in registry.load_all().items():
        engine = create_engine(f"sqlite:///{tmp_path}/{name}.db")
        service.metadata.create_all(engine)
        engine.dispose()
    return tmp_path


async def add_hosts(data_dir: Path, count: int) -> None:
    """Hosts with passwords, made through the door of the hosts service with the keys of now."""
    async with opened(registry.load("hosts"), f"sqlite:///{data_dir}/hosts.db", data_dir) as door:
        for number in range(count):
            spec = {"name": f"web-{number}", "ip_address": f"10.0.0.{number}"}
            spec["password"] = f"pw-{number}"
            await door.content("POST", "/api/hosts", status=201, json=spec)


def sealed_passwords(data_dir: Path) -> Sequence[tuple[int, str]]:
    with sqlite3.connect(data_dir / "hosts.db") as db:
        return db.execute("SELECT id, password_sealed FROM hosts ORDER BY id").fetchall()


Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def run(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`opsjob admin secrets …` on the folder: its exit code and all that it said."""

    async def command(*words: str) -> tuple[int, str]:
        arguments = ["admin", "secrets", *words, "--data-dir", str(data_dir)]
        code = await asyncio.to_thread(cli.invoke, arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


async def test_all_secrets_move_to_a_new_key_and_still_open(data_dir: Path, run: Run) -> None:
    await add_hosts(data_dir, 3)
    before = sealed_passwords(data_dir)

    assert (await run("new-key"))[0] == 0
    assert (data_dir / "sealing-keys").stat().st_mode & 0o777 == 0o600
    seal = Seal(KeyRing.of(settings_of(data_dir)), "hosts")
    assert [seal.open(text, place=password_place(n)) for n, text in before] == [
        "pw-0",
        "pw-1",
        "pw-2",
    ]
    code, said = await run("rotate")

    assert code == 0, said
    assert "hosts: 3 to do" in said
    assert "hosts: 3 of 3" in said
    after = sealed_passwords(data_dir)
    assert all(text.startswith(seal.active) for _, text in after)
    assert [seal.open(text, place=password_place(n)) for n, text in after] == [
        "pw-0",
        "pw-1",
        "pw-2",
    ]
    assert "hosts: 0 to do" in (await run("rotate"))[1]


async def test_a_value_that_was_moved_is_told_and_stops_nothing(data_dir: Path, run: Run) -> None:
    await add_hosts(data_dir, 3)
    (_, first), *_ = sealed_passwords(data_dir)
    with sqlite3.connect(data_dir / "hosts.db") as db:
        db.execute("UPDATE hosts SET password_sealed = ? WHERE id = 2", (first,))
    await run("new-key")

    code, said = await run("rotate")

    assert code == 2
    assert "hosts/2/password cannot be opened" in said
    assert [text.startswith("v2:") for _, text in sealed_passwords(data_dir)] == [True, False, True]


async def test_it_goes_on_where_it_stopped(data_dir: Path, run: Run) -> None:
    await add_hosts(data_dir, 5)
    await run("new-key")
    settings = settings_of(data_dir)
    db = Database(settings.database_url_of("hosts"), name="hosts")
    await db.open()
    seal, columns = Seal(KeyRing.of(settings), "hosts"), registry.load("hosts").sealed
    two = Resealing(db, seal, columns, batch=2)

    assert (await two.step(columns[0])).done == 2
    assert await two.left() == 3
    await db.close()

    assert "hosts: 3 to do" in (await run("rotate"))[1]
    assert all(text.startswith("v2:") for _, text in sealed_passwords(data_dir))


async def test_a_start_without_a_key_says_which_and_where(data_dir: Path, run: Run) -> None:
    await add_hosts(data_dir, 1)
    await run("new-key")
    await run("rotate")
    key_id = sealed_passwords(data_dir)[0][1].split(":")[1]
    (data_dir / "sealing-keys").unlink()

    with pytest.raises(SealingKeyMissing, match=f"{key_id}.*{data_dir}/sealing-keys"):
        await add_hosts(data_dir, 1)
    code, said = await run("status")

    assert code == 2
    assert "missing" in said

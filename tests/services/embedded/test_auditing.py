"""`opsjob admin audit verify`: silent doubts are none; the first bad record is named."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from libs.contracts.audit import audited
from libs.kit.db import Database, Transaction
from libs.kit.service import Service
from services import cli
from services.auth.app import service
from services.auth.audit.domain import Checkpoint
from services.auth.audit.repository import CheckpointFile, audit_head, audit_records
from services.auth.audit.service import AuditLog, Checkpoints
from services.auth.settings import AuditSettings
from tests.support.doors import SECRET


@dataclass
class Installation:
    """A database of auth and the folder of its checkpoints."""

    url: str
    folder: Path

    @property
    def file(self) -> CheckpointFile:
        return CheckpointFile(self.folder / "audit")

    def write(self, count: int, *, checkpoint: bool = True) -> None:
        """Adds records, then a checkpoint."""

        async def body(db: Database) -> None:
            for number in range(count):
                await AuditLog(db).record(audited("host.create", id=number).stamped(""))
            if checkpoint:
                settings = AuditSettings()
                await Checkpoints(db, file=self.file, settings=settings, holder="one").write()

        self._opened(body)

    def tamper(self, change: Callable[[Transaction], object]) -> None:
        """Does to the rows what somebody with the database could."""

        async def body(db: Database) -> None:
            await db.write(change)

        self._opened(body)

    def _opened(self, body: Callable[[Database], object]) -> None:
        async def whole() -> None:
            db = Database(self.url, name="auth")
            await db.open()
            try:
                await body(db)  # type: ignore[misc]  # both bodies above are coroutines
            finally:
                await db.close()

        asyncio.run(whole())


@pytest.fixture
def installation(
    database_url: Callable[[Service], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    url = database_url(service)
    named = "auth.db" in url
    template = url.replace("auth.db", "{service}.db") if named else f"{url}?{{service}}"
    monkeypatch.setenv("OPSJOB_DATABASE_URL", template)
    monkeypatch.setenv("OPSJOB_SECRET", SECRET.get_secret_value())
    monkeypatch.setenv("OPSJOB_DATA_DIR", str(tmp_path))
    return Installation(url, tmp_path)


def verify(*options: str) -> int:
    return cli.invoke(["admin", "audit", "verify", *options])


def test_an_untouched_log_is_whole(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.write(7)
    capsys.readouterr()

    assert verify() == 0
    assert capsys.readouterr().out == (
        "The audit log is whole: 7 records (1 to 7), 1 checkpoints, the newest of record 7.\n"
    )
    assert verify("--json") == 0
    assert json.loads(capsys.readouterr().out)["records"] == 7


def test_a_checkpoint_that_is_written_meanwhile_is_not_called_missing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.write(3)
    read, grown = CheckpointFile.read, False

    def read_then_grow(file: CheckpointFile) -> list[Checkpoint]:
        nonlocal grown
        found = read(file)
        if not grown:
            grown = True
            installation.write(2)  # between the look at the file and that at the database
        return list(found)

    monkeypatch.setattr(CheckpointFile, "read", read_then_grow)

    assert verify() == 0


def test_an_empty_log_is_whole(installation: Installation) -> None:
    assert verify() == 0


def test_the_first_bad_record_is_named(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.write(7)
    third = audit_records.c.seq == 3
    installation.tamper(lambda tx: tx.execute(update(audit_records).where(third).values(detail="")))
    assert verify() == 0, "nothing has changed by that"
    installation.tamper(
        lambda tx: tx.execute(update(audit_records).where(third).values(actor_name="nobody"))
    )

    assert verify() == 1
    assert capsys.readouterr().err == "error: Record 3: its content is not what was recorded.\n"


def test_a_chain_that_was_made_anew_is_found_by_a_copy_of_the_checkpoints(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody with the database and the folder: only what was copied away tells."""
    installation.write(4)
    copied, key = tmp_path / "copied.jsonl", tmp_path / "key.pem"
    copied.write_bytes(installation.file.path.read_bytes())
    key.write_bytes(installation.file.public_path.read_bytes())
    away = ("--checkpoints", str(copied), "--public-key", str(key))
    installation.write(3)
    assert verify(*away) == 0

    def begin_anew(tx: Transaction) -> None:
        tx.execute(delete(audit_records))
        tx.execute(delete(audit_head))

    installation.tamper(begin_anew)
    for path in installation.file.path.parent.iterdir():
        path.unlink()
    installation.write(9)

    assert verify() == 0
    assert verify(*away) == 1
    assert "belongs to another chain" in capsys.readouterr().err


def test_checkpoints_that_are_none_are_said_to_be_so(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.write(2)
    bad = tmp_path / "bad.jsonl"
    bad.write_text("not json\n")

    assert verify("--checkpoints", str(bad)) == 2
    assert "line 1 is no checkpoint" in capsys.readouterr().err
    assert verify("--checkpoints", str(tmp_path / "missing")) == 2
    assert verify("--public-key", str(bad)) == 2


def test_without_a_platform_there_is_nothing_to_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPSJOB_DATABASE_URL", raising=False)

    assert verify("--data-dir", str(tmp_path / "nowhere")) == 2
    assert "No platform keeps its data" in capsys.readouterr().err

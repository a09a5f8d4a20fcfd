"""The audit log on a fresh database, with checkpoints in a temporary folder."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from libs.kit.db import Database
from libs.kit.service import Service
from services.auth.app import service
from services.auth.audit.repository import CheckpointFile
from services.auth.audit.service import AuditLog, Checkpoints, Inspection, Retention
from services.auth.settings import AuditSettings


@pytest.fixture
async def db(open_database: Callable[[Service], Awaitable[Database]]) -> Database:
    return await open_database(service)


@pytest.fixture
def records(db: Database) -> AuditLog:
    return AuditLog(db)


@pytest.fixture
def file(tmp_path: Path) -> CheckpointFile:
    return CheckpointFile(tmp_path / "audit")


@pytest.fixture
def audit_settings() -> AuditSettings:
    return AuditSettings(checkpoint_records=5, checkpoint_seconds=60, keep_days=30)


@pytest.fixture
def checkpoints(db: Database, file: CheckpointFile, audit_settings: AuditSettings) -> Checkpoints:
    return Checkpoints(db, file=file, settings=audit_settings, holder="one")


@pytest.fixture
def retention(db: Database, checkpoints: Checkpoints, audit_settings: AuditSettings) -> Retention:
    return Retention(db, checkpoints=checkpoints, settings=audit_settings)


@pytest.fixture
def inspection(db: Database) -> Inspection:
    return Inspection(db)

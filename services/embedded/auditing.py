"""Proves the audit log from outside the services, from its database, checkpoints and key."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from libs.kit import migrate
from libs.kit.db import Database
from libs.kit.errors import AppError
from libs.kit.settings import Settings
from services import registry
from services.auth.audit.domain import Checkpoint, Unreadable, Verification
from services.auth.audit.repository import (
    CheckpointFile,
    read_checkpoint_file,
    read_public_key,
)
from services.auth.audit.service import Inspection
from services.embedded.options import StartRefused


@dataclass(frozen=True)
class Verdict:
    """What was looked at, and the first thing that is wrong, if any."""

    records: int
    first_seq: int
    last_seq: int
    checkpoints: int
    newest_checkpoint: int
    problem: str | None


def verify(settings: Settings, *, checkpoints: Path | None, key: Path | None) -> Verdict:
    """Goes through the whole chain; raises StartRefused with one line when it cannot.

    ``checkpoints`` is a copy of the file that was taken earlier; without one, all that this
    installation has written are compared. ``key`` is the public key, kept apart as well.
    """
    file = CheckpointFile(settings.data_dir / "audit")
    try:
        known = file.read() if checkpoints is None else read_checkpoint_file(checkpoints)
        public = file.public_key() if key is None else read_public_key(key)
    except Unreadable as error:
        name = file.path if checkpoints is None else checkpoints
        raise StartRefused(f"{name}: {error}.") from None
    except (OSError, ValueError) as error:
        raise StartRefused(f"The checkpoints cannot be checked: {error}.") from None
    url = settings.database_url_of("auth")
    _refuse_unmigrated(url)

    async def look() -> tuple[Verification, Sequence[Checkpoint]]:
        seen, is_all = known, checkpoints is None
        database = Database(url, name="auth", pool_size=2)
        await database.open()
        try:
            while True:
                found = await Inspection(database).verify(seen, public, complete=is_all)
                now = file.read() if is_all else seen
                if found.finding is None or len(now) == len(seen):
                    return found, seen
                seen = now  # one more was written after the file had been read: judge anew
        finally:
            await database.close()

    try:
        found, known = asyncio.run(look())
    except AppError as error:
        raise StartRefused(str(error)) from None
    return Verdict(
        records=found.count,
        first_seq=found.first_seq,
        last_seq=found.last_seq,
        checkpoints=len(known),
        newest_checkpoint=max((one.seq for one in known), default=0),
        problem=_problem(found),
    )


def _problem(found: Verification) -> str | None:
    if found.finding is None:
        return None
    seq, problem = found.finding.seq, found.finding.problem
    return f"Record {seq}: {problem}." if seq else f"Checkpoints: {problem}."


def _refuse_unmigrated(url: str) -> None:
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).exists():
        raise StartRefused(f"There is no database at {place.database}.")
    try:
        is_ready = migrate.at_head(url, registry.load("auth").migrations)
    except OSError as error:
        raise StartRefused(f"The database does not answer: {error}") from None
    if not is_ready:
        raise StartRefused("The database of auth is of another version; migrate it first.")

"""Keys of what is sealed in the databases: which are in use, a new one, and the way to it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr, ValidationError

from libs.kit.db import Database
from libs.kit.errors import AppError
from libs.kit.resealing import Resealing
from libs.kit.seal import KEY_FILE, KeyFileUnusable, KeyRing, MasterKey, Seal, read_keys
from libs.kit.settings import Settings
from services import registry
from services.embedded import folder as folders
from services.embedded.options import StartRefused
from services.embedded.refusing import unusable

T = TypeVar("T")

Say = Callable[[str], None]


@dataclass(frozen=True)
class KeyUse:
    """How many values of one service use one key; `prefix` is what they begin with."""

    service: str
    prefix: str
    values: int
    is_active: bool
    is_known: bool


def settings_of(data_dir: Path) -> Settings:
    """Of separate services by the environment, else of the embedded platform in this folder."""
    try:
        if "OPSJOB_DATABASE_URL" in os.environ:
            return Settings()
        place = folders.locate(data_dir)
        if not place.secret_file.exists():
            raise StartRefused(f"No platform keeps its data in {place.root}.")
        return Settings(
            database_url=place.database_url,
            secret=SecretStr(os.environ.get("OPSJOB_SECRET") or folders.secret(place)),
            data_dir=place.root,
            environment="embedded",
        )
    except ValidationError as error:
        raise StartRefused(unusable(error, "OPSJOB_")) from None


def new_key(settings: Settings) -> tuple[str, Path]:
    """Puts a new key in front of the key file and answers its id and the file.

    Running services seal with it from now on; what they sealed before still opens. The file is
    the only place of the key: whoever loses it loses the secrets.
    """
    file = settings.sealing_key_file or settings.data_dir / KEY_FILE
    try:
        older = read_keys(file) if file.exists() else ()
        fresh = MasterKey.fresh()
        lines = ["# Keys of the secrets in the databases; the first one seals. Keep a copy apart."]
        lines += [key.line for key in (fresh, *older)]
        folders.write_private(file, "\n".join(lines) + "\n")
    except KeyFileUnusable as error:
        raise StartRefused(str(error)) from None
    except OSError as error:
        raise StartRefused(f"The key file {file} cannot be written: {error.strerror}.") from None
    return fresh.id, file


def usage(settings: Settings) -> list[KeyUse]:
    """Which keys the values of each service use."""

    async def look(resealing: Resealing, seal: Seal, name: str) -> list[KeyUse]:
        found = await resealing.usage()
        return [
            KeyUse(name, prefix, number, prefix == seal.active, prefix in seal.known)
            for prefix, number in sorted(found.counts.items())
        ]

    return [use for found in _each(settings, look) for use in found]


def rotate(settings: Settings, say: Say) -> bool:
    """Moves every value to the active key, while services go on; False if some cannot be opened.

    It can be interrupted at any time and goes on where it stopped.
    """

    async def move(resealing: Resealing, _seal: Seal, name: str) -> bool:
        total, done = await resealing.left(), 0
        unreadable: list[str] = []
        say(f"{name}: {total} to do")
        for column in resealing.columns:
            after: tuple[object, ...] | None = None
            while True:
                step = await resealing.step(column, after)
                done += step.done
                unreadable += step.unreadable
                if step.last is None:
                    break
                after = step.last
                say(f"{name}: {done} of {total}")
        for place in unreadable[:20]:
            say(f"{name}: {place} cannot be opened; it stays as it is")
        return not unreadable

    return all(_each(settings, move))


Work = Callable[[Resealing, Seal, str], Awaitable[T]]


def _each(settings: Settings, work: Work[T]) -> Sequence[T]:
    async def through_all() -> list[T]:
        ring = KeyRing.of(settings)
        found: list[T] = []
        for name, service in registry.load_all().items():
            if not service.sealed:
                continue
            db = Database(settings.database_url_of(name), name=name, pool_size=1)
            await db.open()
            try:
                seal = Seal(ring, name)
                found.append(await work(Resealing(db, seal, service.sealed), seal, name))
            finally:
                await db.close()
        return found

    try:
        return asyncio.run(through_all())
    except (AppError, KeyFileUnusable) as error:
        raise StartRefused(str(error)) from None

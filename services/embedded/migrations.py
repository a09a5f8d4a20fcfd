"""Brings the databases of all services to the revision of this version."""

import sys
from collections.abc import Iterable

from libs.kit import migrate
from libs.kit.settings import Settings
from services import registry


def up_to_date(settings: Settings, names: Iterable[str] = registry.SERVICES) -> bool:
    """Whether no database needs a migration; quick."""
    return all(_at_head(settings, name) for name in names)


def _at_head(settings: Settings, name: str) -> bool:
    folder = registry.load(name).migrations
    return migrate.at_head(settings.database_url_of(name), folder)


def upgrade(settings: Settings, names: Iterable[str] = registry.SERVICES) -> int:
    """Migrates what is behind; for a process of its own, because Alembic is heavy."""
    for name in names:
        if _at_head(settings, name):
            continue
        service = registry.load(name)
        sys.stderr.write(f"Migrating the database of {name}.\n")
        url = settings.database_url_of(name)
        try:
            migrate.upgrade(name, service.metadata, service.migrations, url)
        except migrate.NewerDatabase as newer:
            sys.stderr.write(f"{newer}\n")
            return 1
    return 0

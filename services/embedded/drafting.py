"""Drafts a migration from what the models say: `python -m services.embedded.drafting hosts "…"`.

The draft is a start: read it, name its constraints, and try it on a filled database.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, pool

from libs.kit import migrate
from services import registry

TEMPLATE = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

{imports}revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """{message}."""
    {up}


def downgrade() -> None:
    """Take that back."""
    {down}
'''


class Declared(Protocol):
    """What a draft is made from; a kit Service is one."""

    @property
    def name(self) -> str: ...
    @property
    def metadata(self) -> MetaData: ...
    @property
    def migrations(self) -> Path: ...


def differences(service: Declared) -> list[object]:
    """What the models of a service say and its migrations do not; empty when they agree."""
    with _migrated(service) as context:
        return list(compare_metadata(context, service.metadata))


def draft(service: Declared, message: str) -> Path:
    """Writes the next version file of a service. Raises ValueError when nothing changed."""
    with _migrated(service) as context:
        found = produce_migrations(context, service.metadata)
    if found.upgrade_ops is None or found.downgrade_ops is None or found.upgrade_ops.is_empty():
        raise ValueError(f"The models of {service.name} and its migrations agree already.")
    (before,) = migrate.heads(service.migrations)
    revision = f"{int(before) + 1:04}"
    up = render_python_code(found.upgrade_ops, render_as_batch=True)
    down = render_python_code(found.downgrade_ops, render_as_batch=True)
    own_types = sorted(set(re.findall(r"libs\.[\w.]+(?=\.\w+\()", up + down)))
    modules = "".join(f"import {module}\n" for module in own_types)
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")
    target = service.migrations / "versions" / f"{revision}_{slug}.py"
    text = TEMPLATE.format(
        message=message.rstrip("."),
        imports=f"{modules}\n" if modules else "",
        revision=revision,
        before=before,
        up=up,
        down=down,
    )
    target.write_text(text, encoding="utf-8")
    return target


@contextmanager
def _migrated(service: Declared) -> Iterator[MigrationContext]:
    """A fresh SQLite database at the newest revision, ready to be compared."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{service.name}.db"
        migrate.upgrade(service.name, service.metadata, service.migrations, f"sqlite:///{file}")
        engine = create_engine(f"sqlite:///{file}", poolclass=pool.NullPool)
        with engine.connect() as connection:
            yield MigrationContext.configure(connection, opts={"compare_type": True})


def main(arguments: list[str]) -> int:
    """Two words: the service and what changes."""
    if len(arguments) != 2 or arguments[0] not in registry.SERVICES or not arguments[1].strip():
        sys.stderr.write('Say which and what: make migration SERVICE=hosts MESSAGE="Add tags"\n')
        return 2
    try:
        written = draft(registry.load(arguments[0]), arguments[1].strip())
    except ValueError as nothing:
        sys.stderr.write(f"{nothing}\n")
        return 1
    sys.stdout.write(f"{written}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The migrations of every service lead to exactly the tables that its models describe."""

import ast
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.embedded.drafting import differences, draft, main
from services.registry import SERVICES, load


@pytest.mark.parametrize("service", SERVICES)
def test_models_and_migrations_agree(service: str) -> None:
    assert differences(load(service)) == []


def test_a_changed_model_is_noticed_and_drafted(tmp_path: Path) -> None:
    declared = load("hosts")
    changed = sa.MetaData()
    for table in declared.metadata.tables.values():
        table.to_metadata(changed)
    changed.tables["hosts"].append_column(sa.Column("colour", sa.String(16), nullable=True))
    versions = tmp_path / "services" / "hosts" / "migrations" / "versions"
    versions.mkdir(parents=True)
    for file in [*declared.migrations.rglob("*.py")]:
        target = versions.parent / file.relative_to(declared.migrations)
        target.write_text(file.read_text())
    moved_on = _Declared(changed, versions.parent)

    assert differences(moved_on)
    written = draft(moved_on, "Give hosts a colour")

    assert written.name.endswith("_give_hosts_a_colour.py")
    assert "colour" in written.read_text()
    ast.parse(written.read_text())


def test_an_unknown_service_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weather", "add rain"]) == 2
    assert "make migration SERVICE=" in capsys.readouterr().err


class _Declared:
    """A service whose models moved on while its migrations lie in a temporary folder."""

    name = "hosts"

    def __init__(self, metadata: sa.MetaData, migrations: Path) -> None:
        self.metadata = metadata
        self.migrations = migrations

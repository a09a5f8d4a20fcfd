"""admin secrets: the keys with which secrets are sealed in the databases."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.failure import CommandFailed
from services.embedded.options import StartRefused

DataDir = Annotated[
    Path, typer.Option(help="Data folder of the platform.", envvar="OPSJOB_DATA_DIR")
]


def register(admin: typer.Typer) -> None:
    """Adds the commands of this file to `admin`."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Keys of secrets in the databases."
    )
    admin.add_typer(group, name="secrets")
    group.command("status")(status)
    group.command("new-key")(new_key)
    group.command("rotate")(rotate)


def status(data_dir: DataDir = Path("data")) -> None:
    """Show which keys are in use; fails when one is missing."""
    try:
        sealing = _sealing()
        found = sealing.usage(sealing.settings_of(data_dir))
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    table = [
        [use.service, use.prefix.rstrip(":"), str(use.values), _state(use.is_known, use.is_active)]
        for use in found
    ]
    terminal.columns(("SERVICE", "KEY", "SECRETS", "STATE"), table)
    if not all(use.is_known for use in found):
        raise CommandFailed("A key is missing; restore the key file or OPSJOB_SECRET.")


def new_key(data_dir: DataDir = Path("data")) -> None:
    """Make a new key; everything is sealed with it from now on. `rotate` moves the rest."""
    try:
        sealing = _sealing()
        key_id, file = sealing.new_key(sealing.settings_of(data_dir))
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    terminal.line(
        f"The key {key_id} is active now. Keep a copy of {file} apart from the databases."
    )


def rotate(data_dir: DataDir = Path("data")) -> None:
    """Move all secrets to the active key, while the platform runs; may be interrupted."""
    try:
        sealing = _sealing()
        complete = sealing.rotate(sealing.settings_of(data_dir), terminal.line)
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    if not complete:
        raise CommandFailed("Some secrets cannot be opened; see above.")
    terminal.line("All secrets use the active key.")


def _state(is_known: bool, is_active: bool) -> str:
    if not is_known:
        return "missing"
    return "active" if is_active else "old"


def _sealing() -> ModuleType:
    return importlib.import_module("services.embedded.sealing")

"""admin audit: whether the audit log is what was recorded."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.failure import CommandFailed
from services.embedded.options import StartRefused

EXIT_BROKEN_CHAIN = 1


def register(admin: typer.Typer) -> None:
    """Adds the commands of this file to `admin`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The audit log.")
    admin.add_typer(group, name="audit")
    group.callback()(_audit)
    group.command("verify")(verify)


def _audit() -> None:
    """The audit log."""


def verify(
    data_dir: Annotated[
        Path, typer.Option(help="Data folder of the platform.", envvar="OPSJOB_DATA_DIR")
    ] = Path("data"),
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Checkpoints that were copied away earlier, to compare with."),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="The public key of the checkpoints, kept apart (PEM).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every record, the chain and the signed checkpoints. Exit 1 names the first bad record.

    Reads the database itself, while the platform runs or not.
    """
    sealing = importlib.import_module("services.embedded.sealing")
    auditing = importlib.import_module("services.embedded.auditing")
    try:
        settings = sealing.settings_of(data_dir)
        verdict = auditing.verify(settings, checkpoints=checkpoints, key=public_key)
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    if as_json:
        terminal.as_json(vars(verdict))
    if verdict.problem is not None:
        raise CommandFailed(verdict.problem, exit_code=EXIT_BROKEN_CHAIN)
    if not as_json:
        stretch = f"{verdict.first_seq} to {verdict.last_seq}" if verdict.records else "none"
        terminal.line(
            f"The audit log is whole: {verdict.records} records ({stretch}), "
            f"{verdict.checkpoints} checkpoints, the newest of record {verdict.newest_checkpoint}."
        )

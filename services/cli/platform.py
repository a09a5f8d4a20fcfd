"""up, serve, worker and migrate: the platform's own processes."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from services.cli import first_run as first_script
from services.cli.failure import CommandFailed
from services.embedded.options import LogTarget, StartRefused, UpOptions
from services.embedded.start import up as start_platform

DataDir = Annotated[
    Path, typer.Option(help="Where the platform keeps everything.", envvar="OPSJOB_DATA_DIR")
]
Port = Annotated[int, typer.Option(help="0 chooses a free one.", min=0, max=65_535)]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("up")(up)
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("migrate")(migrate)


def up(
    data_dir: DataDir = Path("data"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8000,
    agent_port: Port = 8001,
    agent: Annotated[bool, typer.Option(help="Run an agent for this machine.")] = True,
    first_run: Annotated[
        bool, typer.Option("--first-run", help="Run a first script and show its output.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the first script; exit 0 if it succeeded.")
    ] = False,
    logs: Annotated[LogTarget, typer.Option(help="Where log lines go.")] = LogTarget.files,
    log_level: Annotated[
        str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.", envvar="OPSJOB_LOG_LEVEL")
    ] = "INFO",
) -> None:
    """Run the whole platform on this machine until Ctrl-C."""
    options = UpOptions(
        data_dir=data_dir,
        host=host,
        port=port,
        agent_port=agent_port,
        with_agent=agent,
        log_level=log_level.upper(),
        logs=logs,
        once=once,
    )
    show = first_script.show if first_run or once else None
    raise typer.Exit(_started(lambda: start_platform(options, first_run=show)))


def serve(
    service: Annotated[
        str, typer.Argument(help="auth, hosts, execution, signer, gateway-api or gateway-agents.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="8000, or 8001 for gateway-agents.", min=0, max=65_535)
    ] = None,
) -> None:
    """Run one part as a process of its own; settings come from OPSJOB_… variables."""
    separate = importlib.import_module("services.embedded.separate")
    raise typer.Exit(_started(lambda: separate.serve(service, host, port)))


def worker() -> None:
    """Run background work of every service; settings come from OPSJOB_… variables."""
    separate = importlib.import_module("services.embedded.separate")
    raise typer.Exit(_started(separate.work))


def migrate(
    service: Annotated[str, typer.Argument(help="One service; all if absent.")] = "",
) -> None:
    """Bring the databases of OPSJOB_DATABASE_URL up to date."""
    separate = importlib.import_module("services.embedded.separate")
    raise typer.Exit(_started(lambda: separate.migrate(service)))


def _started(start: Callable[[], int]) -> int:
    """Runs a process of the platform; a refused start becomes one line."""
    try:
        return start()
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None

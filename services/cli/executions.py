"""logs, cancel, executions list and executions show."""

from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import EXIT_INTERRUPTED, CommandFailed
from services.cli.follow import RECORDS, LineCutter, how_it_ended, tasks_of, watch
from services.cli.inventory import AsJSON, one_host, path_part
from services.cli.paging import rows
from services.cli.views import PlainView

ExecutionID = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What was executed.")
    app.add_typer(group, name="executions")
    client_command(app, "logs")(logs)
    client_command(app, "cancel")(cancel)
    client_command(group, "list")(list_executions)
    client_command(group, "show")(show_execution)


def logs(
    api: Api,
    execution_id: ExecutionID,
    host: Annotated[str, typer.Option(help="Only this host, without its name before it.")] = "",
    follow: Annotated[bool, typer.Option(help="Go on until the execution ends.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show control characters as the host sent them.")
    ] = False,
) -> None:
    """Show the output of an execution.

    Ctrl-C while following stops the display (exit code 130), never the execution.
    """
    if follow and host:
        raise CommandFailed("Give either --follow or --host.")
    with PlainView(raw=raw, prefix=not host) as view:
        if not follow:
            _stored(api, execution_id, host, view)
            return
        try:
            watch(api, execution_id, view)
        except KeyboardInterrupt:
            terminal.note("\nStopped watching; the execution goes on.")
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _stored(api: Api, execution_id: str, host: str, view: PlainView) -> None:
    cutter = LineCutter()
    params: dict[str, str | int] = {"host_id": one_host(api, host)} if host else {}
    for chunk in stored_chunks(api, execution_id, params):
        name, stream = str(chunk.get("host")), str(chunk.get("stream"))
        lines = cutter.add(name, stream, str(chunk.get("text", "")))
        if lines:
            view.output(name, stream, lines)
    for name, stream, rest in cutter.leftovers():
        view.output(name, stream, [rest])


def stored_chunks(
    api: Api, execution_id: str, params: Mapping[str, str | int]
) -> list[Mapping[str, JSON]]:
    """Everything stored so far, in order."""
    found: list[Mapping[str, JSON]] = []
    position: str | int = 0
    while True:
        asked = {**params, "position": position}
        content = api.get(f"{RECORDS}{path_part(execution_id)}/logs/", asked)
        chunks, following = content.get("chunks"), content.get("next_position")
        if isinstance(chunks, list):
            found += [chunk for chunk in chunks if isinstance(chunk, dict)]
        if not chunks or not isinstance(following, str | int) or following == position:
            return found
        position = following


def cancel(
    api: Api,
    execution_id: ExecutionID,
    reason: Annotated[str, typer.Option(help="Why; kept with the execution.")] = "",
) -> None:
    """Stop an execution on every host where it has not ended."""
    body: dict[str, JSON] = {"reason": reason} if reason else {}
    answer = api.post(f"{RECORDS}{path_part(execution_id)}/cancel/", body)
    terminal.line(f"{answer.get('status')}: {answer.get('cancelling')} hosts are being stopped.")


def list_executions(
    api: Api,
    status: Annotated[str, typer.Option(help="Only in this state.")] = "",
    search: Annotated[str, typer.Option(help="Part of the name.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 20,
    as_json: AsJSON = False,
) -> None:
    """List executions, the newest first."""
    asked = {name: text for name, text in (("status", status), ("search", search)) if text}
    found = list(rows(api, RECORDS, asked, limit=limit))
    if as_json:
        terminal.as_json(found)
        return
    names = ("id", "name", "status", "task_total", "username", "created_at", "duration_ms")
    head = ("ID", "NAME", "STATUS", "HOSTS", "USER", "CREATED", "MS")
    terminal.columns(head, [[row.get(name) for name in names] for row in found])


def show_execution(api: Api, execution_id: ExecutionID, as_json: AsJSON = False) -> None:
    """Show one execution and how each host ended."""
    record = api.get(f"{RECORDS}{path_part(execution_id)}/")
    tasks = tasks_of(api, execution_id)
    if as_json:
        terminal.as_json({**record, "tasks": list(tasks)})
        return
    for name in ("id", "name", "status", "username", "script_type", "created_at", "finished_at"):
        value = record.get(name)
        terminal.line(f"{name:<12} {terminal.harmless(str('-' if value is None else value))}")
    terminal.line()
    head = ("HOST", "RESULT", "MS", "STDOUT", "STDERR")
    terminal.columns(head, [[*_task_row(task)] for task in tasks])


def _task_row(task: Mapping[str, JSON]) -> list[JSON]:
    return [
        task.get("host_name"),
        how_it_ended(task),
        task.get("duration_ms"),
        task.get("stdout_bytes"),
        task.get("stderr_bytes"),
    ]

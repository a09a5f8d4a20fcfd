"""cancel, executions list, show and tasks; the orders of `executions` are in control.py."""

from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli import control, terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.follow import RECORDS, how_it_ended, tasks_of
from services.cli.inventory import AsJSON, path_part
from services.cli.paging import rows

ExecutionID = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What was executed.")
    app.add_typer(group, name="executions")
    client_command(app, "cancel")(cancel)
    client_command(group, "list")(list_executions)
    client_command(group, "show")(show_execution)
    client_command(group, "tasks")(list_tasks)
    control.register(group)


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


def list_tasks(
    api: Api,
    execution_id: ExecutionID,
    status: Annotated[str, typer.Option(help="Only in this state.")] = "",
    as_json: AsJSON = False,
) -> None:
    """List the tasks of an execution: one step on one host each, and what they wait for."""
    asked = {"status": status} if status else {}
    found = list(rows(api, f"{RECORDS}{path_part(execution_id)}/tasks/", asked))
    if as_json:
        terminal.as_json(found)
        return
    head = ("ID", "HOST", "RESULT", "ATTEMPT", "WAITS FOR")
    table = [
        [
            task.get("id"),
            task.get("host_name"),
            how_it_ended(task),
            task.get("attempt"),
            waits(task),
        ]
        for task in found
    ]
    terminal.columns(head, table)


def waits(task: Mapping[str, JSON]) -> str:
    """What a task waits for, in words, or nothing."""
    known = task.get("waits_for")
    if not isinstance(known, dict):
        return ""
    return str(known.get("message_zh" if terminal.speaks_chinese() else "message"))


def _task_row(task: Mapping[str, JSON]) -> list[JSON]:
    return [
        task.get("host_name"),
        how_it_ended(task),
        task.get("duration_ms"),
        task.get("stdout_bytes"),
        task.get("stderr_bytes"),
    ]

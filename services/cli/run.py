"""run: a script on hosts, with live output, and an exit code that scripts can trust."""

import os
import stat
import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import EXIT_INTERRUPTED, CommandFailed
from services.cli.follow import exit_code_for, how_it_ended, tasks_of, watch
from services.cli.inventory import chosen_hosts
from services.cli.views import view_for

LARGEST_SCRIPT_BYTES = 8_000_000  # more than the API takes; it only bounds what is read here
_TYPES = {
    ".py": "python",
    ".js": "javascript",
    ".pl": "perl",
    ".ps1": "powershell",
    ".go": "go",
}

HELP = """Run a script on hosts and watch it.

Exit code: 0 if every host succeeded, 1 if some did not, 2 if the command was wrong or the
platform refused, 130 if you stopped watching with Ctrl-C. Stopping to watch does not cancel:
the script goes on, `opsjob logs ID --follow` watches again, `opsjob cancel ID` stops it.
"""


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    run.__doc__ = HELP
    client_command(app, "run")(run)


def run(
    api: Api,
    hosts: Annotated[
        str,
        typer.Option(help="Names, ids or addresses with commas; all-online; group:NAME."),
    ],
    command: Annotated[str | None, typer.Option(help="The script itself.")] = None,
    script: Annotated[str | None, typer.Option(help="A file with the script; - is stdin.")] = None,
    script_type: Annotated[
        str,
        typer.Option("--type", help="shell, python, javascript, perl, powershell or go."),
    ] = "",
    timeout: Annotated[int, typer.Option(help="Seconds until it is stopped.")] = 300,
    run_as: Annotated[str, typer.Option(help="User on the host.")] = "",
    cwd: Annotated[str, typer.Option(help="Working folder on the host.")] = "",
    name: Annotated[str, typer.Option(help="Name shown in lists.")] = "",
    arg: Annotated[list[str] | None, typer.Option(help="Argument; may be repeated.")] = None,
    env: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; may be repeated.")] = None,
    follow: Annotated[bool, typer.Option(help="Watch until it ends.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document at the end, no live output.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show control characters as the host sent them.")
    ] = False,
) -> None:
    body: dict[str, JSON] = {
        "script_content": _script_text(command, script),
        "script_type": script_type or _type_by_name(script),
        "timeout": timeout,
        "args": list(arg or ()),
        "env": _environment(env or []),
    }
    body |= {
        key: value for key, value in {"run_as": run_as, "cwd": cwd, "name": name}.items() if value
    }
    targets = chosen_hosts(api, hosts)
    body["target_host_ids"] = list(targets)
    accepted = api.post("/api/quick/execute_script/", body, idempotency_key=str(uuid.uuid4()))
    execution_id = str(accepted["execution_id"])
    if not follow:
        _tell_accepted(accepted, as_json=as_json)
        return
    raise typer.Exit(_watch_to_end(api, execution_id, len(targets), as_json=as_json, raw=raw))


def _tell_accepted(accepted: dict[str, JSON], *, as_json: bool) -> None:
    if as_json:
        terminal.as_json(accepted)
    else:
        terminal.line(str(accepted["execution_id"]))


def _watch_to_end(api: Api, execution_id: str, total: int, *, as_json: bool, raw: bool) -> int:
    """Follows the execution, tells how each host ended, answers the exit code."""
    if not as_json:
        terminal.note(f"execution {execution_id}")
    try:
        status = (
            wait_quietly(api, execution_id) if as_json else _show(api, execution_id, total, raw=raw)
        )
    except KeyboardInterrupt:
        terminal.note(
            f"\nStopped watching; the execution goes on. Watch: opsjob logs {execution_id} "
            f"--follow. Stop: opsjob cancel {execution_id}"
        )
        return EXIT_INTERRUPTED
    tasks = tasks_of(api, execution_id)
    if as_json:
        terminal.as_json({"execution_id": execution_id, "status": status, "tasks": list(tasks)})
    else:
        for task in tasks:
            if task.get("status") != "success":
                name = terminal.harmless(str(task.get("host_name")))
                terminal.note(f"{name}: {terminal.harmless(how_it_ended(task))}")
        good = sum(1 for task in tasks if task.get("status") == "success")
        terminal.note(f"{status}: {good} of {len(tasks)} hosts succeeded")
    return exit_code_for(tasks, status)


def _show(api: Api, execution_id: str, total: int, *, raw: bool) -> str:
    with view_for(total, raw=raw) as view:
        return watch(api, execution_id, view)


class _Silence:
    """A view for `--json`: the document at the end says it all."""

    def output(self, host: str, stream: str, lines: list[str]) -> None:
        """Not shown."""

    def states(self, tasks: object) -> None:
        """Not shown."""

    def gap(self, host: str, text: str) -> None:
        """Not shown."""


def wait_quietly(api: Api, execution_id: str) -> str:
    """Waits for the end of an execution; answers its status."""
    return watch(api, execution_id, _Silence())


# ---- what was asked for -----------------------------------------------------------------------


def _script_text(command: str | None, script: str | None) -> str:
    if (command is None) == (script is None):
        raise CommandFailed("Give either --command or --script.")
    if command is not None:
        return command
    content = _read_stdin() if script == "-" else _read_file(Path(str(script)))
    if len(content) > LARGEST_SCRIPT_BYTES:
        raise CommandFailed("The script is too large to be one.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed("The script is not UTF-8 text.") from None


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise CommandFailed("Standard input is closed.")
    return sys.stdin.buffer.read(LARGEST_SCRIPT_BYTES + 1)


def _read_file(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe without writer must not hang
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CommandFailed(f"{path} is not a file.")
            return file.read(LARGEST_SCRIPT_BYTES + 1)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.") from None


def _type_by_name(script: str | None) -> str:
    return _TYPES.get(Path(script or "").suffix, "shell")


def _environment(pairs: list[str]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise CommandFailed("--env wants NAME=VALUE.")
        found[name] = value
    return found

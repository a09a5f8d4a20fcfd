"""run: a script on hosts, with live output, and an exit code that scripts can trust."""

import json
import os
import stat
import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.approvals import tell_why_it_waits
from services.cli.command import client_command
from services.cli.failure import EXIT_INTERRUPTED, CommandFailed
from services.cli.follow import RECORDS, exit_code_for, how_it_ended, tasks_of, watch
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
    client_command(app, "run", order)(run)
    client_command(app, "execute")(execute)


def order(
    mode: Annotated[str, typer.Option(help="parallel, serial or rolling.")] = "",
    batches: Annotated[
        str, typer.Option(help="Rolling: sizes with commas, such as 1,10,50%.")
    ] = "",
    batch_delay: Annotated[float, typer.Option(help="Seconds between batches.")] = 0.0,
    canary: Annotated[int, typer.Option(help="First so many hosts, then ask.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Hosts at work at once, at most.")] = 0,
    tolerate: Annotated[
        str, typer.Option(help="Failed hosts that do not stop it: a number or percent, 5%.")
    ] = "",
    retries: Annotated[int, typer.Option(help="How often a host is tried again.")] = 0,
    retry_delay: Annotated[int, typer.Option(help="Seconds before it is.")] = 0,
    success_code: Annotated[
        list[int] | None, typer.Option(help="Exit code that is a success; may be repeated.")
    ] = None,
    var: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; may be repeated.")] = None,
    priority: Annotated[int, typer.Option(help="1 goes first, 9 last.")] = 5,
    confirm_hosts: Annotated[
        int, typer.Option(help="Their number, where the platform wants it typed.")
    ] = 0,
    start_within: Annotated[
        int, typer.Option(help="Seconds an absent host may take to come; 600 if not given.")
    ] = 0,
) -> dict[str, JSON]:
    """The fields that say in which order hosts follow, and what happens after a failure."""
    given: dict[str, JSON] = {
        "strategy": _strategy(mode, batches, batch_delay, canary, concurrency, tolerate),
        "retries": retries,
        "retry_delay_seconds": retry_delay,
        "success_codes": list(success_code or []),
        "variables": _environment(var or [], option="--var"),
        "not_after_seconds": start_within,
        "confirmed_host_count": confirm_hosts,
    }
    chosen = {name: value for name, value in given.items() if value}
    return {**chosen, "priority": priority}


def _strategy(
    mode: str, batches: str, batch_delay: float, canary: int, concurrency: int, tolerate: str
) -> dict[str, JSON]:
    sizes: list[JSON] = [size.strip() for size in batches.split(",") if size.strip()]
    given: dict[str, JSON] = {
        "mode": mode or ("rolling" if sizes else ""),
        "batches": sizes,
        "batch_delay_seconds": batch_delay,
        "canary": canary,
        "concurrency": concurrency,
        "failure_threshold": _threshold(tolerate) if tolerate else None,
    }
    return {name: value for name, value in given.items() if value}


def _threshold(tolerate: str) -> dict[str, JSON]:
    number = tolerate.removesuffix("%")
    if not (number.isascii() and number.isdigit()):
        raise CommandFailed("--tolerate wants a number of hosts or a percentage, such as 5%.")
    return {"percent" if tolerate.endswith("%") else "hosts": int(number), "action": "stop"}


def run(
    api: Api,
    order: dict[str, JSON],
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
        **order,
    }
    body |= {
        key: value for key, value in {"run_as": run_as, "cwd": cwd, "name": name}.items() if value
    }
    targets = chosen_hosts(api, hosts)
    body["target_host_ids"] = list(targets)
    accepted = api.post("/api/quick/execute_script/", body, idempotency_key=str(uuid.uuid4()))
    execution_id = str(accepted["execution_id"])
    tell_why_it_waits(accepted)
    if not follow:
        _tell_accepted(accepted, as_json=as_json)
        return
    raise typer.Exit(watch_to_end(api, execution_id, len(targets), as_json=as_json, raw=raw))


def execute(
    api: Api,
    job: Annotated[str, typer.Argument(metavar="FILE", help="JSON document; - is stdin.")],
    hosts: Annotated[str, typer.Option(help="Run on these instead of those in the file.")] = "",
    var: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; may be repeated.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show the plan; start nothing.")
    ] = False,
    follow: Annotated[bool, typer.Option(help="Watch until it ends.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document at the end, no live output.")
    ] = False,
) -> None:
    """Run many steps on hosts, from a JSON document as the API takes it.

    {"name": "Update", "target_host_ids": [1, 2], "steps": [{"name": "Stop", "script_content":
    "systemctl stop app"}, …]}. Exit codes are those of `opsjob run`.
    """
    body = _document(job)
    if hosts:
        body["target_host_ids"] = list(chosen_hosts(api, hosts))
        body.pop("target_group_ids", None)
    if var:
        kept = body.get("variables")
        known = kept if isinstance(kept, dict) else {}
        body["variables"] = {**known, **_environment(var, option="--var")}
    if preview:
        terminal.as_json(api.post(f"{RECORDS}preview/", body))
        return
    accepted = api.post(RECORDS, body, idempotency_key=str(uuid.uuid4()))
    tell_why_it_waits(accepted)
    if not follow:
        _tell_accepted(accepted, as_json=as_json)
        return
    total = accepted.get("task_count")
    code = watch_to_end(
        api,
        str(accepted["execution_id"]),
        total if isinstance(total, int) else 0,
        as_json=as_json,
        raw=False,
    )
    raise typer.Exit(code)


def _document(job: str) -> dict[str, JSON]:
    content = _read_stdin() if job == "-" else _read_file(Path(job))
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise CommandFailed(f"{job} is not a JSON document.") from None
    if not isinstance(found, dict):
        raise CommandFailed(f"{job} is not a JSON object.")
    return found


def _tell_accepted(accepted: dict[str, JSON], *, as_json: bool) -> None:
    if as_json:
        terminal.as_json(accepted)
    else:
        terminal.line(str(accepted["execution_id"]))


def watch_to_end(api: Api, execution_id: str, total: int, *, as_json: bool, raw: bool) -> int:
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


def _environment(pairs: list[str], *, option: str = "--env") -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise CommandFailed(f"{option} wants NAME=VALUE.")
        found[name] = value
    return found

"""files, push and collect: the library, files to hosts, files from hosts."""

import uuid
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.follow import RECORDS
from services.cli.inventory import AsJSON, chosen_hosts, path_part
from services.cli.paging import rows
from services.cli.run import watch_to_end
from services.cli.transfer import keep, upload

FILES = "/api/files/"
Hosts = Annotated[
    str, typer.Option(help="Names, ids or addresses with commas; all-online; group:NAME.")
]
Limit = Annotated[float, typer.Option(help="Megabytes a second for each host; 0 is no limit.")]
Timeout = Annotated[int, typer.Option(help="Seconds a host may take.", min=1, max=86_400)]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The file library.")
    app.add_typer(group, name="files")
    client_command(group, "list")(list_files)
    client_command(group, "upload")(upload_files)
    client_command(group, "download")(download_file)
    client_command(group, "delete")(delete_file)
    client_command(app, "push")(push)
    client_command(app, "collect")(collect)


def list_files(
    api: Api,
    search: Annotated[str, typer.Option(help="Part of the name.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 100,
    as_json: AsJSON = False,
) -> None:
    """List your files, the newest first."""
    found = list(rows(api, FILES, {"search": search} if search else {}, limit=limit))
    if as_json:
        terminal.as_json(found)
        return
    names = ("id", "name", "size", "kind", "username", "created_at")
    terminal.columns(
        ("ID", "NAME", "BYTES", "KIND", "USER", "CREATED"),
        [[row.get(name) for name in names] for row in found],
    )


def upload_files(
    api: Api,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    as_json: AsJSON = False,
) -> None:
    """Put files into the library; each id is a line of the answer."""
    found = [upload(api, path) for path in paths]
    if as_json:
        terminal.as_json(found)
        return
    for file in found:
        terminal.line(f"{file['id']}  {terminal.harmless(str(file['name']))}")


def download_file(
    api: Api,
    file_id: Annotated[str, typer.Argument(metavar="ID")],
    to: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
) -> None:
    """Keep a file of the library here."""
    size = keep(api, f"{FILES}{path_part(file_id)}/content/", {}, to)
    terminal.note(f"{to}: {size} bytes")


def delete_file(api: Api, file_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Remove a file from the library."""
    api.call("DELETE", f"{FILES}{path_part(file_id)}/")
    terminal.line(f"File {file_id} is removed.")


def push(
    api: Api,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of this machine.")],
    hosts: Hosts,
    to: Annotated[str, typer.Option(help="Path on the hosts; a folder if it ends with a slash.")],
    policy: Annotated[str, typer.Option(help="overwrite, skip, backup or fail.")] = "overwrite",
    mode: Annotated[str, typer.Option(help="Octal, such as 0644.")] = "",
    owner: Annotated[str, typer.Option(help="User who owns it there.")] = "",
    group: Annotated[str, typer.Option(help="Group that owns it there.")] = "",
    limit: Limit = 0.0,
    total_limit: Annotated[float, typer.Option(help="For all hosts together.")] = 0.0,
    timeout: Timeout = 3600,
    follow: Annotated[bool, typer.Option(help="Watch until it ends.")] = True,
) -> None:
    """Send files to hosts. `${HOST}`, `${IP}` and `${DATE}` may stand in the path.

    A file is there as a whole or not at all, and its checksum was compared. Exit codes are those
    of `opsjob run`.
    """
    targets = chosen_hosts(api, hosts)
    if len(paths) > 1 and not to.endswith("/"):
        raise CommandFailed("Several files go into a folder: end --to with a slash.")
    given: dict[str, JSON] = {
        "mode": mode,
        "owner": owner,
        "group": group,
        "bandwidth_limit": limit,
        "total_bandwidth_limit": total_limit,
    }
    file: dict[str, JSON] = {name: value for name, value in given.items() if value}
    file["sources"] = [{"artifact_id": str(upload(api, path)["id"])} for path in paths]
    file |= {"remote_path": to, "overwrite_policy": policy}
    name = f"Send {paths[0].name}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    _start(api, name, "push", file, targets, timeout=timeout, follow=follow)


def collect(
    api: Api,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, patterns.")
    ],
    hosts: Hosts,
    to: Annotated[
        Path | None, typer.Option(help="A new .tar file here with a folder for each host.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Pattern to leave out; may be repeated.")
    ] = None,
    limit: Limit = 0.0,
    timeout: Timeout = 3600,
) -> None:
    """Fetch files from hosts into an archive. Exit codes are those of `opsjob run`."""
    targets = chosen_hosts(api, hosts)
    file: dict[str, JSON] = {"paths": list(paths), "excludes": list(exclude or [])}
    if limit:
        file["bandwidth_limit"] = limit
    if to is not None and to.exists():
        raise CommandFailed(f"{to} is there already.")
    name = f"Collect {Path(paths[0]).name or paths[0]}"
    execution_id, code = _run(api, name, "collect", file, targets, timeout=timeout)
    if to is not None:
        size = keep(api, f"{RECORDS}{path_part(execution_id)}/collected/", {}, to)
        terminal.note(f"{to}: {size} bytes")
    raise typer.Exit(code)


def _start(
    api: Api,
    name: str,
    kind: str,
    file: dict[str, JSON],
    targets: list[int],
    *,
    timeout: int,
    follow: bool,
) -> None:
    if not follow:
        accepted = _accept(api, name, kind, file, targets, timeout)
        terminal.line(str(accepted["execution_id"]))
        return
    _, code = _run(api, name, kind, file, targets, timeout=timeout)
    raise typer.Exit(code)


def _run(
    api: Api, name: str, kind: str, file: dict[str, JSON], targets: list[int], *, timeout: int
) -> tuple[str, int]:
    accepted = _accept(api, name, kind, file, targets, timeout)
    execution_id = str(accepted["execution_id"])
    code = watch_to_end(api, execution_id, len(targets), as_json=False, raw=False)
    return execution_id, code


def _accept(
    api: Api, name: str, kind: str, file: dict[str, JSON], targets: list[int], timeout: int
) -> dict[str, JSON]:
    step: dict[str, JSON] = {"name": name[:100], "kind": kind, "file": file, "timeout": timeout}
    body: dict[str, JSON] = {"name": name[:100], "steps": [step], "target_host_ids": list(targets)}
    return api.post(RECORDS, body, idempotency_key=str(uuid.uuid4()))

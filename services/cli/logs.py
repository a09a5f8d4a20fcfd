"""logs: the stored output of an execution, live, searched, or kept in a file."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import EXIT_INTERRUPTED, CommandFailed
from services.cli.follow import RECORDS, LineCutter, watch
from services.cli.inventory import AsJSON, one_host, path_part
from services.cli.transfer import keep
from services.cli.views import PlainView

EXIT_NOTHING_FOUND = 1
ExecutionID = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    client_command(app, "logs")(logs)
    client_command(app, "search")(search)
    client_command(app, "download")(download)


def logs(
    api: Api,
    execution_id: ExecutionID,
    host: Annotated[str, typer.Option(help="Only this host, without its name before it.")] = "",
    follow: Annotated[bool, typer.Option(help="Go on until the execution ends.")] = False,
    tail: Annotated[int, typer.Option(help="Only the last so many lines.", min=0)] = 0,
    stream: Annotated[str, typer.Option(help="Only stdout or only stderr.")] = "",
    raw: Annotated[
        bool, typer.Option("--raw", help="Show control characters as the host sent them.")
    ] = False,
) -> None:
    """Show the output of an execution.

    Ctrl-C while following stops the display (exit code 130), never the execution.
    """
    if follow and (host or tail or stream):
        raise CommandFailed("Give --follow without --host, --tail and --stream.")
    with PlainView(raw=raw, prefix=not host) as view:
        if not follow:
            asked: dict[str, str | int] = {"stream": stream} if stream else {}
            if host:
                asked["host_id"] = one_host(api, host)
            _stored(api, execution_id, asked, view, tail=tail)
            return
        try:
            watch(api, execution_id, view)
        except KeyboardInterrupt:
            terminal.note("\nStopped watching; the execution goes on.")
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _stored(
    api: Api, execution_id: str, asked: Mapping[str, str | int], view: PlainView, *, tail: int
) -> None:
    cutter = LineCutter()
    for chunk in stored_chunks(api, execution_id, asked, tail=tail):
        name, stream = str(chunk.get("host")), str(chunk.get("stream"))
        lines = cutter.add(name, stream, str(chunk.get("text", "")))
        if lines:
            view.output(name, stream, lines)
    for name, stream, rest in cutter.leftovers():
        view.output(name, stream, [rest])


def stored_chunks(
    api: Api, execution_id: str, params: Mapping[str, str | int], *, tail: int = 0
) -> Iterator[Mapping[str, JSON]]:
    """Everything stored so far, in order; with `tail` only the last so many lines."""
    position: str | int = 0
    place: dict[str, str | int] = {"tail": tail} if tail else {"position": 0}
    while True:
        content = api.get(f"{RECORDS}{path_part(execution_id)}/logs/", {**params, **place})
        chunks, following = content.get("chunks"), content.get("next_position")
        for chunk in chunks if isinstance(chunks, list) else []:
            if isinstance(chunk, dict):
                yield chunk
        if not chunks or not isinstance(following, str | int) or following == position:
            return
        position = following
        place = {"position": following}


def search(
    api: Api,
    execution_id: ExecutionID,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    regex: Annotated[bool, typer.Option("--regex", help="TEXT is a regular expression.")] = False,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", help="Like grep -i.")] = False,
    host: Annotated[str, typer.Option(help="Only this host.")] = "",
    stream: Annotated[str, typer.Option(help="Only stdout or only stderr.")] = "",
    limit: Annotated[int, typer.Option(help="How many lines at most.", min=1)] = 1000,
    as_json: AsJSON = False,
) -> None:
    """Look for a text in the output of all hosts of an execution.

    Exit code 0 if something was found, 1 if not.
    """
    asked: dict[str, str | int] = {"q": text}
    asked |= {"regex": "true"} if regex else {}
    asked |= {"ignore_case": "true"} if ignore_case else {}
    asked |= {"stream": stream} if stream else {}
    if host:
        asked["host_id"] = one_host(api, host)
    found = list(itertools.islice(_matches(api, execution_id, asked), limit))
    if as_json:
        terminal.as_json(found)
    else:
        for match in found:
            name, line = str(match.get("host")), str(match.get("text"))
            terminal.line(
                f"{terminal.harmless(name)}:{match.get('number')}: {terminal.harmless(line)}"
            )
    if not found:
        raise typer.Exit(EXIT_NOTHING_FOUND)


def _matches(
    api: Api, execution_id: str, asked: Mapping[str, str | int]
) -> Iterator[Mapping[str, JSON]]:
    cursor = 0
    while True:
        path = f"{RECORDS}{path_part(execution_id)}/logs/search/"
        content = api.get(path, {**asked, "cursor": cursor})
        matches, following = content.get("matches"), content.get("next_cursor")
        for match in matches if isinstance(matches, list) else []:
            if isinstance(match, dict):
                yield match
        if not isinstance(following, int) or following <= cursor:
            return
        cursor = following


def download(
    api: Api,
    execution_id: ExecutionID,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="A new file: .zip or .txt.")],
    host: Annotated[str, typer.Option(help="Only this host.")] = "",
    stream: Annotated[str, typer.Option(help="Only stdout or only stderr.")] = "",
) -> None:
    """Keep the output in a file: as text, or as a zip with a file for each host and stream."""
    asked: dict[str, str | int] = {"format": "zip" if to.suffix == ".zip" else "txt"}
    asked |= {"stream": stream} if stream else {}
    if host:
        asked["host_id"] = one_host(api, host)
    size = keep(api, f"{RECORDS}{path_part(execution_id)}/logs/download/", asked, to)
    terminal.note(f"{to}: {size} bytes")

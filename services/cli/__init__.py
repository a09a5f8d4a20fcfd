"""The command `opsjob`: each command is loaded only when asked for, so that clients start fast."""

import importlib
import os
import sys
import traceback
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.failure import (
    EXIT_BROKEN_PIPE,
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    CommandFailed,
)

# Which module registers which command; the order is that of the help page.
COMMANDS = {
    "up": "platform",
    "serve": "platform",
    "worker": "platform",
    "migrate": "platform",
    "demo": "demo",
    "admin": "admin",
    "token": "tokens",
    "login": "session",
    "logout": "session",
    "status": "session",
    "hosts": "inventory",
    "agents": "inventory",
    "run": "run",
    "execute": "run",
    "logs": "logs",
    "search": "logs",
    "download": "logs",
    "push": "files",
    "collect": "files",
    "files": "files",
    "cancel": "executions",
    "executions": "executions",
    "approvals": "approvals",
}


def main() -> None:
    """Entry point: runs one command and leaves with its exit code."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Runs one command; every way it can end becomes one line at most and an exit code."""
    terminal.tolerate_narrow_encodings()
    try:
        code = _dispatch(arguments)
        terminal.flush()
    except CommandFailed as failure:
        terminal.note(f"error: {failure}")
        code = failure.exit_code
        _debug_trace(arguments)
    except KeyboardInterrupt:
        terminal.note("interrupted")
        code = EXIT_INTERRUPTED
    except (terminal.ReaderGone, BrokenPipeError):
        code = EXIT_BROKEN_PIPE
        _discard_output()
    except OSError as error:
        terminal.note(f"error: {error.strerror or error}")
        code = EXIT_ERROR
        _debug_trace(arguments)
        _discard_output()
    except Exception as error:  # a mistake of ours is one line too; --debug tells the rest
        terminal.note(f"error: unexpected {type(error).__name__}: {error} (--debug shows more)")
        code = EXIT_ERROR
        _debug_trace(arguments)
    return code


def _dispatch(arguments: list[str]) -> int:
    # httpx would load its own command line, a tenth of a second that no command here needs.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: "not there"
    arguments = [_as_typed(argument) for argument in arguments]
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Runs scripts and jobs on fleets of hosts.",
    )
    app.callback()(_global_options)
    for module in _modules(arguments):
        importlib.import_module(f"services.cli.{module}").register(app)
    command = typer.main.get_command(app)
    try:
        result = command.main(arguments, prog_name="opsjob", standalone_mode=False)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # typer gives it no public name
            terminal.note(error.format_message())
            return EXIT_ERROR
        message = error.format_message().rstrip(".").replace("\n", " ")
        raise CommandFailed(f"{message}. See: opsjob --help") from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0


def _as_typed(argument: str) -> str:
    """Arguments are UTF-8, whatever the locale is."""
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed(f"An argument is not valid UTF-8: {argument!r}") from None


def _modules(arguments: list[str]) -> list[str]:
    wanted = next((each for each in arguments if not each.startswith("-")), "")
    if wanted in COMMANDS:
        return [COMMANDS[wanted]]
    return list(dict.fromkeys(COMMANDS.values()))


def _global_options(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        metadata = importlib.import_module("importlib.metadata")
        terminal.line(f"opsjob {metadata.version('opsjob')}")
        raise typer.Exit


def _debug_trace(arguments: list[str]) -> None:
    if "--debug" in arguments or os.environ.get("OPSJOB_DEBUG"):
        terminal.note(traceback.format_exc())


def _discard_output() -> None:
    """Whatever is still buffered cannot be written; the interpreter must not try at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                os.dup2(nothing, stream.fileno())
        except (OSError, ValueError):
            continue

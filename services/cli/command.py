"""Turns a function that takes an `Api` into a command with the options that find the server."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec

import typer

from services.cli.api import Api
from services.cli.connection import ConnectionOptions

P = ParamSpec("P")


def _options(
    server: Annotated[
        str | None,
        typer.Option(help="Address of the platform (or OPSJOB_SERVER).", metavar="URL"),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Data folder of a platform on this machine (or OPSJOB_DATA_DIR)."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow http:// to another machine.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Say more about errors.")] = False,
) -> ConnectionOptions:
    return ConnectionOptions(server, data_dir, insecure, debug)


_CONNECTION = inspect.signature(_options)


def client_command(
    app: typer.Typer, name: str, *groups: Callable[..., object]
) -> Callable[[Callable[Concatenate[Api, P], None]], Callable[Concatenate[Api, P], None]]:
    """Registers the function; its first parameter is the connected `Api`, the rest its options.

    A group is a function whose parameters become options of the command, too; what it makes of
    them is passed as the argument that has its name.
    """

    def register(
        function: Callable[Concatenate[Api, P], None],
    ) -> Callable[Concatenate[Api, P], None]:
        shared = {group.__name__: inspect.signature(group) for group in groups}
        own = [
            parameter
            for parameter in list(inspect.signature(function).parameters.values())[1:]
            if parameter.name not in shared
        ]

        @functools.wraps(function)
        def command(**values: object) -> None:
            found = {key: values.pop(key) for key in _CONNECTION.parameters}
            options = _options(*_CONNECTION.bind(**found).args)
            for group in groups:
                given = {key: values.pop(key) for key in shared[group.__name__].parameters}
                values[group.__name__] = group(**given)
            with Api(options) as api:
                call: Callable[..., None] = function
                call(api, **values)

        grouped = [each for one in shared.values() for each in one.parameters.values()]
        parameters = [*own, *grouped, *_CONNECTION.parameters.values()]
        keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        command.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]  # typer reads it
        command.__annotations__ = {each.name: each.annotation for each in keyword}
        app.command(name)(command)
        return function

    return register

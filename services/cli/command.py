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
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Api, P], None]], Callable[Concatenate[Api, P], None]]:
    """Registers the function; its first parameter is the connected `Api`, the rest its options."""

    def register(
        function: Callable[Concatenate[Api, P], None],
    ) -> Callable[Concatenate[Api, P], None]:
        own = list(inspect.signature(function).parameters.values())[1:]

        @functools.wraps(function)
        def command(**values: object) -> None:
            found = {key: values.pop(key) for key in _CONNECTION.parameters}
            options = _options(*_CONNECTION.bind(**found).args)
            with Api(options) as api:
                call: Callable[..., None] = function
                call(api, **values)

        parameters = [*own, *_CONNECTION.parameters.values()]
        keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        command.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]  # typer reads it
        command.__annotations__ = {each.name: each.annotation for each in keyword}
        app.command(name)(command)
        return function

    return register

"""login, logout and status."""

import getpass
import sys
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed

LONGEST_PASSWORD = 1024


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    client_command(app, "login")(login)
    client_command(app, "logout")(logout)
    client_command(app, "status")(status)


def login(
    api: Api,
    username: Annotated[str, typer.Option("--username", "-u", help="Asked for if absent.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Log in; the tokens are kept in a file that only you can read."""
    username = username or _ask("Username: ")
    password = passwords_from_stdin(1)[0] if password_stdin else ask_password()
    tokens = api.log_in(username, password)
    terminal.line(f"Logged in to {api.place.server} as {terminal.harmless(tokens.username)}.")


def logout(api: Api) -> None:
    """End the session on the server and forget the tokens."""
    if api.place.store.tokens(api.place.server) is None:
        terminal.line(f"Not logged in to {api.place.server}.")
        return
    try:
        api.call("POST", "/api/auth/logout/", body={})
    except CommandFailed as failure:
        if failure.code != "unauthenticated":
            api.forget()
            raise CommandFailed(
                f"The tokens are forgotten here, but the server was not told: {failure}"
            ) from None
    api.forget()
    terminal.line(f"Logged out of {api.place.server}.")


def status(
    api: Api,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Show the server, who is logged in, and how many agents are online."""
    user = api.get("/api/auth/me/")
    online = api.get("/api/hosts/", {"agent_status": "online", "page_size": 1})["total"]
    total = api.get("/api/hosts/", {"page_size": 1})["total"]
    if as_json:
        terminal.as_json(
            {"server": api.place.server, "user": user, "hosts": total, "online": online}
        )
        return
    terminal.line(f"Server  {api.place.server}")
    terminal.line(f"User    {terminal.harmless(str(user.get('username')))}")
    terminal.line(f"Hosts   {total}, {online} online")


def _ask(question: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandFailed("There is no terminal to ask on; give --username and --password-stdin.")
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def ask_password(question: str = "Password: ") -> str:
    """Asks on the terminal without showing what is typed."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandFailed("There is no terminal to ask on; use --password-stdin.")
    return getpass.getpass(question)


def passwords_from_stdin(count: int) -> list[str]:
    """Exactly `count` lines of standard input, each a password."""
    if sys.stdin is None:
        raise CommandFailed("Standard input is closed.")
    content = sys.stdin.buffer.read(count * (LONGEST_PASSWORD + 2) + 1)
    try:
        lines = [line.removesuffix("\r") for line in content.decode("utf-8").split("\n")]
    except UnicodeDecodeError:
        raise CommandFailed("The password on standard input is not UTF-8 text.") from None
    if lines[-1] == "":
        lines.pop()
    if len(lines) != count or not all(0 < len(line) <= LONGEST_PASSWORD for line in lines):
        wanted = "one line with the password" if count == 1 else f"{count} lines, one per password"
        raise CommandFailed(f"Standard input must hold {wanted} and nothing else.")
    return lines

"""login, logout and status."""

import base64
import getpass
import sys
import tempfile
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
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
    further: dict[str, JSON] = {}
    while True:
        try:
            tokens = api.log_in(username, password, further)
            break
        except CommandFailed as refused:
            answer = _answer(api, refused.code)
            if not answer:
                raise
            further = {**further, **answer}
    terminal.line(f"Logged in to {api.place.server} as {terminal.harmless(tokens.username)}.")
    if api.get("/api/auth/me/").get("must_change_password"):
        terminal.note("This password has to be changed: opsjob admin change-password")


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


def _answer(api: Api, code: str) -> dict[str, JSON]:
    """What a person at the terminal adds to a login that asks for more; nothing without one."""
    if sys.stdin is None or not sys.stdin.isatty():
        return {}
    if code in ("otp_required", "otp_refused"):
        return {"otp_token": _ask("Code of the authenticator: ")}
    if code not in ("captcha_required", "captcha_wrong"):
        return {}
    content = api.call("GET", "/api/auth/captcha/", authenticated=False)
    found = content if isinstance(content, dict) else {}
    picture = base64.b64decode(str(found.get("captcha_image")).partition(",")[2])
    with tempfile.NamedTemporaryFile(prefix="opsjob-captcha-", suffix=".png") as file:
        file.write(picture)
        file.flush()
        value = _ask(f"Characters of the picture {file.name}: ")
    return {"captcha_key": str(found.get("captcha_key")), "captcha_value": value}


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

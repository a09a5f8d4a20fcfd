"""admin: users of the platform, and one's own password."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from services.cli import audit, sealing, terminal, tokens, trust, users
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.inventory import AsJSON
from services.cli.paging import rows
from services.cli.session import ask_password, passwords_from_stdin
from services.embedded.options import StartRefused

USERS = "/api/auth/users/"

Username = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]
Roles = Annotated[list[str], typer.Option("--role", help="admin, operator or viewer; repeatable.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Users and passwords.")
    app.add_typer(group, name="admin")
    sealing.register(group)
    audit.register(group)
    users.register(group)
    tokens.register_admin(group)
    trust.register(group)
    client_command(group, "users")(list_users)
    client_command(group, "create-user")(create_user)
    client_command(group, "disable-user")(disable_user)
    client_command(group, "enable-user")(enable_user)
    client_command(group, "set-roles")(set_roles)
    client_command(group, "change-password")(change_password)
    group.command("first-admin")(show_first_admin)
    group.command("make-first")(make_first_admin)


def list_users(api: Api, as_json: AsJSON = False) -> None:
    """List users."""
    found = list(rows(api, USERS))
    if as_json:
        terminal.as_json(found)
        return
    table = [
        [row.get("id"), row.get("username"), _words(row.get("roles")), row.get("is_active")]
        for row in found
    ]
    terminal.columns(("ID", "NAME", "ROLES", "ACTIVE"), table)


def create_user(
    api: Api, username: Username, role: Roles, password_stdin: PasswordStdin = False
) -> None:
    """Make a user; the password is asked for twice or read from standard input."""
    password = passwords_from_stdin(1)[0] if password_stdin else _asked_twice("Password")
    body: dict[str, JSON] = {"username": username, "password": password, "roles": [*role]}
    made = api.post(USERS, body)
    terminal.line(f"User {terminal.harmless(username)} has the id {made.get('id')}.")


def disable_user(api: Api, username: Username) -> None:
    """Lock a user out; sessions end within seconds."""
    _change(api, username, {"is_active": False})
    terminal.line(f"User {terminal.harmless(username)} is disabled.")


def enable_user(api: Api, username: Username) -> None:
    """Let a disabled user in again."""
    _change(api, username, {"is_active": True})
    terminal.line(f"User {terminal.harmless(username)} is enabled.")


def set_roles(api: Api, username: Username, role: Roles) -> None:
    """Replace the roles of a user."""
    _change(api, username, {"roles": [*role]})
    terminal.line(f"User {terminal.harmless(username)} has these roles now: {', '.join(role)}.")


def change_password(api: Api, password_stdin: PasswordStdin = False) -> None:
    """Change your own password; standard input holds the current and the new one, a line each."""
    if password_stdin:
        current, new = passwords_from_stdin(2)
    else:
        current, new = ask_password("Current password: "), _asked_twice("New password")
    body: dict[str, JSON] = {"current_password": current, "new_password": new}
    api.call("POST", "/api/auth/password/", body=body)
    terminal.line("The password is changed.")


def show_first_admin(
    data_dir: Annotated[
        Path, typer.Option(help="Data folder of the platform.", envvar="OPSJOB_DATA_DIR")
    ] = Path("data"),
) -> None:
    """Show where the first admin's password is kept until it is changed."""
    path = data_dir.absolute() / "first-admin.json"
    if not path.exists():
        raise CommandFailed(f"{path} is not there: the password was changed, or no platform ran.")
    terminal.line(str(path))


def make_first_admin(username: Username = "admin") -> None:
    """Make the first administrator where services run separately (needs their OPSJOB_SECRET).

    Works once; prints name and one-time password as JSON.
    """
    separate = importlib.import_module("services.embedded.separate")
    try:
        made = separate.first_admin(username)
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    terminal.line(made.model_dump_json())


def _change(api: Api, username: str, change: dict[str, JSON]) -> None:
    found = [row for row in rows(api, USERS) if row.get("username") == username]
    if not found:
        raise CommandFailed(f"There is no user {terminal.harmless(username)!r}.")
    api.call("PATCH", f"{USERS}{found[0]['id']}/", body=change)


def _words(value: JSON) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else "-"


def _asked_twice(what: str) -> str:
    first = ask_password(f"{what}: ")
    if ask_password(f"{what} again: ") != first:
        raise CommandFailed("The two passwords differ.")
    return first

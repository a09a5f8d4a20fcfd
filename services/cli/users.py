"""admin user: who may log in, with which roles, and what to do when a password is lost."""

import getpass
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.inventory import AsJSON
from services.cli.paging import rows
from services.cli.session import passwords_from_stdin
from services.embedded.options import StartRefused

USERS = "/api/auth/users/"

Username = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]
Role = Annotated[
    list[str] | None,
    typer.Option("--role", help="admin, operator, viewer, auditor, member or a key; repeatable."),
]


def register(admin: typer.Typer) -> None:
    """Adds the commands of this file to `admin`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Users.")
    admin.add_typer(group, name="user")
    client_command(group, "add")(add)
    client_command(group, "list")(list_users)
    client_command(group, "show")(show)
    client_command(group, "roles")(set_roles)
    client_command(group, "disable")(disable)
    client_command(group, "enable")(enable)
    client_command(group, "delete")(delete)
    client_command(group, "sign-out")(sign_out)
    client_command(group, "reset-password")(reset_password)
    group.command("reset")(reset)


def add(
    api: Api,
    username: Username,
    role: Role = None,
    display_name: Annotated[str, typer.Option(help="How people call the user.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Make a user with a one-time password, which is shown once, or with one from stdin."""
    body: dict[str, JSON] = {
        "username": username,
        "roles": [*(role or [])],
        "display_name": display_name,
        "email": email,
    }
    if password_stdin:
        body["password"] = passwords_from_stdin(1)[0]
    else:
        body["one_time_password"] = True
    made = api.post(USERS, body)
    if as_json:
        terminal.as_json(made)
        return
    terminal.line(f"User {_shown(made)} has the id {made.get('id')}.")
    if not password_stdin:
        _say_password(made)


def list_users(
    api: Api,
    search: Annotated[str, typer.Option(help="Part of a name or an e-mail address.")] = "",
    role: Annotated[str, typer.Option(help="Only users who hold this role.")] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted users, too.")] = False,
    as_json: AsJSON = False,
) -> None:
    """List users."""
    asked = {"search": search, "role": role, "include_deleted": "true" if deleted else ""}
    found = list(rows(api, USERS, {key: value for key, value in asked.items() if value}))
    if as_json:
        terminal.as_json(found)
        return
    table = [
        [row.get("id"), row.get("username"), _words(row.get("roles")), _state(row),
         row.get("last_login_at")]
        for row in found
    ]  # fmt: skip
    terminal.columns(("ID", "NAME", "ROLES", "STATE", "LAST LOGIN"), table)


def show(api: Api, username: Username, as_json: AsJSON = False) -> None:
    """Show a user, where the user is logged in, and the user's API tokens."""
    user = find(api, username)
    sessions = _list(api.call("GET", f"{USERS}{user['id']}/sessions/"))
    tokens = _list(api.call("GET", f"{USERS}{user['id']}/tokens/"))
    if as_json:
        terminal.as_json({"user": dict(user), "sessions": sessions, "tokens": tokens})
        return
    for key, value in user.items():
        text = _words(value) if isinstance(value, list) else value
        terminal.line(f"{key:22}{terminal.harmless(str('-' if text in (None, '') else text))}")
    terminal.line()
    terminal.columns(
        ("LOGIN", "ADDRESS", "LAST USE"),
        [[one.get("device"), one.get("address"), one.get("last_used_at")] for one in sessions],
    )
    terminal.line()
    terminal.columns(
        ("TOKEN", "SCOPES", "EXPIRES"),
        [[one.get("name"), _words(one.get("scopes")), one.get("expires_at")] for one in tokens],
    )


def set_roles(api: Api, username: Username, role: Role = None) -> None:
    """Replace the roles of a user; without any --role the user keeps none."""
    user = find(api, username)
    api.call("PATCH", f"{USERS}{user['id']}/", body={"roles": [*(role or [])]})
    terminal.line(f"User {_shown(user)} has these roles now: {_words([*(role or [])])}.")


def disable(api: Api, username: Username) -> None:
    """Lock a user out; sessions, API tokens and waiting tasks end within seconds."""
    user = find(api, username)
    api.post(f"{USERS}{user['id']}/disable/")
    terminal.line(f"User {_shown(user)} is disabled.")


def enable(api: Api, username: Username) -> None:
    """Let a disabled user in again."""
    user = find(api, username)
    api.post(f"{USERS}{user['id']}/enable/")
    terminal.line(f"User {_shown(user)} is enabled.")


def delete(api: Api, username: Username) -> None:
    """Take a user away for good; the name stays taken, the records stay readable."""
    user = find(api, username)
    api.call("DELETE", f"{USERS}{user['id']}/")
    terminal.line(f"User {_shown(user)} is deleted.")


def sign_out(
    api: Api,
    username: Username,
    tokens: Annotated[bool, typer.Option("--tokens", help="Revoke the API tokens, too.")] = False,
) -> None:
    """End every login of a user."""
    user = find(api, username)
    ended = _object(api.call("DELETE", f"{USERS}{user['id']}/sessions/"))
    terminal.line(f"{ended.get('ended')} logins of {_shown(user)} ended.")
    if tokens:
        revoked = _object(api.call("DELETE", f"{USERS}{user['id']}/tokens/"))
        terminal.line(f"{revoked.get('revoked')} API tokens of {_shown(user)} are revoked.")


def reset_password(api: Api, username: Username, as_json: AsJSON = False) -> None:
    """Give a user a one-time password, shown once, and end the user's logins."""
    user = find(api, username)
    _tell_reset(username, api.post(f"{USERS}{user['id']}/reset_password/"), as_json=as_json)


def reset(
    username: Username,
    local: Annotated[
        bool, typer.Option("--local", help="Needed: says that this goes past the API.")
    ] = False,
    admin: Annotated[
        bool, typer.Option("--admin", help="Make the user an active administrator, too.")
    ] = False,
    forget_factor: Annotated[
        bool, typer.Option("--forget-second-factor", help="Forget the user's authenticator, too.")
    ] = False,
    data_dir: Annotated[
        Path, typer.Option(help="Data folder of the platform.", envvar="OPSJOB_DATA_DIR")
    ] = Path("data"),
    as_json: AsJSON = False,
) -> None:
    """The emergency door: a one-time password straight from the platform's own database.

    For whoever owns the data folder (or knows OPSJOB_DATABASE_URL) and cannot log in any more.
    It is recorded in the audit log.
    """
    if not local:
        raise CommandFailed(
            "This goes past the API: say --local, or use: opsjob admin user reset-password"
        )
    sealing = importlib.import_module("services.embedded.sealing")
    recovering = importlib.import_module("services.embedded.recovering")
    try:
        settings = sealing.settings_of(data_dir)
        made = recovering.reset(
            settings, username, make_admin=admin, forget_factor=forget_factor, by=_who()
        )
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    content: dict[str, JSON] = {
        "one_time_password": made.one_time_password,
        "expires_at": made.expires_at.isoformat(),
    }
    _tell_reset(username, content, as_json=as_json)


def _who() -> str:
    """Who runs this command, as the operating system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _tell_reset(username: str, content: Mapping[str, JSON], *, as_json: bool) -> None:
    if as_json:
        terminal.as_json(dict(content))
        return
    terminal.line(f"User {terminal.harmless(username)} has a new password; all logins ended.")
    _say_password(content)


def _say_password(content: Mapping[str, JSON]) -> None:
    terminal.line(f"One-time password: {content.get('one_time_password')}")
    terminal.line("It is shown this once, is good for a short time, and asks for a new one.")


def find(api: Api, username: str) -> Mapping[str, JSON]:
    """The user of this name, in any case of letters; CommandFailed without one."""
    wanted = username.strip().casefold()
    for row in rows(api, USERS, {"search": username.strip()}):
        if str(row.get("username")).casefold() == wanted:
            return row
    raise CommandFailed(f"There is no user {terminal.harmless(username)!r}.")


def _shown(row: Mapping[str, JSON]) -> str:
    return terminal.harmless(str(row.get("username")))


def _state(row: Mapping[str, JSON]) -> str:
    if row.get("deleted_at"):
        return "deleted"
    return "active" if row.get("is_active") else "disabled"


def _words(value: JSON) -> str:
    if not isinstance(value, list) or not value:
        return "-"
    return ", ".join(str(each.get("name") if isinstance(each, dict) else each) for each in value)


def _list(content: JSON) -> list[dict[str, JSON]]:
    found = content if isinstance(content, list) else []
    return [each for each in found if isinstance(each, dict)]


def _object(content: JSON) -> dict[str, JSON]:
    return content if isinstance(content, dict) else {}

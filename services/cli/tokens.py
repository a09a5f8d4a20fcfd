"""token and admin token: API tokens, one's own and those of others."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.inventory import AsJSON
from services.cli.users import USERS, Username, find

TOKENS = "/api/auth/tokens/"

Name = Annotated[str, typer.Argument(metavar="TOKEN", help="Name or id of the token.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Your API tokens.")
    app.add_typer(group, name="token")
    client_command(group, "create")(create)
    client_command(group, "list")(list_own)
    client_command(group, "revoke")(revoke_own)


def register_admin(admin: typer.Typer) -> None:
    """Adds the commands for the tokens of others to `admin`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="API tokens of users.")
    admin.add_typer(group, name="token")
    client_command(group, "list")(list_of_user)
    client_command(group, "revoke")(revoke_of_user)


def create(
    api: Api,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="A permission, such as hosts:read; repeatable.")
    ],
    days: Annotated[int, typer.Option(help="How long it lives.", min=1, max=366)] = 30,
    no_grants: Annotated[
        bool, typer.Option("--no-grants", help="Only what your roles give, none of your grants.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Make an API token; it is shown once. Programs send it as OPSJOB_TOKEN or as a bearer.

    Within its scopes it may do what you may do now by roles and by grants. To run something
    it needs hosts:read and executions:run, and as root executions:run_as_root.
    """
    ends = datetime.now(UTC) + timedelta(days=days) - timedelta(minutes=1)
    body: dict[str, JSON] = {
        "name": name,
        "scopes": [*scope],
        "expires_at": ends.isoformat(timespec="seconds"),
        "carries_grants": not no_grants,
    }
    made = api.post(TOKENS, body)
    if as_json:
        terminal.as_json(made)
        return
    terminal.line(str(made.get("token")))
    terminal.note("It is shown this once; keep it where only the program can read it.")


def list_own(api: Api, as_json: AsJSON = False) -> None:
    """List your API tokens."""
    _show(_tokens(api, TOKENS), as_json=as_json)


def revoke_own(api: Api, token: Name) -> None:
    """Revoke one of your API tokens."""
    _revoke(api, TOKENS, token)


def list_of_user(api: Api, username: Username, as_json: AsJSON = False) -> None:
    """List the API tokens of a user."""
    user = find(api, username)
    _show(_tokens(api, f"{USERS}{user['id']}/tokens/"), as_json=as_json)


def revoke_of_user(
    api: Api,
    username: Username,
    token: Annotated[str, typer.Argument(metavar="[TOKEN]", help="Name or id.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All tokens of the user.")] = False,
) -> None:
    """Revoke an API token of a user, or all of them."""
    if bool(token) == everything:
        raise CommandFailed("Say which token, or --all.")
    path = f"{USERS}{find(api, username)['id']}/tokens/"
    if token:
        _revoke(api, path, token)
        return
    revoked = api.call("DELETE", path)
    count = revoked.get("revoked") if isinstance(revoked, dict) else 0
    terminal.line(f"{count} API tokens of {terminal.harmless(username)} are revoked.")


def _tokens(api: Api, path: str) -> list[dict[str, JSON]]:
    content = api.call("GET", path)
    found = content if isinstance(content, list) else []
    return [each for each in found if isinstance(each, dict)]


def _show(tokens: list[dict[str, JSON]], *, as_json: bool) -> None:
    if as_json:
        terminal.as_json(tokens)
        return
    table = []
    for token in tokens:
        scopes = token.get("scopes")
        words = ", ".join(map(str, scopes)) if isinstance(scopes, list) else "-"
        state = "expired" if token.get("is_expired") else token.get("expires_at")
        table.append([token.get("id"), token.get("name"), words, state, token.get("last_used_at")])
    terminal.columns(("ID", "NAME", "SCOPES", "EXPIRES", "LAST USE"), table)


def _revoke(api: Api, path: str, wanted: str) -> None:
    tokens = _tokens(api, path)
    found = [one for one in tokens if one.get("name") == wanted] or [
        one for one in tokens if str(one.get("id")) == wanted
    ]
    if not found:
        raise CommandFailed(f"There is no API token {terminal.harmless(wanted)!r}.")
    api.call("DELETE", f"{path}{found[0]['id']}/")
    terminal.line(f"The API token {terminal.harmless(str(found[0].get('name')))} is revoked.")

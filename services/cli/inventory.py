"""hosts list, agents list and agents token; and what a list of hosts on the command line means."""

import shlex
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.paging import rows

_UNKNOWN_PLACE = "<address for agents>"

Limit = Annotated[int, typer.Option(help="How many rows at most.", min=1, max=100_000)]
AsJSON = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    hosts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Managed hosts.")
    agents = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Agents on hosts.")
    app.add_typer(hosts, name="hosts")
    app.add_typer(agents, name="agents")
    client_command(hosts, "list")(list_hosts)
    client_command(agents, "list")(list_agents)
    client_command(agents, "token")(issue_token)
    client_command(agents, "disable")(disable_agent)
    client_command(agents, "enable")(enable_agent)
    for group in (hosts, agents):
        group.callback()(_group)


def _group() -> None:
    """A group of commands stays one even while it has a single command."""


def list_hosts(
    api: Api,
    search: Annotated[str, typer.Option(help="Part of a name or address.")] = "",
    status: Annotated[str, typer.Option(help="online, offline, disabled or none.")] = "",
    limit: Limit = 1000,
    as_json: AsJSON = False,
) -> None:
    """List hosts."""
    asked = {"search": search, "agent_status": status}
    found = list(rows(api, "/api/hosts/", _given(asked), limit=limit))
    names = ("id", "name", "ip_address", "agent_status", "agent_version", "last_seen_at")
    _show(found if as_json else [_standing(row) for row in found], names, as_json=as_json)


def _standing(row: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The same with a word about the lock for maintenance that a host has set itself."""
    metrics = row.get("metrics")
    is_locked = isinstance(metrics, dict) and bool(metrics.get("maintenance"))
    if is_locked and row.get("agent_status") == "online":
        return {**row, "agent_status": "online, maintenance"}
    return row


def list_agents(api: Api, limit: Limit = 1000, as_json: AsJSON = False) -> None:
    """List agents."""
    found = list(rows(api, "/api/agents/", limit=limit))
    names = ("id", "host_name", "ip_address", "status", "version", "last_seen_at")
    _show(found, names, as_json=as_json)


def issue_token(
    api: Api,
    host: Annotated[
        str, typer.Option(help="Name, id or address of the host; a new host if absent.")
    ] = "",
    minutes: Annotated[int, typer.Option(help="How long it is good.", min=1, max=1440)] = 10,
    as_json: AsJSON = False,
) -> None:
    """Issue a one-time token with which one agent may enrol."""
    body: dict[str, JSON] = {"ttl_seconds": minutes * 60}
    if host:
        body["host_id"] = one_host(api, host)
    issued = api.post("/api/agents/enrolment_tokens/", body)
    if as_json:
        terminal.as_json(issued)
        return
    terminal.line(str(issued["token"]))
    terminal.note(f"Good for one agent until {issued['expires_at']}.")
    url = issued.get("gateway_url") or _gateway_url(api)
    line = _enrol_line(issued, str(url) if url else "")
    terminal.note(f"On the host, with the token on standard input: {line}")


def _gateway_url(api: Api) -> str:
    """Where agents connect, as the server tells it; empty if that is not known.

    A port alone is one on the host name under which this command reached the server. The token is
    issued by now, so a server that does not answer leaves the place open.
    """
    try:
        place = api.get("/api/agents/enrolment_tokens/gateway/")
    except CommandFailed:
        return ""
    url, port = place.get("url"), place.get("port")
    if url or not port:
        return str(url or "")
    server = urlsplit(api.place.server)
    host = server.hostname or ""
    name = f"[{host}]" if ":" in host else host
    return f"{server.scheme}://{name}:{port}"


def _enrol_line(issued: Mapping[str, JSON], gateway: str) -> str:
    """The command that takes the token, with what it may believe."""
    parts = ["opsjob-agent enrol", "--state /var/lib/opsjob-agent", "--gateway"]
    parts.append(shlex.quote(gateway) if gateway else _UNKNOWN_PLACE)
    pins = {"--gateway-fingerprint": "gateway_fingerprint", "--root-key": "root_fingerprint"}
    for option, name in pins.items():
        if issued.get(name):
            parts.append(f"{option} {shlex.quote(str(issued[name]))}")
    return terminal.harmless(" ".join(parts))


def disable_agent(api: Api, agent_id: str) -> None:
    """Cut an agent off; it may not connect until it is enabled again."""
    api.call("POST", f"/api/agents/{path_part(agent_id)}/disable/", body={})
    terminal.line(f"Agent {agent_id} is disabled.")


def enable_agent(api: Api, agent_id: str) -> None:
    """Let a disabled agent connect again."""
    api.call("POST", f"/api/agents/{path_part(agent_id)}/enable/", body={})
    terminal.line(f"Agent {agent_id} is enabled.")


def path_part(identifier: str) -> str:
    """An id as one part of a path; anything that could mean another path is refused."""
    if not identifier or not all(mark.isalnum() or mark in "-_" for mark in identifier):
        raise CommandFailed(f"{identifier!r} is not an id.")
    return identifier


def _given(params: Mapping[str, str]) -> dict[str, str | int]:
    return {name: value for name, value in params.items() if value}


def _show(found: list[Mapping[str, JSON]], names: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        terminal.as_json(found)
        return
    head = [name.upper().removesuffix("_AT") for name in names]
    terminal.columns(head, [[row.get(name) for name in names] for row in found])


# ---- which hosts are meant --------------------------------------------------------------------


def chosen_hosts(api: Api, selection: str) -> list[int]:
    """Host ids for `all-online`, `group:NAME`, or names, ids and addresses with commas."""
    if selection == "all-online":
        found = [_id(row) for row in rows(api, "/api/hosts/", {"agent_status": "online"})]
        if not found:
            raise CommandFailed("No host is online.")
        return found
    chosen: list[int] = []
    for word in (each.strip() for each in selection.split(",")):
        if word.startswith("group:"):
            chosen += _of_group(api, word.removeprefix("group:"))
        elif word:
            chosen.append(one_host(api, word))
    if not chosen:
        raise CommandFailed("No host is chosen.")
    return list(dict.fromkeys(chosen))


def one_host(api: Api, word: str) -> int:
    """The id of the one host with this id, name or address."""
    if word.isascii() and word.isdigit():
        return int(word)
    found = [
        row
        for row in rows(api, "/api/hosts/", {"search": word})
        if word in (row.get("name"), row.get("ip_address"))
    ]
    if not found:
        raise CommandFailed(
            f"There is no host {terminal.harmless(word)!r}. See: opsjob hosts list",
            code="host_not_found",
        )
    if len(found) > 1:
        ids = ", ".join(str(row["id"]) for row in found)
        raise CommandFailed(f"{terminal.harmless(word)!r} means several hosts (ids {ids}).")
    return _id(found[0])


def _of_group(api: Api, name: str) -> list[int]:
    groups = [row for row in rows(api, "/api/hosts/groups/") if row.get("name") == name]
    if not groups:
        raise CommandFailed(f"There is no group {terminal.harmless(name)!r}.")
    return [_id(row) for row in rows(api, "/api/hosts/", {"group_id": _id(groups[0])})]


def _id(row: Mapping[str, JSON]) -> int:
    value = row.get("id")
    if not isinstance(value, int):
        raise CommandFailed("The server answered something unexpected.")
    return value

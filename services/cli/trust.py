"""admin trust and admin agents: the keys that sign orders, refused orders, quarantine."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, TypeVar

import typer

from services.cli import terminal
from services.cli.api import Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.inventory import AsJSON, path_part
from services.cli.paging import rows
from services.embedded.options import StartRefused

EXIT_BROKEN_CHAIN = 1
T = TypeVar("T")

DataDir = Annotated[
    Path, typer.Option(help="Data folder of the platform.", envvar="OPSJOB_DATA_DIR")
]
RootKey = Annotated[
    Path | None, typer.Option(help="The root key, where it is kept apart from the others.")
]
AgentId = Annotated[str, typer.Argument(metavar="AGENT", help="Id of the agent.")]


def register(admin: typer.Typer) -> None:
    """Adds the commands of this file to `admin`."""
    trust = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="The keys that sign orders."
    )
    agents = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Refused orders and quarantine."
    )
    admin.add_typer(trust, name="trust")
    admin.add_typer(agents, name="agents")
    for name, command in (
        *(("init", init), ("show", show), ("certify", certify), ("revoke", revoke)),
        ("verify-log", verify_log),
    ):
        trust.command(name)(command)
    client_command(agents, "events")(events)
    client_command(agents, "quarantine")(quarantine)
    client_command(agents, "release")(release)


def init(data_dir: DataDir = Path("data")) -> None:
    """Make the root key and the signer's key, where there are none yet."""
    _print(_refusing(lambda: _trusting().init(data_dir)))


def show(data_dir: DataDir = Path("data")) -> None:
    """Show which keys agents believe, and until when."""
    _print(_refusing(lambda: _trusting().show(data_dir)))


def certify(
    data_dir: DataDir = Path("data"),
    days: Annotated[int, typer.Option(help="How long it counts.", min=1, max=3660)] = 30,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make a new key for the signer first.")
    ] = False,
    root_key: RootKey = None,
) -> None:
    """Let the root key certify the signer's key again, or a new one."""
    trusting = _trusting()
    kid = _refusing(
        lambda: trusting.certify(data_dir, days=days, is_new=new_key, root_key=root_key)
    )
    terminal.line(f"The key {kid} is certified for {days} days. Agents learn of it within seconds.")


def revoke(
    kid: Annotated[str, typer.Argument(metavar="KEY", help="Name of the key, as `show` tells.")],
    data_dir: DataDir = Path("data"),
    root_key: RootKey = None,
) -> None:
    """Take a key away for good; what it signed counts for nothing any more."""
    number = _refusing(lambda: _trusting().revoke(data_dir, kid, root_key=root_key))
    terminal.line(f"The key {terminal.harmless(kid)} is revoked by list number {number}.")


def verify_log(data_dir: DataDir = Path("data")) -> None:
    """Check the chain of the signer's decisions. Exit 1 names the first bad line."""
    count, broken = _refusing(lambda: _trusting().check_decisions(data_dir))
    if broken is not None:
        raise CommandFailed(f"The log is broken at {broken}.", exit_code=EXIT_BROKEN_CHAIN)
    terminal.line(f"The log of decisions is whole: {count} lines.")


def events(
    api: Api,
    agent: Annotated[str, typer.Option(help="Only those of this agent.")] = "",
    limit: Annotated[int, typer.Option(help="How many rows at most.", min=1, max=100_000)] = 100,
    as_json: AsJSON = False,
) -> None:
    """List what agents and the platform refused, newest first."""
    asked = {"agent_id": agent} if agent else {}
    found = list(rows(api, "/api/executor/security_events/", asked, limit=limit))
    if as_json:
        terminal.as_json(found)
        return
    names = ("at", "source", "agent_id", "reason", "count", "detail")
    table = [[row.get(name) for name in names] for row in found]
    terminal.columns(tuple(name.upper() for name in names), table)


def quarantine(
    api: Api,
    agent: AgentId,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "shut out by hand",
) -> None:
    """Shut an agent out within seconds; nothing is sent to it any more."""
    api.call("POST", f"/api/agents/{path_part(agent)}/quarantine/", body={"reason": reason})
    terminal.line(f"Agent {terminal.harmless(agent)} is in quarantine.")


def release(api: Api, agent: AgentId) -> None:
    """Let an agent out of quarantine, after somebody has looked at its host."""
    api.call("POST", f"/api/agents/{path_part(agent)}/release/", body={})
    terminal.line(f"Agent {terminal.harmless(agent)} may come again.")


def _print(state: object) -> None:
    found = vars(state)
    place = "beside the others; keep it apart" if found["has_root_key"] else "kept apart"
    terminal.line(f"Folder    {found['folder']}")
    terminal.line(f"Root      {found['root']} (its key is {place})")
    terminal.line(f"List      number {found['number']}, revoked: {len(found['revoked'])}")
    table = [
        [one.kid, ", ".join(one.purposes), one.expires.isoformat("T", "seconds"), one.is_signing]
        for one in found["keys"]
    ]
    terminal.columns(("KEY", "PURPOSES", "EXPIRES", "SIGNS"), table)


def _trusting() -> ModuleType:
    return importlib.import_module("services.embedded.trusting")


def _refusing(do: Callable[[], T]) -> T:
    try:
        return do()
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None

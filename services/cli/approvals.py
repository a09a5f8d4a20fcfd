"""approvals list, show, approve, decline: what waits for somebody's consent; and why runs wait."""

import json
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import CommandFailed
from services.cli.inventory import AsJSON, path_part
from services.cli.paging import rows

APPROVALS = "/api/permissions/approvals/"

ApprovalID = Annotated[str, typer.Argument(metavar="ID", help="Id of the approval.")]
Comment = Annotated[str, typer.Option(help="Kept with the answer.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="What waits for somebody's consent."
    )
    app.add_typer(group, name="approvals")
    client_command(group, "list")(list_approvals)
    client_command(group, "show")(show)
    client_command(group, "approve")(approve)
    client_command(group, "decline")(decline)


def list_approvals(
    api: Api,
    mine: Annotated[bool, typer.Option("--mine", help="Only what waits for you.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Approvals that you asked for or may give, newest first."""
    found = list(rows(api, APPROVALS, {"mine_to_decide": "true"} if mine else {}))
    if as_json:
        terminal.as_json(found)
        return
    for one in found:
        name = terminal.harmless(str(one.get("subject_name") or one.get("subject_id")))
        requester = terminal.harmless(str(one.get("requester_name")))
        terminal.line(f"{one['id']}  {one['state']:<9}  {requester}  {name}")


def show(api: Api, approval_id: ApprovalID, as_json: AsJSON = False) -> None:
    """One approval with the text that would run; read it before you say yes."""
    found = api.get(f"{APPROVALS}{path_part(approval_id)}/")
    if as_json:
        terminal.as_json(found)
        return
    for label in ("state", "requester_name", "subject_name", "reason", "quorum", "expires_at"):
        terminal.line(f"{label + ':':<16}{terminal.harmless(str(found.get(label)))}")
    for text in _what(found):
        terminal.line(text)


def approve(api: Api, approval_id: ApprovalID, comment: Comment = "") -> None:
    """Say yes to exactly what `approvals show` shows now."""
    _decide(api, approval_id, comment, yes=True)


def decline(api: Api, approval_id: ApprovalID, comment: Comment = "") -> None:
    """Say no; one no is enough."""
    _decide(api, approval_id, comment, yes=False)


def _decide(api: Api, approval_id: str, comment: str, *, yes: bool) -> None:
    path = f"{APPROVALS}{path_part(approval_id)}/"
    seen = api.get(path)
    body: dict[str, JSON] = {"approve": yes, "subject_hash": seen["subject_hash"]}
    if comment:
        body["comment"] = comment
    answer = api.post(f"{path}decide/", body)
    terminal.line(f"{answer['id']}  {answer['state']}")


def _what(found: dict[str, JSON]) -> list[str]:
    """What would run and where, as people read it."""
    try:
        content = json.loads(str(found.get("content") or "{}"))
        steps = content.get("steps", [])
        return [line for step in steps for line in _step(step)]
    except (ValueError, AttributeError, TypeError, KeyError):
        raise CommandFailed("What is to be approved cannot be read; use --json.") from None


def _step(step: dict[str, JSON]) -> list[str]:
    account = step.get("run_as") or "the agent's own user"
    lines = ["", f"step {step['name']} ({step['kind']}) on {step['host_count']} hosts as {account}"]
    hosts = step.get("hosts")
    lines += [f"  host {host}" for host in (hosts if isinstance(hosts, list) else [])[:20]]
    lines += [f"  | {line}" for line in str(step.get("script") or "").splitlines()]
    if step.get("args"):
        lines.append(f"  arguments: {step['args']}")
    if step.get("env"):
        lines.append(f"  environment: {step['env']}")
    return [terminal.harmless(line) for line in lines]


def tell_why_it_waits(accepted: dict[str, JSON]) -> None:
    """What rules found in a run that was accepted, and whose consent it waits for."""
    found = accepted.get("findings")
    for one in found if isinstance(found, list) else []:
        if isinstance(one, dict):
            lines = one.get("lines")
            at = f", line {', '.join(map(str, lines))}" if isinstance(lines, list) and lines else ""
            text = f"{one.get('rule')}: {one.get('step')}, {one.get('where')}{at}"
            terminal.note(f"warning: {terminal.harmless(text)}")
    waits = accepted.get("approvals")
    for one in waits if isinstance(waits, list) else []:
        if isinstance(one, dict) and one.get("state") in ("new", "asked"):
            names = one.get("approver_names")
            people = ", ".join(map(str, names)) if isinstance(names, list) else ""
            text = f"waits for approval {one.get('approval_id')} by {people}"
            terminal.note(terminal.harmless(f"{text} until {one.get('expires_at')}"))

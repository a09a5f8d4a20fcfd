"""executions pause, resume, stop, force, skip, ignore, retry, retry-step, confirm, operations."""

import uuid
from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.command import client_command
from services.cli.failure import EXIT_SOME_HOSTS_FAILED, CommandFailed
from services.cli.follow import RECORDS
from services.cli.inventory import AsJSON, chosen_hosts, path_part
from services.cli.paging import rows

ExecutionID = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]
StepName = Annotated[str, typer.Argument(metavar="STEP", help="Name, number or id of the step.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the execution.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before.")]

_STATES = ("status", "pause_reason")


def register(group: typer.Typer) -> None:
    """Adds the commands of this file to `opsjob executions`."""
    client_command(group, "pause")(pause)
    client_command(group, "resume")(resume)
    client_command(group, "stop")(stop)
    client_command(group, "force")(force)
    client_command(group, "cancel-host")(cancel_host)
    client_command(group, "skip")(skip)
    client_command(group, "ignore")(ignore)
    client_command(group, "confirm")(confirm)
    client_command(group, "retry-step")(retry_step)
    client_command(group, "retry")(retry)
    client_command(group, "operations")(operations)


def pause(api: Api, execution_id: ExecutionID, reason: Reason = "") -> None:
    """Start nothing more; what runs on hosts goes on."""
    _tell(_order(api, execution_id, "pause", reason))


def resume(api: Api, execution_id: ExecutionID, reason: Reason = "") -> None:
    """Go on after a pause."""
    _tell(_order(api, execution_id, "resume", reason))


def stop(
    api: Api,
    execution_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="One or more ids.")],
    reason: Reason = "",
    yes: Yes = False,
) -> None:
    """Stop executions: what waits never starts, what runs is ended on its host.

    Exit code 1 if one of several could not be stopped.
    """
    ids = [path_part(one) for one in execution_ids]
    if len(ids) == 1:
        _tell_stopped(_order(api, ids[0], "cancel", reason))
        return
    _ask(f"Stop {len(ids)} executions?", yes=yes)
    body: dict[str, JSON] = {"execution_ids": list(ids), **_why(reason)}
    answer = api.post(f"{RECORDS}bulk_stop/", body, idempotency_key=str(uuid.uuid4()))
    results = answer.get("results")
    for item in results if isinstance(results, list) else []:
        if isinstance(item, dict):
            said = item.get("status") if item.get("success") else item.get("message")
            terminal.line(f"{item.get('execution_id')}  {terminal.harmless(str(said))}")
    if answer.get("failed"):
        raise typer.Exit(EXIT_SOME_HOSTS_FAILED)


def force(api: Api, execution_id: ExecutionID, reason: Reason = "", yes: Yes = False) -> None:
    """End an execution now, also on hosts that do not answer; they are still asked to stop."""
    _ask(f"End {execution_id} on every host now, whatever the hosts say?", yes=yes)
    _tell_stopped(_order(api, execution_id, "force_terminate", reason))


def cancel_host(
    api: Api,
    execution_id: ExecutionID,
    host: Annotated[str, typer.Argument(metavar="HOST", help="Name, id or address.")],
    reason: Reason = "",
) -> None:
    """Stop the tasks of one host; the other hosts go on."""
    wanted = chosen_hosts(api, host)
    found = [
        task
        for task in rows(api, f"{RECORDS}{path_part(execution_id)}/tasks/")
        if task.get("host_id") in wanted and task.get("finished_at") is None
    ]
    if not found:
        raise CommandFailed("Nothing of this execution waits or runs there.")
    for task in found:
        answer = _order(api, execution_id, f"tasks/{path_part(str(task['id']))}/cancel", reason)
        asked = " (the host was asked to stop)" if answer.get("cancel_requested") else ""
        terminal.line(
            f"{terminal.harmless(str(task['host_name']))}: {answer['task_status']}{asked}"
        )


def skip(api: Api, execution_id: ExecutionID, step: StepName, reason: Reason = "") -> None:
    """Leave out a step that has not ended."""
    step_id = _step(api, execution_id, step)
    _tell_step(_order(api, execution_id, f"steps/{step_id}/skip", reason))


def ignore(api: Api, execution_id: ExecutionID, step: StepName, reason: Reason = "") -> None:
    """Let a failed step count as a success, and go on behind it."""
    body = {"step_id": _step(api, execution_id, step)}
    _tell_step(_order(api, execution_id, "ignore_step_error", reason, body))


def confirm(
    api: Api,
    execution_id: ExecutionID,
    step: StepName,
    refuse: Annotated[bool, typer.Option("--refuse", help="Say no instead of yes.")] = False,
    comment: Annotated[str, typer.Option(help="Kept with the answer.")] = "",
) -> None:
    """Answer a confirmation step, or whether the next batch may start."""
    step_id = _step(api, execution_id, step)
    body: dict[str, JSON] = {"approve": not refuse}
    if comment:
        body["comment"] = comment
    _tell_step(_order(api, execution_id, f"steps/{step_id}/confirm", "", body))


def retry_step(
    api: Api,
    execution_id: ExecutionID,
    step: StepName,
    every: Annotated[bool, typer.Option("--all", help="All hosts, not only failed ones.")] = False,
    hosts: Annotated[str, typer.Option(help="Only these: names, ids or addresses.")] = "",
    reason: Reason = "",
) -> None:
    """Try a step again in the same execution, on the hosts where it failed."""
    if every and hosts:
        raise CommandFailed("Give either --all or --hosts.")
    body: dict[str, JSON] = {"step_id": _step(api, execution_id, step)}
    body["retry_type"] = "all" if every else "selected" if hosts else "failed_only"
    if hosts:
        body["host_ids"] = list(chosen_hosts(api, hosts))
    answer = _order(api, execution_id, "retry_step", reason, body)
    _tell_step(answer)
    terminal.line(f"{answer.get('tasks') or 0} hosts begin anew.")


def retry(
    api: Api,
    execution_id: ExecutionID,
    failed_only: Annotated[bool, typer.Option(help="Only hosts that failed.")] = False,
    from_step: Annotated[str, typer.Option(help="Begin at this step.", metavar="STEP")] = "",
    reason: Reason = "",
) -> None:
    """Run an execution again as a new record; its id is the answer."""
    if failed_only and from_step:
        raise CommandFailed("Give either --failed-only or --from-step.")
    body: dict[str, JSON] = {"retry_type": "failed_only" if failed_only else "full"}
    if from_step:
        body = {"retry_type": "step", "step_id": _step(api, execution_id, from_step)}
    answer = _order(api, execution_id, "retry", reason, body)
    terminal.line(str(answer["execution_id"]))


def operations(api: Api, execution_id: ExecutionID, as_json: AsJSON = False) -> None:
    """List who did what to an execution, the newest first."""
    found = list(rows(api, f"{RECORDS}{path_part(execution_id)}/operation_logs/"))
    if as_json:
        terminal.as_json(found)
        return
    names = ("created_at", "username", "action", "reason", "client_ip")
    head = ("WHEN", "WHO", "WHAT", "WHY", "FROM")
    terminal.columns(head, [[row.get(name) for name in names] for row in found])


def _order(
    api: Api,
    execution_id: str,
    what: str,
    reason: str,
    body: Mapping[str, JSON] | None = None,
) -> dict[str, JSON]:
    """Give an order once, however often it has to be sent."""
    path = f"{RECORDS}{path_part(execution_id)}/{what}/"
    return api.post(path, {**(body or {}), **_why(reason)}, idempotency_key=str(uuid.uuid4()))


def _why(reason: str) -> dict[str, JSON]:
    return {"reason": reason} if reason else {}


def _ask(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question, err=True):
        raise CommandFailed("Nothing was done.")


def _step(api: Api, execution_id: str, step: str) -> str:
    """The id of the step with this id, number (from 1) or name."""
    record = api.get(f"{RECORDS}{path_part(execution_id)}/")
    listed = record.get("steps")
    steps = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    for key in ("id", "name", "order"):
        found = [one for one in steps if str(one.get(key)) == step]
        if found:
            return path_part(str(found[0]["id"]))
    raise CommandFailed(f"There is no step {terminal.harmless(step)!r}.", code="step_not_found")


def _tell(answer: Mapping[str, JSON]) -> None:
    terminal.line(", ".join(str(answer[key]) for key in _STATES if answer.get(key)))


def _tell_stopped(answer: Mapping[str, JSON]) -> None:
    terminal.line(
        f"{answer.get('status')}: {answer.get('cancelled')} ended at once, "
        f"{answer.get('cancelling')} hosts are being stopped."
    )


def _tell_step(answer: Mapping[str, JSON]) -> None:
    reason = f" ({answer['step_reason']})" if answer.get("step_reason") else ""
    terminal.line(f"{answer.get('status')}; step {answer.get('step_status')}{reason}")

"""Follows an execution: feeds a view with its output and states, and tells how it ended."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.cli.api import JSON, Api
from services.cli.failure import EXIT_SOME_HOSTS_FAILED
from services.cli.inventory import path_part
from services.cli.paging import rows
from services.cli.sse import ServerEvent, follow

RECORDS = "/api/executor/execution-records/"


class View(Protocol):
    """Shows what happens; plain lines or a display that is redrawn."""

    def output(self, host: str, stream: str, lines: list[str]) -> None:
        """Whole lines of one host, without their line ends."""

    def states(self, tasks: Mapping[str, str]) -> None:
        """The state of every task known so far, by host."""

    def gap(self, host: str, text: str) -> None:
        """Some output of this host is missing."""


@dataclass
class LineCutter:
    """Makes whole lines out of chunks that end anywhere, for each host and stream apart."""

    _rest: dict[tuple[str, str], str] = field(default_factory=lambda: defaultdict(str))

    def add(self, host: str, stream: str, text: str) -> list[str]:
        """The lines that are complete now."""
        *whole, rest = (self._rest[host, stream] + text).split("\n")
        self._rest[host, stream] = rest
        return whole

    def leftovers(self) -> Iterable[tuple[str, str, str]]:
        """What came without a line end: host, stream, text."""
        found = [(host, stream, rest) for (host, stream), rest in self._rest.items() if rest]
        self._rest.clear()
        return found


def watch(api: Api, execution_id: str, view: View) -> str:
    """Shows an execution from its first line to its end; answers its final status."""
    cutter = LineCutter()
    tasks: dict[str, str] = {}
    path = f"/api/realtime/sse/combined/{path_part(execution_id)}/"
    final = ""
    for event in follow(api, path):
        if event.name == "end":
            final = str(event.data.get("status", ""))
        else:
            _feed(event, view, cutter, tasks)
    for host, stream, rest in cutter.leftovers():
        view.output(host, stream, [rest])
    return final


def _feed(event: ServerEvent, view: View, cutter: LineCutter, tasks: dict[str, str]) -> None:
    data = event.data
    host = str(data.get("host", ""))
    if event.name == "log":
        stream = str(data.get("stream", "stdout"))
        lines = cutter.add(host, stream, str(data.get("text", "")))
        if lines:
            view.output(host, stream, lines)
    elif event.name == "gap":
        view.gap(host, f"{data.get('length', '?')} bytes are missing: {data.get('reason', '')}")
    elif event.name == "status":
        changed = data.get("tasks")
        for task in changed if isinstance(changed, list) else []:
            if isinstance(task, dict):
                tasks[str(task.get("host_name", task.get("host_id")))] = str(task.get("status"))
        view.states(tasks)


def tasks_of(api: Api, execution_id: str) -> list[Mapping[str, JSON]]:
    """Every task of an execution, page by page."""
    return list(rows(api, f"{RECORDS}{path_part(execution_id)}/tasks/"))


def exit_code_for(tasks: Iterable[Mapping[str, JSON]], status: str) -> int:
    """0 only if the execution and every host in it succeeded."""
    good = status == "success" and all(task.get("status") == "success" for task in tasks)
    return 0 if good else EXIT_SOME_HOSTS_FAILED


def how_it_ended(task: Mapping[str, JSON]) -> str:
    """One task in words: status, exit code or signal, reason."""
    parts = [str(task.get("status"))]
    if task.get("signal") is not None:
        parts.append(f"signal {task['signal']}")
    elif task.get("exit_code") not in (None, 0):
        parts.append(f"exit code {task['exit_code']}")
    if task.get("reason"):
        parts.append(str(task["reason"]))
    return ", ".join(parts)

"""Gathers what a run left behind: the client's history, markers of hosts, records."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.agents import CONCURRENCY, processes_of
from tests.chaos.history import RECORDS, Operation
from tests.chaos.nemesis import Nemesis
from tests.chaos.proxy import Witness
from tests.chaos.run import Site
from tests.chaos.watching import Collected, stored
from tests.chaos.world import World
from tests.support.waiting import eventually

SERVICES = ("auth", "hosts", "execution")
UNPUBLISHED = "SELECT id FROM outbox WHERE published_at IS NULL"
PUBLISHED_SECONDS = 45.0
"""A relay that was killed keeps its lease for 15 s more on PostgreSQL; then the next begins."""

Key = tuple[str, int]
"""Task and attempt."""
Task = dict[str, object]


@dataclass(frozen=True)
class Marker:
    """One line that a script left on its host."""

    word: str
    key: Key
    pid: int


@dataclass
class Evidence:
    """All of it, for the checks."""

    operations: list[Operation]
    markers: dict[str, list[Marker]]
    records: dict[str, dict[str, object]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    """Task id -> what the API says of it, with its execution's id."""
    stored: dict[str, Collected] = field(default_factory=dict)
    watched: dict[str, Collected] = field(default_factory=dict)
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)
    totals: dict[str, object] = field(default_factory=dict)
    witness: Witness = field(default_factory=Witness)
    repeated: list[tuple[Operation, str | None]] = field(default_factory=list)
    left_processes: list[str] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)
    agent_deaths: int = 0
    full_hosts: set[str] = field(default_factory=set)
    """Ids of hosts whose disk was full for a while."""
    concurrency: int = CONCURRENCY

    @property
    def acknowledged(self) -> list[Operation]:
        """What the platform owes."""
        return [each for each in self.operations if each.execution_id is not None]

    @property
    def starts(self) -> dict[Key, int]:
        """How often each attempt really started."""
        found: dict[Key, int] = defaultdict(int)
        for lines in self.markers.values():
            for marker in lines:
                found[marker.key] += marker.word == "start"
        return found

    def operation_of(self, task: Task) -> Operation | None:
        """What the client knows about a task's execution."""
        for operation in self.operations:
            if task["execution_id"] in operation.answered_ids:
                return operation
        return None


async def gather(site: Site, nemesis: Nemesis | None = None) -> Evidence:
    """Ask everybody once, when everything has ended."""
    evidence = Evidence(site.history.operations, {})
    for operation in evidence.acknowledged:
        record = await site.client.record(operation)
        evidence.records[str(operation.execution_id)] = record
        steps = record["steps"]
        assert isinstance(steps, list)
        for task in (task for step in steps for task in step["tasks"]):
            evidence.tasks[task["id"]] = {**task, "execution_id": operation.execution_id}
        evidence.stored[str(operation.execution_id)] = await stored(
            site.client, str(operation.execution_id)
        )
    evidence.markers = _markers(site.markers)  # last: what is told to have run had left its mark
    for operation in site.history.acknowledged[::7]:
        before = operation.execution_id
        await site.client.repeat(operation)
        evidence.repeated.append((operation, before))
    evidence.watched = site.watched
    with suppress(AssertionError):  # then the checker says what waits
        await eventually(lambda: _all_published(site.world), timeout=PUBLISHED_SECONDS)
    evidence.rows = await _rows(site.world)
    _merge(evidence.witness, [proxy.witness for proxy in site.proxies])
    names = [agent.name for agent in site.agents]
    evidence.left_processes = [str(process) for process in processes_of(names)]
    evidence.peaks = site.world.peaks
    evidence.agent_deaths = _deaths(site, nemesis)
    full = nemesis.full_hosts if nemesis else set()
    evidence.full_hosts = {str(host) for host, name in site.hosts.items() if name in full}
    return evidence


def _deaths(site: Site, nemesis: Nemesis | None) -> int:
    """How often an agent process was ended by us or by a fault point."""
    armed = sum(
        count for what, count in (nemesis.done if nemesis else {}).items() if "journal" in what
    )
    return armed + sum(agent.kills for agent in site.agents)


async def _all_published(world: World) -> bool:
    return not any([await world.rows(service, UNPUBLISHED) for service in SERVICES])


async def _rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    queries = {
        "executions": ("execution", "SELECT id, name, status, user_id FROM executions"),
        "tasks": ("execution", "SELECT id, execution_id, status, attempt, epoch FROM tasks"),
        "totals": ("execution", "SELECT id, totals FROM tasks WHERE totals IS NOT NULL"),
    }
    found = {name: await world.rows(service, query) for name, (service, query) in queries.items()}
    for service in SERVICES:
        found[f"{service} outbox"] = await world.rows(service, UNPUBLISHED)
        letters = "SELECT consumer, reason FROM dead_letters"
        found[f"{service} dead letters"] = await world.rows(service, letters)
    return found


def _markers(folder: Path) -> dict[str, list[Marker]]:
    found: dict[str, list[Marker]] = {}
    for path in sorted(folder.iterdir()):
        lines = [line.split() for line in path.read_text().splitlines()]
        found[path.name] = [Marker(w, (task, int(a)), int(pid)) for w, task, a, pid in lines]
    return found


def _merge(into: Witness, parts: list[Witness]) -> None:
    for part in parts:
        into.granted |= part.granted
        into.acknowledged |= part.acknowledged
        into.spoiled |= part.spoiled
        into.kinds += part.kinds
        into.deeds += part.deeds
        for key, offset in part.floors.items():
            into.floors[key] = max(offset, into.floors.get(key, 0))


__all__ = ["RECORDS", "Evidence", "Marker", "gather"]

"""Turns push and collect steps into an order for each host, and keeps what hosts say meanwhile."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from libs.kit.artifacts import FileTickets, Ticket
from libs.kit.auth import Principal
from libs.kit.clock import now
from libs.kit.db import Database, Transaction, reads, writes
from services.execution.domain import StepKind
from services.execution.files.domain import FileNotThere, StepNotCollecting
from services.execution.files.repository import FileRepository
from services.execution.files.schemas import FileCollect, FilePush, FileSource
from services.execution.files.service import owned
from services.execution.models import File, Step
from services.execution.settings import ExecutionSettings
from services.execution.transfers.domain import (
    ARCHIVE_BYTES,
    BLAKE3_VARIABLE,
    QUICK_FROM_BYTES,
    FileOrder,
    Frozen,
    FrozenSource,
    Work,
    check_names,
    check_path,
    mode_of,
    named_paths,
    per_second,
    progress_of,
    rendered,
    target_of,
    values_of,
)
from services.execution.transfers.repository import TransferRepository
from services.execution.variables.domain import Scope

TICKET_SPARE = timedelta(minutes=10)


class FileStep(Protocol):
    """A step of a plan, as far as files are concerned."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> StepKind: ...
    @property
    def payload(self) -> Mapping[str, object]: ...


class FileTask(Protocol):
    """A task that is about to be offered."""

    @property
    def id(self) -> str: ...
    @property
    def execution_id(self) -> str: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def host_id(self) -> int: ...
    @property
    def host_name(self) -> str: ...
    @property
    def ip_address(self) -> str: ...
    @property
    def not_after(self) -> datetime: ...


T = TypeVar("T", bound=FileTask)
C = TypeVar("C", bound=FileTask, contravariant=True)


class Scopes(Protocol[C]):
    """Where the values of variables come from."""

    def scope(self, task: C) -> Scope: ...


@dataclass(frozen=True)
class Found:
    """What the database knows about the files of some steps."""

    collecting: Mapping[tuple[str, str], Step]
    collected: Mapping[str, Sequence[File]]
    began: Mapping[str, datetime]


NOTHING = Found({}, {}, {})


class Watchers(Protocol):
    """Whoever wants to know that something has moved."""

    def tell(self, execution_ids: Iterable[str]) -> None: ...


class NobodyWatches:
    """For a process in which no task ever moves."""

    def tell(self, execution_ids: Iterable[str]) -> None:
        """Forget it."""


class Transfers:
    """Files in executions: checked at accept, ordered with an offer, told while the task runs."""

    def __init__(
        self, db: Database, settings: ExecutionSettings, tickets: FileTickets, changes: Watchers
    ) -> None:
        self._db = db
        self._settings = settings
        self._tickets = tickets
        self._changes = changes

    # ---- at accept --------------------------------------------------------------------------

    async def freeze(
        self, steps: Sequence[FileStep], by: Principal, *, known: Set[str] = frozenset()
    ) -> list[Mapping[str, object]]:
        """The payloads of the steps with everything in them that is looked up now (R5).

        Raises FileNotThere for files that are not the person's, StepNotCollecting,
        PathNotAllowed, and VariableUnknown for what no variable (`known`) and no earlier step can
        stand behind. Without file steps nothing is asked.
        """
        if not any(step.kind in (StepKind.PUSH, StepKind.COLLECT) for step in steps):
            return [step.payload for step in steps]
        if paths := _paths_of(steps[0]):
            check_names(paths, known)
        return await self._freeze(steps, by)

    @reads
    def _freeze(
        self, tx: Transaction, steps: Sequence[FileStep], by: Principal
    ) -> list[Mapping[str, object]]:
        frozen: list[Mapping[str, object]] = []
        collecting: set[str] = set()
        for step in steps:
            payload = step.payload
            if step.kind == StepKind.PUSH:
                push = FilePush.model_validate(payload["file"])
                file = self._frozen_push(tx, push, by, collecting).model_dump(mode="json")
                payload = {**payload, "file": file}
            elif step.kind == StepKind.COLLECT:
                collect = FileCollect.model_validate(payload["file"])
                self._check_paths(collect.paths)
                collecting.add(step.name)
            frozen.append(payload)
        return frozen

    def _frozen_push(
        self, tx: Transaction, push: FilePush, by: Principal, collecting: set[str]
    ) -> Frozen:
        wanted = [one.artifact_id for one in push.sources if one.artifact_id is not None]
        files = FileRepository(tx).by_ids(wanted)
        for file_id in wanted:
            owned(files.get(file_id), file_id, by)
        self._check_paths([push.remote_path, *(one.remote_path or "/" for one in push.sources)])
        sources = [_frozen_source(one, files, collecting) for one in push.sources]
        return Frozen(**{**dict(push), "sources": sources})

    def _check_paths(self, paths: Sequence[str]) -> None:
        for path in paths:
            check_path(path, self._settings.file_roots)

    # ---- when tasks are offered -------------------------------------------------------------

    def load(self, tx: Transaction, steps: Mapping[str, Step]) -> Found:
        """Look up what the orders of tasks of these steps need; nothing where they run scripts."""
        moving = [step for step in steps.values() if step.kind in (StepKind.PUSH, StepKind.COLLECT)]
        if not moving:
            return NOTHING
        executions = {step.execution_id for step in moving}
        transfers = TransferRepository(tx)
        collecting = transfers.collecting(executions)
        ids = [step.id for step in collecting.values()]
        return Found(
            collecting, FileRepository(tx).collected_in(ids), transfers.accepted_at(executions)
        )

    def order(self, task: T, step: Step, scopes: Scopes[T], found: Found) -> FileOrder | None:
        """What an order says about files; None for a script.

        Raises an AppError whose code is the reason to reject the task: a path whose variables
        have no value, or that policy does not allow; an earlier step that brought nothing.
        """
        if step.kind not in (StepKind.PUSH, StepKind.COLLECT):
            return None
        at = found.began.get(task.execution_id, now())
        names = Scope(scopes.scope(task).merged(), values_of(task, at))
        until = max(task.not_after, now()) + timedelta(seconds=step.timeout_seconds)
        order = _Order(self._tickets, task, step, names, until + TICKET_SPARE)
        common: Work = {"target": "/", "roots": list(self._settings.file_roots)}
        if self._settings.file_roots == ("/",):
            del common["roots"]
        if step.kind == StepKind.PUSH:
            push = order.push(Frozen.model_validate(step.payload["file"]), found)
            return FileOrder(common | push.work, push.env)
        collect = order.collect(FileCollect.model_validate(step.payload["file"]))
        return FileOrder(common | collect, {})

    # ---- while they run ---------------------------------------------------------------------

    async def told(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Keep what agents say about the progress of their tasks; the last word of each counts."""
        rows: dict[str, dict[str, object]] = {}
        for message in messages:
            state = progress_of(message.get("files"))
            if state is not None:
                rows[str(message["task_id"])] = {
                    "task": str(message["task_id"]),
                    "agent": str(message["agent_id"]),
                    "tried": message["attempt"],
                    "state": state,
                }
        if rows:
            self._changes.tell(await self._tell(list(rows.values())))

    @writes
    def _tell(self, tx: Transaction, rows: Sequence[Mapping[str, object]]) -> set[str]:
        return TransferRepository(tx).tell(rows)


def _paths_of(step: FileStep) -> list[str]:
    if step.kind == StepKind.COLLECT:
        return FileCollect.model_validate(step.payload["file"]).paths
    if step.kind != StepKind.PUSH:
        return []
    push = FilePush.model_validate(step.payload["file"])
    return [push.remote_path, *(one.remote_path or "/" for one in push.sources)]


def _frozen_source(
    source: FileSource, files: Mapping[str, File], collecting: set[str]
) -> FrozenSource:
    if source.step is not None:
        if source.step not in collecting:
            raise StepNotCollecting(step=source.step)
        return FrozenSource(step=source.step, remote_path=source.remote_path, name=source.name)
    file = files[str(source.artifact_id)]
    return FrozenSource(
        artifact_id=file.id,
        sha256=file.sha256,
        blake3=file.blake3 if file.size >= QUICK_FROM_BYTES else None,
        size=file.size,
        name=source.name or file.name,
        remote_path=source.remote_path,
    )


class _Order:
    """One task's order about files."""

    def __init__(
        self, tickets: FileTickets, task: FileTask, step: Step, names: Scope, until: datetime
    ) -> None:
        self._tickets = tickets
        self._task = task
        self._step = step
        self._names = names
        self._until = int(until.timestamp())

    def push(self, push: Frozen, found: Found) -> FileOrder:
        items: list[Work] = []
        checksums: list[str] = []
        for source in push.sources:
            path = rendered(source.remote_path or push.remote_path, self._names)
            if source.step is None:
                target = target_of(path, source.name or "file", is_one=len(push.sources) == 1)
                items.append(self._item(target, str(source.sha256), source.size, push))
            else:
                items += self._trees(path, source.step, push, found)
            checksums += [source.blake3 or "-"] * (len(items) - len(checksums))
        work: Work = {"items": items, "overwrite": str(push.overwrite_policy)}
        for name in ("owner", "group"):
            work |= {name: getattr(push, name)} if getattr(push, name) else {}
        for name in ("mode", "folder_mode"):
            work |= {name: mode_of(getattr(push, name))} if getattr(push, name) else {}
        work |= self._rate(push.bandwidth_limit, push.total_bandwidth_limit)
        is_quick = any(one != "-" for one in checksums)
        return FileOrder(work, {BLAKE3_VARIABLE: " ".join(checksums)} if is_quick else {})

    def _trees(self, path: str, name: str, push: Frozen, found: Found) -> list[Work]:
        """The archives of an earlier step; from several hosts, each in a folder of its own."""
        step = found.collecting.get((self._task.execution_id, name))
        files = found.collected.get(step.id, ()) if step is not None else ()
        if step is None or not files:
            raise FileNotThere(step=name)
        collect = FileCollect.model_validate(step.payload["file"])
        bases = named_paths(collect.paths)
        hosts = Counter(str(file.host_name) for file in files)
        items = []
        for file in files:
            folder = path.rstrip("/") or "/"
            if len(files) > 1:
                host = str(file.host_name).replace("/", "_")
                folder += f"/{host}" if hosts[host] == 1 else f"/{host}-{file.host_id}"
            item = self._item(folder, file.sha256, file.size, push)
            items.append(item | {"is_tree": True, "bases": bases})
        return items

    def _item(self, path: str, sha256: str, size: int, push: Frozen) -> Work:
        ticket = self._ticket("fetch", push.total_bandwidth_limit, sha256=sha256)
        return {"path": path, "size": size, "sha256": sha256, "ticket": ticket}

    def collect(self, collect: FileCollect) -> Work:
        most = collect.max_bytes + collect.max_files * ARCHIVE_BYTES
        work: Work = {
            "patterns": [rendered(path, self._names) for path in collect.paths],
            "max_bytes": collect.max_bytes,
            "max_files": collect.max_files,
            "ticket": self._ticket("bring", collect.total_bandwidth_limit, max_bytes=most),
        }
        work |= {"excludes": collect.excludes} if collect.excludes else {}
        return work | self._rate(collect.bandwidth_limit, collect.total_bandwidth_limit)

    def _rate(self, own: float | None, total: float | None) -> Work:
        given = [per_second(rate) for rate in (own, total) if rate is not None]
        return {"bytes_per_second": min(given)} if given else {}

    def _ticket(
        self, purpose: str, total: float | None, *, sha256: str = "", max_bytes: int = 0
    ) -> str:
        return self._tickets.issue(
            Ticket(
                purpose="fetch" if purpose == "fetch" else "bring",
                task_id=self._task.id,
                attempt=self._task.attempt,
                agent_id=self._task.agent_id,
                expires_at=self._until,
                sha256=sha256,
                step_id=self._step.id,
                bytes_per_second=0 if total is None else per_second(total),
                max_bytes=max_bytes,
            )
        )

"""Prepares the orders of many tasks at once, and checks texts before anything is accepted."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from libs.contracts.execution import TaskStatus
from libs.kit.auth import Principal
from libs.kit.clock import now
from libs.kit.db import Transaction
from libs.kit.errors import AppError
from services.execution.domain import BROKEN_TASKS, ENDED_STEPS, StepKind
from services.execution.errors import SecretSourceUnavailable
from services.execution.models import Step
from services.execution.orders.domain import (
    FAILED,
    SUCCEEDED,
    TARGETS,
    Filled,
    HostState,
    Launched,
    Layers,
    Secret,
    Sheet,
    TaskFacts,
    named_lists,
)
from services.execution.orders.repository import OrderRepository
from services.execution.references.service import References
from services.execution.variables.domain import (
    NamedHost,
    Scope,
    Value,
    VariableType,
    hosts_value,
    passed_on,
    text_value,
)
from services.execution.variables.schemas import Kept, Level
from services.execution.variables.service import Variables, secret_names


class OfferedTask(TaskFacts, Protocol):
    """A task with where it belongs."""

    @property
    def execution_id(self) -> str: ...
    @property
    def step_id(self) -> str: ...


Values = Mapping[str, str]
MASK = "******"


class Sheets:
    """Everything that the orders of some tasks need; filling in asks no database."""

    def __init__(
        self, by_step: Mapping[str, Sheet | AppError], of_hosts: Mapping[tuple[str, int], Values]
    ) -> None:
        self._by_step = dict(by_step)
        self._of_hosts = of_hosts

    def fill(self, task: OfferedTask) -> Filled:
        """The order of a task. Raises an AppError whose code is the reason to reject the task."""
        return self._sheet(task).fill(task, self._of_hosts.get((task.step_id, task.host_id), {}))

    def show(self, task: OfferedTask) -> Filled:
        """The order of a task for people to read, if secrets were loaded masked."""
        of_host = self._of_hosts.get((task.step_id, task.host_id), {})
        return self._sheet(task).show(task, of_host)

    def scope(self, task: OfferedTask) -> Scope:
        """The values that a task's other texts may name, such as the paths of its files."""
        return self._sheet(task).scope(task, self._of_hosts.get((task.step_id, task.host_id), {}))

    @property
    def references(self) -> set[str]:
        """Where secrets of these steps lie that are not stored here."""
        sheets = [one for one in self._by_step.values() if isinstance(one, Sheet)]
        return {text for sheet in sheets for text in sheet.references}

    @property
    def referring(self) -> set[str]:
        """The steps that are given secrets which lie elsewhere; before these are fetched."""
        sheets = self._by_step.items()
        return {step for step, one in sheets if isinstance(one, Sheet) and one.references}

    def fetched(self, values: Mapping[str, str | AppError]) -> None:
        """Put secrets in their places; a step whose secret cannot be had can be filled no more."""
        for step_id, sheet in list(self._by_step.items()):
            if isinstance(sheet, AppError):
                continue
            found = {text: values[text] for text in sheet.references}
            errors = [one for one in found.values() if isinstance(one, AppError)]
            if errors:
                self._by_step[step_id] = errors[0]
            else:
                sheet.fetched({t: one for t, one in found.items() if isinstance(one, str)})

    def _sheet(self, task: OfferedTask) -> Sheet:
        sheet = self._by_step[task.step_id]
        if isinstance(sheet, AppError):
            raise sheet
        return sheet


class Orders:
    """The way from steps and variables to what agents are told to run."""

    def __init__(self, variables: Variables, references: References | None = None) -> None:
        self._variables = variables
        self._references = references

    async def fetch(self, sheets: Sheets) -> None:
        """Fetch the secrets that lie elsewhere; outside of transactions, because that takes time.

        One that cannot be had becomes the reason to reject the tasks of its steps.
        """
        wanted = sheets.references
        if not wanted:
            return
        if self._references is None:
            sheets.fetched(dict.fromkeys(wanted, SecretSourceUnavailable()))
            return
        sheets.fetched(await self._references.resolve(wanted))

    def load(
        self,
        tx: Transaction,
        tasks: Sequence[OfferedTask],
        steps: Mapping[str, Step],
        *,
        masked: bool = False,
    ) -> Sheets:
        """Look up what the orders of these tasks need; few questions for many tasks.

        `masked` leaves secrets closed, with asterisks in their place.
        """
        repository = OrderRepository(tx)
        launched = repository.launched({task.execution_id for task in tasks})
        hosts: dict[str, list[int]] = defaultdict(list)
        for task in tasks:
            hosts[task.step_id].append(task.host_id)
        by_step: dict[str, Sheet | AppError] = {}
        of_hosts: dict[tuple[str, int], Values] = {}
        for step_id, host_ids in hosts.items():
            step = steps[step_id]
            of_execution = launched[step.execution_id]
            before = () if of_execution.is_plain else repository.steps_before(step)
            try:
                layers = self._layers(tx, of_execution, step, before, masked=masked)
                by_step[step_id] = Sheet(of_execution, step, layers)
            except AppError as error:
                by_step[step_id] = error
            of_hosts.update(_left(repository, step, before, host_ids))
        return Sheets(by_step, of_hosts)

    def _layers(
        self,
        tx: Transaction,
        launched: Launched,
        step: Step,
        before: Sequence[Step],
        *,
        masked: bool,
    ) -> Layers:
        kept = {name: Kept.model_validate(one) for name, one in launched.variables.items()}
        wide: dict[str, Value] = {}
        for earlier in before:
            wide.update({n: text_value(v) for n, v in passed_on(earlier.outputs).items()})
        return Layers(
            launch=_at(kept, Level.LAUNCH),
            wide=wide,
            defaults=_at(kept, Level.DEFAULT),
            lists=_lists(OrderRepository(tx), step, before),
            secrets=self._secrets(tx, launched, step, kept, masked=masked),
        )

    def _secrets(
        self,
        tx: Transaction,
        launched: Launched,
        step: Step,
        kept: Mapping[str, Kept],
        *,
        masked: bool,
    ) -> dict[str, Secret]:
        names = secret_names(launched.variables)
        if step.kind != StepKind.SCRIPT or not names:
            return {}
        if masked:
            return {name: Secret(MASK, kept[name].as_file) for name in names}
        opened = self._variables.opened(tx, launched.id, launched.variables)
        return {
            name: Secret(plain, kept[name].as_file, is_reference=kept[name].reference is not None)
            for name, plain in opened.items()
        }


def _at(kept: Mapping[str, Kept], level: Level) -> dict[str, Value]:
    return {name: one.value for name, one in kept.items() if one.level == level}


def _left(
    repository: OrderRepository, step: Step, before: Sequence[Step], host_ids: Sequence[int]
) -> dict[tuple[str, int], Values]:
    """What earlier steps left for each host of a step; the later of two steps is stronger."""
    order = {earlier.id: earlier.position for earlier in before}
    left = repository.left_for_hosts(step.execution_id, list(order), host_ids) if order else []
    found: dict[tuple[str, int], dict[str, str]] = {}
    for _, host_id, outputs in sorted(left, key=lambda one: order[one[0]]):
        found.setdefault((step.id, host_id), {}).update(passed_on(outputs))
    return dict(found)


def by_result(hosts: Iterable[HostState]) -> dict[str, Value]:
    """The hosts of the last step: those that succeeded and those that did not."""
    good: list[NamedHost] = []
    bad: list[NamedHost] = []
    for host in hosts:
        named = NamedHost(host.id, host.name, host.ip)
        if host.status == TaskStatus.SUCCESS:
            good.append(named)
        elif host.status in BROKEN_TASKS:
            bad.append(named)
    return {SUCCEEDED: hosts_value(good), FAILED: hosts_value(bad)}


def _lists(repository: OrderRepository, step: Step, before: Sequence[Step]) -> dict[str, Value]:
    """The hosts of this step and, by result, of the last one; only if the step names them."""
    wanted = named_lists(step)
    found: dict[str, Value] = {}
    if TARGETS in wanted:
        hosts = repository.hosts_of(step.id)
        found[TARGETS] = hosts_value(NamedHost(host.id, host.name, host.ip) for host in hosts)
    if set(wanted) - {TARGETS}:
        ended = [one for one in before if one.status in ENDED_STEPS and one.finished_at]
        last = max(ended, key=lambda one: (one.finished_at, one.position), default=None)
        found |= by_result(repository.hosts_of(last.id) if last else ())
    return {name: found[name] for name in wanted}


# ---- before accept ---------------------------------------------------------------------------


class Written(Protocol):
    """A step of a request, before it is stored."""

    @property
    def name(self) -> str: ...
    @property
    def script_type(self) -> str: ...
    @property
    def script(self) -> str: ...
    @property
    def args(self) -> Sequence[str]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def cwd(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Draft:
    """A step with the place that it will have."""

    name: str
    position: int
    script_type: str
    script: str
    args: list[str]
    env: dict[str, str]
    cwd: str | None
    script_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A task that does not exist yet, on this host or on any."""

    host_id: int = 1
    host_name: str = "host"
    ip_address: str = "127.0.0.1"
    id: str = "00000000-0000-7000-8000-000000000000"
    attempt: int = 1
    batch_no: int = 1
    sealing_key: str | None = None


ANY_HOST = Sample()


def check_texts(
    name: str,
    by: Principal,
    steps: Sequence[Written],
    variables: Mapping[str, object],
    on: Sample = ANY_HOST,
) -> list[str]:
    """Refuse texts that cannot be filled in, before anything is stored; returns the scripts.

    From the second step on, a name that nobody knows yet may come from an earlier step; if it
    does not, the tasks of that step are rejected with the same code.
    """
    return [filled.script for filled in _samples(name, by, steps, variables, on)]


def likely_texts(
    name: str, by: Principal, steps: Sequence[Written], variables: Mapping[str, object], on: Sample
) -> list[Filled]:
    """What the steps would be given on a host, as far as that is known; secrets are left out.

    Steps that cannot be filled in stay as they were written.
    """
    try:
        return list(_samples(name, by, steps, variables, on))
    except AppError:
        return [Filled(s.script, "", list(s.args), dict(s.env), s.cwd, []) for s in steps]


def _samples(
    name: str, by: Principal, steps: Sequence[Written], variables: Mapping[str, object], on: Sample
) -> Iterator[Filled]:
    kept = {name: Kept.model_validate(one) for name, one in variables.items()}
    launched = Launched("", name, by.id, by.username, now(), False, variables)
    secrets = {n: Secret("secret") for n, one in kept.items() if one.type == VariableType.SECRET}
    sample = hosts_value([NamedHost(on.host_id, on.host_name, on.ip_address)])
    for place, written in enumerate(steps, start=1):
        step = _Draft(
            written.name,
            place,
            written.script_type,
            written.script,
            list(written.args),
            dict(written.env),
            written.cwd,
        )
        layers = Layers(
            launch=_at(kept, Level.LAUNCH),
            wide={},
            defaults=_at(kept, Level.DEFAULT),
            lists=dict.fromkeys(named_lists(step), sample),
            secrets=secrets,
            stand_in=text_value("value") if place > 1 else None,
        )
        yield Sheet(launched, step, layers).check(on)

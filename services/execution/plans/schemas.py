"""An execution as people send it: steps, hosts, strategy."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, model_validator

from libs.kit.service import Choice, Row, Schema
from libs.kit.text import Name, SafeText
from services.execution.domain import ScriptType, StepKind, Strategy, Threshold
from services.execution.files.schemas import FileCollect, FilePush
from services.execution.plans.domain import (
    HostOrder,
    Mode,
    account,
    argument,
    directory,
    environment,
    script,
)
from services.execution.schemas import ConsentOut, FindingOut
from services.execution.variables.schemas import VariablesIn

MAX_HOSTS = 20_000
MAX_STEPS = 50
MAX_DEPTH = 5

Argument = Annotated[str, AfterValidator(argument)]
Directory = Annotated[str, Field(max_length=4096), AfterValidator(directory)]
Account = Annotated[str, AfterValidator(account)]
ScriptText = Annotated[str, AfterValidator(script)]
Environment = Annotated[dict[str, Argument], Field(max_length=200), AfterValidator(environment)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
HostIds = Annotated[list[Id], Field(max_length=MAX_HOSTS)]
GroupIds = Annotated[list[Id], Field(max_length=200)]
Scalar = str | int | float | bool
ConfirmedCount = Annotated[int | None, Field(ge=1, le=MAX_HOSTS, exclude=True)]
"""How many hosts somebody has typed; no part of what is to be done, so no part of its hash."""
Priority = Annotated[int, Field(ge=1, le=9)]
StartSeconds = Annotated[int, Field(ge=21, le=7 * 86_400)]


# ---- conditions ------------------------------------------------------------------------------


class StepIs(Schema):
    """How an earlier step ended. `failed` is also true of one whose errors are ignored."""

    step: Name
    is_: Annotated[Literal["success", "failed", "skipped", "any_failed"], Field(alias="is")]


class VariableIs(Schema):
    """What a variable, or a value that an earlier step left, is as text."""

    variable: Annotated[str, Field(min_length=1, max_length=128)]
    equals: Scalar | None = None
    not_equals: Scalar | None = None
    in_: Annotated[list[Scalar] | None, Field(alias="in", min_length=1, max_length=100)] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len({"equals", "not_equals", "in_"} & self.model_fields_set) != 1:
            raise ValueError("give exactly one of equals, not_equals and in")
        return self


class AllOf(Schema):
    """True when all are."""

    all: Annotated[list["Condition"], Field(min_length=1, max_length=20)]


class AnyOf(Schema):
    """True when one is."""

    any: Annotated[list["Condition"], Field(min_length=1, max_length=20)]


class NotOf(Schema):
    """True when it is false."""

    not_: Annotated["Condition", Field(alias="not")]


Condition = StepIs | VariableIs | AllOf | AnyOf | NotOf


def conditions_in(condition: Condition | None, depth: int = 1) -> list[Condition]:
    """A condition and all those inside it; ValueError when they lie too deep in each other."""
    if condition is None:
        return []
    if depth > MAX_DEPTH:
        raise ValueError(f"conditions may lie at most {MAX_DEPTH} deep in each other")
    inner: list[Condition] = []
    if isinstance(condition, AllOf):
        inner = condition.all
    elif isinstance(condition, AnyOf):
        inner = condition.any
    elif isinstance(condition, NotOf):
        inner = [condition.not_]
    return [condition, *(found for one in inner for found in conditions_in(one, depth + 1))]


# ---- steps -----------------------------------------------------------------------------------


class HostsOf(Schema):
    """The hosts on which an earlier step succeeded or failed, known when the step is reached."""

    step: Name
    result: Literal["success", "failed"]


class Confirm(Schema):
    """Somebody has to agree before the next step. Without names, whoever may run executions."""

    message: SafeText = ""
    user_ids: Annotated[list[Id], Field(max_length=100)] = Field(default_factory=list)
    roles: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=20)] = Field(
        default_factory=list
    )
    expires_seconds: Annotated[int, Field(ge=10, le=30 * 86_400)] = 86_400


class StepIn(Schema):
    """One step. Times are in seconds; `timeout` is kept on the host's monotonic clock.

    After a failure that is not ignored, the step named by `on_failure` runs (a step with
    `is_handler`, which runs only then), and the execution ends. `retries` follow a failed or timed
    out attempt whose end the agent has signed, never a lost one.
    """

    name: Name
    kind: Choice[StepKind] = StepKind.SCRIPT
    script_content: ScriptText | None = None
    script_type: Choice[ScriptType] = ScriptType.SHELL
    args: Annotated[
        list[Argument],
        Field(max_length=1_000, validation_alias=AliasChoices("args", "positional_args")),
    ] = Field(default_factory=list)
    env: Environment = Field(default_factory=dict)
    run_as: Account | None = None
    cwd: Directory | None = None
    timeout: Annotated[int, Field(ge=1, le=86_400)] = 300
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    retry_delay_seconds: Annotated[int, Field(ge=0, le=3_600)] = 0
    ignore_error: bool = False
    success_codes: Annotated[
        list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1, max_length=256)
    ] = Field(default_factory=lambda: [0])
    condition: Condition | None = None
    on_failure: Name | None = None
    is_handler: bool = False
    target_host_ids: HostIds | None = None
    target_group_ids: GroupIds | None = None
    hosts_of: HostsOf | None = None
    confirm: Confirm | None = None
    file: FilePush | FileCollect | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        wanted = {
            StepKind.SCRIPT: self.script_content is not None,
            StepKind.CONFIRM: self.confirm is not None,
            StepKind.PUSH: isinstance(self.file, FilePush),
            StepKind.COLLECT: isinstance(self.file, FileCollect),
        }
        if not wanted[self.kind]:
            raise ValueError(f"a step of the kind {self.kind} needs its {_NEEDS[self.kind]}")
        given = {"script_content", "confirm", "file"} & {
            name for name in self.model_fields_set if getattr(self, name) is not None
        }
        if given - {_NEEDS[self.kind]}:
            raise ValueError(f"a step of the kind {self.kind} has no {min(given)}")
        named = [self.target_host_ids, self.target_group_ids, self.hosts_of]
        if self.hosts_of is not None and len([one for one in named if one is not None]) > 1:
            raise ValueError("give either hosts_of or hosts and groups")
        if self.kind == StepKind.CONFIRM and any(one is not None for one in named):
            raise ValueError("a confirmation runs on no host")
        conditions_in(self.condition)
        return self


_NEEDS = {
    StepKind.SCRIPT: "script_content",
    StepKind.CONFIRM: "confirm",
    StepKind.PUSH: "file",
    StepKind.COLLECT: "file",
}


# ---- strategy --------------------------------------------------------------------------------


class FailureThreshold(Schema):
    """How many failed hosts of a step are tolerated, as a number or in percent of its hosts.

    One more stops the step (what has not started is skipped), pauses the execution, or is ignored.
    A step whose failures are tolerated counts as a success.
    """

    hosts: Annotated[int, Field(ge=0, le=MAX_HOSTS)] | None = None
    percent: Annotated[float, Field(ge=0, le=100, strict=False)] | None = None
    action: Literal["stop", "pause", "ignore"] = "stop"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.hosts is None) == (self.percent is None):
            raise ValueError("give either hosts or percent")
        return self


def _between(value: object) -> object:
    return {True: "each", False: "none"}.get(value, value) if isinstance(value, bool) else value


class StrategyIn(Schema):
    """How the hosts of each step follow each other.

    Rolling goes in `batches`, the last size again and again: `["1", "10", "50%"]`; `batch_size` and
    `batch_percent` are short for one size. Serial is rolling by one. `canary` puts a first batch in
    front and asks before the rest. Serial, rolling and canary stop after a failed host unless
    `failure_threshold` says otherwise. `concurrency` is how many hosts of the execution may be at
    work at once.
    """

    mode: Choice[Mode] = Mode.PARALLEL
    concurrency: Annotated[int, Field(ge=1, le=1_000)] | None = None
    batches: (
        Annotated[
            list[Annotated[str, Field(pattern=r"^([1-9][0-9]{0,4}|([1-9][0-9]?|100)%)$")]],
            Field(min_length=1, max_length=50),
        ]
        | None
    ) = None
    batch_size: Annotated[int, Field(ge=1, le=MAX_HOSTS)] | None = None
    batch_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    batch_delay_seconds: Annotated[float, Field(ge=0, le=86_400, strict=False)] = 0
    confirm_between: Annotated[
        Literal["none", "first", "each"] | None,
        BeforeValidator(_between, json_schema_input_type=Literal["none", "first", "each"] | bool),
    ] = None
    canary: Annotated[int, Field(ge=1, le=MAX_HOSTS)] | None = None
    order: Choice[HostOrder] = HostOrder.REQUEST
    ranks: Annotated[
        dict[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}$")], Annotated[int, Field(ge=0)]],
        Field(max_length=MAX_HOSTS),
    ] = Field(default_factory=dict)
    """By host id, lower ones first; hosts without a rank come last."""
    failure_threshold: FailureThreshold | None = None

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        given = [self.batches, self.batch_size, self.batch_percent]
        count = len([one for one in given if one is not None])
        if self.mode == Mode.ROLLING and count != 1:
            raise ValueError("rolling needs one of batches, batch_size and batch_percent")
        if self.mode != Mode.ROLLING and count:
            raise ValueError("only rolling has batches")
        if self.ranks and self.order != HostOrder.RANK:
            raise ValueError("ranks need the order rank")
        return self

    def strategy(self) -> Strategy:
        """What the engine keeps of it."""
        sizes = tuple(self.batches or ())
        if self.mode == Mode.SERIAL:
            sizes = ("1",)
        elif self.batch_size is not None:
            sizes = (str(self.batch_size),)
        elif self.batch_percent is not None:
            sizes = (f"{self.batch_percent}%",)
        if self.canary is not None:
            sizes = (str(self.canary), *(sizes or ("100%",)))
        default = Threshold("stop", hosts=0, explicit=False) if sizes else None
        given = self.failure_threshold
        return Strategy(
            mode=str(self.mode),
            concurrency=self.concurrency,
            batches=sizes,
            batch_delay_seconds=self.batch_delay_seconds,
            confirm_between=self.confirm_between or ("first" if self.canary else "none"),
            threshold=Threshold(given.action, given.hosts, given.percent) if given else default,
        )


# ---- executions ------------------------------------------------------------------------------


class ExecutionIn(Schema):
    """An execution of one or many steps. Priority 1 goes first, 9 last."""

    name: Name | None = None
    description: SafeText | None = None
    steps: Annotated[list[StepIn], Field(min_length=1, max_length=MAX_STEPS)]
    target_host_ids: HostIds | None = None
    target_group_ids: GroupIds | None = None
    strategy: StrategyIn = Field(default_factory=StrategyIn)
    variables: VariablesIn = Field(default_factory=dict)
    priority: Priority = 5
    not_after_seconds: StartSeconds | None = None
    """How long a task waits for an absent or busy host, from when it may start; then it expires."""
    confirmed_host_count: ConfirmedCount = None
    """On how many hosts it runs, in all steps together; 409 `count_unconfirmed` if that is wrong,
    or if it is missing and there are more than an installation lets go unconfirmed."""

    @model_validator(mode="after")
    def _references(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names):
            raise ValueError("each step needs a name of its own")
        handlers = {step.name for step in self.steps if step.is_handler}
        if len(handlers) == len(names):
            raise ValueError("a handler runs only after a failure; add a step that is none")
        for place, step in enumerate(self.steps):
            # A handler runs after all others may have, a step after those above it.
            known = set(names) - {step.name} if step.is_handler else set(names[:place]) - handlers
            _check_references(step, known, handlers)
        unused = handlers - {step.on_failure for step in self.steps}
        if unused:
            raise ValueError(f"no step names the handler {min(unused)} in on_failure")
        return self


def _check_references(step: StepIn, known: set[str], handlers: set[str]) -> None:
    if step.on_failure is not None and (step.is_handler or step.on_failure not in handlers):
        raise ValueError(f"on_failure of {step.name} must name a step with is_handler")
    if step.hosts_of is not None and step.hosts_of.step not in known:
        raise ValueError(f"hosts_of of {step.name} must name a step above it")
    for condition in conditions_in(step.condition):
        if isinstance(condition, StepIs) and condition.step not in known:
            raise ValueError(f"the condition of {step.name} must name steps above it")


class Accepted(Row):
    """The execution is stored and will run, whatever happens next."""

    execution_id: str
    id: str
    status: str
    task_count: int
    created: bool
    findings: list[FindingOut] = Field(default_factory=list)
    approvals: list[ConsentOut] = Field(default_factory=list)
    """What it waits for before anything starts."""


class HostPreview(Row):
    """How a host stands before the run: ready, offline (its tasks wait), disabled or no_agent."""

    host_id: int
    name: str
    ip_address: str
    state: str
    waits_until_seconds: int | None


class StepPreview(Row):
    """A step and on how many hosts it would run."""

    name: str
    kind: StepKind
    script: str | None
    host_count: int | None


class Preview(Row):
    """What an execution would do; nothing of it is stored."""

    hosts: list[HostPreview]
    batches: list[list[int]]
    steps: list[StepPreview]
    warnings: list[str]
    findings: list[FindingOut] = Field(default_factory=list)

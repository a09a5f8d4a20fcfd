"""What a person sends to run a script at once."""

from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from libs.kit.service import Choice, Schema
from libs.kit.text import Name
from services.execution.domain import ScriptType
from services.execution.plans.domain import Mode
from services.execution.plans.schemas import (
    Account,
    Argument,
    ConfirmedCount,
    Directory,
    Environment,
    ExecutionIn,
    FailureThreshold,
    GroupIds,
    HostIds,
    Priority,
    ScriptText,
    StartSeconds,
    StepIn,
    StrategyIn,
)
from services.execution.variables.schemas import VariablesIn


class ScriptRun(Schema):
    """A script, how to run it and on which hosts.

    `strategy` says everything about the order of hosts; the `execution_mode` and `rolling_` fields
    are its short form: batches of a percentage, which stop to ask after a failed host
    (`fail_pause`) or go on (`ignore_error`).
    """

    script_content: ScriptText
    script_type: Choice[ScriptType] = ScriptType.SHELL
    target_host_ids: HostIds = Field(default_factory=list)
    target_group_ids: GroupIds = Field(default_factory=list)
    timeout: Annotated[int, Field(ge=1, le=86_400)] = 300
    """Seconds that the script may run on a host, on the host's monotonic clock."""
    name: Name | None = None
    args: Annotated[
        list[Argument],
        Field(max_length=1_000, validation_alias=AliasChoices("args", "positional_args")),
    ] = Field(default_factory=list)
    env: Environment = Field(default_factory=dict)
    run_as: Annotated[Account | None, Field(validation_alias=AliasChoices("run_as", "account"))] = (
        None
    )
    cwd: Directory | None = None
    not_after_seconds: StartSeconds | None = None
    """How long a task waits for an absent or busy host before it expires."""
    strategy: StrategyIn | None = None
    execution_mode: Choice[Mode] = Mode.PARALLEL
    rolling_strategy: Literal["fail_pause", "ignore_error"] = "fail_pause"
    rolling_batch_size: Annotated[int, Field(ge=1, le=100)] = 20
    """Percent of the hosts."""
    rolling_batch_delay: Annotated[float, Field(ge=0, le=86_400, strict=False)] = 0
    variables: Annotated[
        VariablesIn, Field(validation_alias=AliasChoices("variables", "global_variables"))
    ] = Field(default_factory=dict)
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    retry_delay_seconds: Annotated[int, Field(ge=0, le=3_600)] = 0
    success_codes: Annotated[
        list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1, max_length=256)
    ] = Field(default_factory=lambda: [0])
    ignore_error: bool = False
    priority: Priority = 5
    confirmed_host_count: ConfirmedCount = None
    """On how many hosts it runs; see an execution of many steps."""

    @model_validator(mode="after")
    def _one_strategy(self) -> Self:
        short = {name for name in self.model_fields_set if name.startswith("rolling_")}
        if self.strategy is not None and (short or "execution_mode" in self.model_fields_set):
            raise ValueError("give either strategy or execution_mode and the rolling fields")
        if short and self.execution_mode != Mode.ROLLING:
            raise ValueError("the rolling fields need the execution_mode rolling")
        return self

    def execution(self) -> ExecutionIn:
        """The same as an execution of one step."""
        name = self.name or f"Quick {self.script_type} script"
        step = StepIn(
            name=name,
            script_content=self.script_content,
            script_type=self.script_type,
            args=self.args,
            env=self.env,
            run_as=self.run_as,
            cwd=self.cwd,
            timeout=self.timeout,
            retries=self.retries,
            retry_delay_seconds=self.retry_delay_seconds,
            success_codes=self.success_codes,
            ignore_error=self.ignore_error,
        )
        return ExecutionIn(
            name=name,
            steps=[step],
            target_host_ids=self.target_host_ids or None,
            target_group_ids=self.target_group_ids or None,
            strategy=self.strategy or self._short_strategy(),
            variables=self.variables,
            priority=self.priority,
            not_after_seconds=self.not_after_seconds,
            confirmed_host_count=self.confirmed_host_count,
        )

    def _short_strategy(self) -> StrategyIn:
        if self.execution_mode != Mode.ROLLING:
            return StrategyIn(mode=self.execution_mode)
        action: Literal["pause", "ignore"] = (
            "pause" if self.rolling_strategy == "fail_pause" else "ignore"
        )
        return StrategyIn(
            mode=Mode.ROLLING,
            batch_percent=self.rolling_batch_size,
            batch_delay_seconds=self.rolling_batch_delay,
            failure_threshold=FailureThreshold(hosts=0, action=action),
        )

"""What a person sends to move files at once, as JSON or as a form with the files in it."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, StringConstraints, model_validator

from libs.kit.service import Choice, Schema
from libs.kit.text import Name
from services.execution.domain import StepKind
from services.execution.files.domain import Overwrite
from services.execution.files.schemas import (
    Account,
    FileCollect,
    FileId,
    FileMode,
    FilePush,
    FileSource,
    HostPath,
    Megabytes,
    RelativeName,
)
from services.execution.plans.domain import Mode
from services.execution.plans.schemas import Account as Login
from services.execution.plans.schemas import (
    ConfirmedCount,
    ExecutionIn,
    FailureThreshold,
    GroupIds,
    HostIds,
    Id,
    Priority,
    StartSeconds,
    StepIn,
    StrategyIn,
)
from services.execution.variables.schemas import VariablesIn

MAX_SOURCES = 100


class Rollout(Schema):
    """On which hosts, as whom, in which order; as for a script."""

    name: Name | None = None
    target_host_ids: HostIds = Field(default_factory=list)
    target_group_ids: GroupIds = Field(default_factory=list)
    timeout: Annotated[int, Field(ge=1, le=86_400)] = 3_600
    """Seconds that the transfer may take on a host."""
    run_as: Annotated[Login | None, Field(validation_alias=AliasChoices("run_as", "account"))] = (
        None
    )
    not_after_seconds: StartSeconds | None = None
    strategy: StrategyIn | None = None
    execution_mode: Choice[Mode] = Mode.PARALLEL
    rolling_strategy: Literal["fail_pause", "ignore_error"] = "fail_pause"
    rolling_batch_size: Annotated[int, Field(ge=1, le=100)] = 20
    rolling_batch_delay: Annotated[float, Field(ge=0, le=86_400, strict=False)] = 0
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    retry_delay_seconds: Annotated[int, Field(ge=0, le=3_600)] = 0
    ignore_error: bool = False
    variables: Annotated[
        VariablesIn, Field(validation_alias=AliasChoices("variables", "global_variables"))
    ] = Field(default_factory=dict)
    priority: Priority = 5
    confirmed_host_count: ConfirmedCount = None
    """On how many hosts it runs, those included that files come from."""
    bandwidth_limit: Megabytes | None = None
    """Megabytes (1,000,000 bytes) per second for each host."""
    total_bandwidth_limit: Megabytes | None = None
    """Megabytes per second for all hosts together."""

    def _chosen_strategy(self) -> StrategyIn:
        if self.strategy is not None:
            return self.strategy
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

    def _execution(self, name: str, steps: list[StepIn]) -> ExecutionIn:
        return ExecutionIn(
            name=self.name or name,
            steps=steps,
            target_host_ids=self.target_host_ids or None,
            target_group_ids=self.target_group_ids or None,
            strategy=self._chosen_strategy(),
            variables=self.variables,
            priority=self.priority,
            not_after_seconds=self.not_after_seconds,
            confirmed_host_count=self.confirmed_host_count,
        )


class TransferSource(Schema):
    """A file of the library, a part of this form, or a path on a host.

    What comes from a host is always put below `remote_path` as a folder.
    """

    type: Literal["artifact", "local", "server"] = "artifact"
    artifact_id: FileId | None = None
    file_field: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    host_id: Annotated[
        Id | None, Field(validation_alias=AliasChoices("host_id", "source_server_host"))
    ] = None
    path: Annotated[
        HostPath | None, Field(validation_alias=AliasChoices("path", "source_server_path"))
    ] = None
    excludes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=1024)]],
        Field(max_length=100),
    ] = Field(default_factory=list)
    name: RelativeName | None = None
    remote_path: HostPath | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = {
            "artifact": self.artifact_id is not None,
            "local": self.file_field is not None,
            "server": self.host_id is not None and self.path is not None,
        }
        if not given[self.type]:
            needs = {"artifact": "artifact_id", "local": "file_field", "server": "host_id and path"}
            raise ValueError(f"a source of the type {self.type} needs {needs[self.type]}")
        return self


class TransferRun(Rollout):
    """Files to send: ids of uploaded files, parts of this form, or paths on other hosts.

    `remote_path` is the target; with a slash at its end, or for several files, it is a folder. It
    may name `${DATE}`, `${HOST}`, `${IP}` and others (see a push step) and variables.
    """

    remote_path: HostPath
    artifact_ids: Annotated[list[FileId], Field(max_length=MAX_SOURCES)] = Field(
        default_factory=list
    )
    sources: Annotated[list[TransferSource], Field(max_length=MAX_SOURCES)] = Field(
        default_factory=list
    )
    overwrite_policy: Choice[Overwrite] = Overwrite.OVERWRITE
    transfer_mode: Literal["upload", "push", "overwrite", "skip", "backup", "fail"] | None = None
    """An older name of `overwrite_policy`; `upload` and `push` say nothing beyond the address."""
    mode: FileMode | None = None
    folder_mode: FileMode | None = None
    owner: Account | None = None
    group: Account | None = None
    local_path: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """The name of the one file on the caller's machine; the file itself comes as a part of a form
    or was uploaded before. The platform never reads a path of its own that somebody names."""

    @model_validator(mode="after")
    def _something_to_send(self) -> Self:
        if not self.artifact_ids and not self.sources:
            raise ValueError(
                "nothing to send: upload files first and give artifact_ids, or send them in a form"
            )
        return self

    def with_files(self, files: Mapping[str, str]) -> "TransferRun":
        """The same with the form's parts in place; ValueError for a part that did not come."""
        sources = []
        for source in self.sources:
            if source.type == "local":
                if source.file_field is None or source.file_field not in files:
                    raise ValueError(f"the form has no file {source.file_field}")
                changes = {"type": "artifact", "artifact_id": files[source.file_field]}
                source = source.model_copy(update=changes)
            sources.append(source)
        return self.model_copy(update={"sources": sources})

    def execution(self) -> ExecutionIn:
        """The same as an execution: a collect step for each source on a host, then the push."""
        steps: list[StepIn] = []
        sources = [FileSource(artifact_id=one) for one in self.artifact_ids]
        for number, source in enumerate(self.sources, start=1):
            if source.type == "artifact":
                found = FileSource(
                    artifact_id=source.artifact_id,
                    name=source.name,
                    remote_path=source.remote_path,
                )
            else:
                step = self._fetching(f"Fetch {number}", source)
                steps.append(step)
                found = FileSource(step=step.name, remote_path=source.remote_path)
            sources.append(found)
        steps.append(self._sending(sources))
        return self._execution("Quick file transfer", steps)

    def _fetching(self, name: str, source: TransferSource) -> StepIn:
        assert source.host_id is not None
        assert source.path is not None
        collect = FileCollect(
            paths=[source.path], excludes=source.excludes, bandwidth_limit=self.bandwidth_limit
        )
        return StepIn(
            name=name,
            kind=StepKind.COLLECT,
            file=collect,
            target_host_ids=[source.host_id],
            timeout=self.timeout,
            retries=self.retries,
            retry_delay_seconds=self.retry_delay_seconds,
        )

    def _sending(self, sources: list[FileSource]) -> StepIn:
        policy = self.overwrite_policy
        if self.transfer_mode in set(Overwrite):
            policy = Overwrite(self.transfer_mode)
        push = FilePush(
            sources=sources,
            remote_path=self.remote_path,
            overwrite_policy=policy,
            mode=self.mode,
            folder_mode=self.folder_mode,
            owner=self.owner,
            group=self.group,
            bandwidth_limit=self.bandwidth_limit,
            total_bandwidth_limit=self.total_bandwidth_limit,
        )
        return StepIn(
            name="Send",
            kind=StepKind.PUSH,
            file=push,
            run_as=self.run_as,
            timeout=self.timeout,
            retries=self.retries,
            retry_delay_seconds=self.retry_delay_seconds,
            ignore_error=self.ignore_error,
        )


class CollectRun(Rollout):
    """Files to fetch: paths, folders and patterns on hosts; one archive for each host."""

    paths: Annotated[list[HostPath], Field(min_length=1, max_length=100)]
    excludes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=1024)]],
        Field(max_length=100),
    ] = Field(default_factory=list)
    max_files: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    max_bytes: Annotated[int, Field(ge=1, le=2**40)] = 2**30

    def execution(self) -> ExecutionIn:
        """The same as an execution of one step."""
        collect = FileCollect(
            paths=self.paths,
            excludes=self.excludes,
            max_files=self.max_files,
            max_bytes=self.max_bytes,
            bandwidth_limit=self.bandwidth_limit,
            total_bandwidth_limit=self.total_bandwidth_limit,
        )
        step = StepIn(
            name="Collect",
            kind=StepKind.COLLECT,
            file=collect,
            run_as=self.run_as,
            timeout=self.timeout,
            retries=self.retries,
            retry_delay_seconds=self.retry_delay_seconds,
            ignore_error=self.ignore_error,
        )
        return self._execution("Quick file collection", [step])


def inlined(model: type[Schema]) -> dict[str, object]:
    """The JSON schema of a model with all its parts in place, for a body of two media types."""
    document = model.model_json_schema()
    parts = document.pop("$defs", {})

    def opened(value: object, depth: int) -> object:
        if isinstance(value, list):
            return [opened(one, depth) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            name = str(value["$ref"]).rpartition("/")[2]
            return opened(parts[name], depth + 1) if depth < 8 else {"type": "object"}
        return {key: opened(one, depth) for key, one in value.items() if key != "discriminator"}

    found = opened(document, 0)
    assert isinstance(found, dict)
    return found

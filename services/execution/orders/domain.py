"""How a step becomes the order of one task; pure, except for the randomness of sealing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

import msgspec

from services.execution.domain import ScriptType, seal_to_agent
from services.execution.errors import (
    OrderTooLarge,
    SealingKeyMissing,
    SecretSourceUnavailable,
    VariableInvalid,
)
from services.execution.variables.domain import (
    BUILT_IN,
    MAX_VALUE_BYTES,
    Scope,
    Template,
    Value,
    VariableType,
    parse,
    text_value,
)

MAX_ORDER_BYTES: Final = 1_000_000
"""What an offer may have with its envelope within one agent message of 1 MiB."""
MAX_ARGUMENT_BYTES: Final = 128 * 1024 - 1

EXECUTION_ID: Final = f"{BUILT_IN}EXECUTION_ID"
TARGETS: Final = f"{BUILT_IN}TARGETS"
SUCCEEDED: Final = f"{BUILT_IN}HOSTS_SUCCEEDED"
FAILED: Final = f"{BUILT_IN}HOSTS_FAILED"
HOST_LISTS: Final = (TARGETS, SUCCEEDED, FAILED)
"""Built-ins that can be long: a step gets those that its texts name."""


# ---- what is known ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Launched:
    """An execution as the orders of its tasks need it."""

    id: str
    name: str
    user_id: int
    username: str
    created_at: datetime
    is_plain: bool
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class HostState:
    """How a step went on one host."""

    id: int
    name: str
    ip: str
    status: str


class StepTexts(Protocol):
    """A step as its author wrote it."""

    @property
    def name(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def script_type(self) -> str: ...
    @property
    def script(self) -> str: ...
    @property
    def script_sha256(self) -> str: ...
    @property
    def args(self) -> list[str]: ...
    @property
    def env(self) -> dict[str, str]: ...
    @property
    def cwd(self) -> str | None: ...


class TaskFacts(Protocol):
    """A task that is about to be offered."""

    @property
    def id(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def host_id(self) -> int: ...
    @property
    def host_name(self) -> str: ...
    @property
    def ip_address(self) -> str: ...
    @property
    def batch_no(self) -> int: ...
    @property
    def sealing_key(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret with its plain text; lives only while orders are written."""

    plain: str = field(repr=False)
    as_file: bool = False
    is_reference: bool = False
    """Whether `plain` says where the secret lies; it is fetched before orders are written."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The values that all tasks of a step share; see `variables.domain.Scope` for who wins."""

    launch: Mapping[str, Value]
    wide: Mapping[str, Value]
    defaults: Mapping[str, Value]
    lists: Mapping[str, Value]
    """Those of `HOST_LISTS` that the step names."""
    secrets: Mapping[str, Secret]
    stand_in: Value | None = None
    """Taken for names that nobody knows yet, when texts are checked before their execution."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What one task is given; `secrets` are as an order carries them."""

    script: str
    script_sha256: str
    args: list[str]
    env: dict[str, str]
    cwd: str | None
    secrets: list[dict[str, object]]
    passes_on: bool = False
    """Whether the script may set values for later steps."""


# ---- filling in ------------------------------------------------------------------------------


def shared_names(launched: Launched, step: StepTexts) -> dict[str, str]:
    """The platform's own names that are the same for all tasks of a step.

    Times are those of the start of the execution, UTC, so that all hosts agree about them.
    """
    at = launched.created_at
    return {
        EXECUTION_ID: launched.id,
        "OPSJOB_EXECUTION_NAME": launched.name,
        "OPSJOB_EXECUTOR": launched.username,
        "OPSJOB_EXECUTOR_ID": str(launched.user_id),
        "OPSJOB_STARTED_AT": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "OPSJOB_DATE": at.strftime("%Y-%m-%d"),
        "OPSJOB_TIME": at.strftime("%H-%M-%S"),
        "OPSJOB_TIMESTAMP": str(int(at.timestamp())),
        "OPSJOB_STEP": step.name,
        "OPSJOB_STEP_ORDER": str(step.position),
    }


def own_names(task: TaskFacts) -> dict[str, str]:
    """Those that belong to one task and that the agent does not know by itself."""
    return {
        "OPSJOB_HOST_ID": str(task.host_id),
        "OPSJOB_HOST_IP": task.ip_address,
        "OPSJOB_BATCH": str(task.batch_no),
    }


def agents_names(task: TaskFacts) -> dict[str, str]:
    """Those that the agent puts into the environment itself, from the order's own fields."""
    return {
        "OPSJOB_TASK_ID": task.id,
        "OPSJOB_ATTEMPT": str(task.attempt),
        "OPSJOB_HOST": task.host_name,
    }


def named_lists(step: StepTexts) -> list[str]:
    """Which of the long built-ins a step names anywhere in its texts."""
    texts = [step.script, *step.args, *step.env.values(), step.cwd or ""]
    return [name for name in HOST_LISTS if any(name in text for text in texts)]


class Sheet:
    """A step, read once, to be filled in for each of its tasks."""

    def __init__(self, launched: Launched, step: StepTexts, layers: Layers) -> None:
        self._step = step
        self._shared = shared_names(launched, step)
        self._sent = {name: text for name, text in self._shared.items() if name != EXECUTION_ID}
        self._passes_on = not launched.is_plain
        self._layers = layers
        self._language = ScriptType(step.script_type)
        # Cheap first: most scripts have no pair of braces at all.
        self._script = parse(step.script, dollar=False) if "{{" in step.script else None
        self._args = [parse(text) for text in step.args]
        self._env = {name: parse(text) for name, text in step.env.items()}
        self._cwd = parse(step.cwd) if step.cwd else None
        is_fixed = (
            not any((layers.launch, layers.wide, layers.defaults, layers.lists, layers.secrets))
            and not (self._script and self._script.references)
            and not any(template.references for template in self._other_texts())
        )
        self._fixed = self._once_for_all() if is_fixed else None

    @property
    def references(self) -> set[str]:
        """Where secrets lie that have to be fetched first."""
        return {one.plain for one in self._layers.secrets.values() if one.is_reference}

    def fetched(self, values: Mapping[str, str]) -> None:
        """Put fetched secrets in the place of their references."""
        secrets = {
            name: Secret(values[one.plain], one.as_file) if one.is_reference else one
            for name, one in self._layers.secrets.items()
        }
        self._layers = replace(self._layers, secrets=secrets)

    def _once_for_all(self) -> Filled:
        """What every task of a step without references is given, but for its own names."""
        env = {name: template.render(_none) for name, template in self._env.items()}
        return Filled(
            *self._same_or_new(self._script.render(_none) if self._script else None),
            [template.render(_none) for template in self._args],
            env | self._sent,
            self._cwd.render(_none) if self._cwd else None,
            [],
            self._passes_on,
        )

    def _other_texts(self) -> list[Template]:
        return [*self._args, *self._env.values(), *([self._cwd] if self._cwd else [])]

    def scope(self, task: TaskFacts, of_host: Mapping[str, str]) -> Scope:
        """Which value each name has for a task, for texts that are no script: paths of files."""
        layers, names = self._layers, self._names(task)
        return Scope(
            {name: text_value(text) for name, text in names.items()} | dict(layers.lists),
            layers.launch,
            {name: text_value(text) for name, text in of_host.items()},
            layers.wide,
            layers.defaults,
            stand_in=layers.stand_in,
        )

    def _names(self, task: TaskFacts) -> dict[str, str]:
        return self._shared | own_names(task) | agents_names(task)

    def fill(self, task: TaskFacts, of_host: Mapping[str, str]) -> Filled:
        """The order of a task, with what earlier steps left for its host.

        Raises an Invalid or Conflict of `services.execution.errors` when a text cannot be filled
        in, with a code that becomes the reason of the task.
        """
        if self.references:
            raise SecretSourceUnavailable
        if self._fixed is not None and not of_host:
            same = self._fixed
            env = same.env | own_names(task)
            return Filled(
                same.script, same.script_sha256, same.args, env, same.cwd, [], same.passes_on
            )
        scope = self.scope(task, of_host)
        env, secrets = self._environment(scope)
        filled = Filled(
            *self._same_or_new(self._script_in(scope)),
            [scope.text(template) for template in self._args],
            env | self._sent | own_names(task),
            self._directory_in(scope),
            [_sealed(name, secret, task) for name, secret in secrets.items()],
            self._passes_on,
        )
        _check_size(filled)
        return filled

    def show(self, task: TaskFacts, of_host: Mapping[str, str]) -> Filled:
        """The order of a task for people: nothing is sealed, secrets are what the layers hold."""
        scope = self.scope(task, of_host)
        env, secrets = self._environment(scope)
        return Filled(
            *self._same_or_new(self._script_in(scope)),
            [scope.text(template) for template in self._args],
            env | self._names(task) | {name: secret.plain for name, secret in secrets.items()},
            self._directory_in(scope),
            [],
        )

    def check(self, task: TaskFacts) -> Filled:
        """The order of a task that does not exist yet; raises what `fill` would, but seals not."""
        scope = self.scope(task, {})
        env, _ = self._environment(scope)
        args, cwd = [scope.text(template) for template in self._args], self._directory_in(scope)
        script, sha256 = self._same_or_new(self._script_in(scope))
        filled = Filled(script, sha256, args, env, cwd, [])
        _check_size(filled)
        return filled

    def _script_in(self, scope: Scope) -> str | None:
        return scope.script(self._script, self._language) if self._script else None

    def _directory_in(self, scope: Scope) -> str | None:
        path = scope.text(self._cwd) if self._cwd else None
        if path is not None and (
            not path.startswith("/") or ".." in path.split("/") or len(path) > 4_096
        ):
            raise VariableInvalid(
                "The working folder is no absolute path without .. once its variables are known.",
                zh="代入变量后，工作目录不是不含 .. 的绝对路径。",
                field="cwd",
            )
        return path

    def _environment(self, scope: Scope) -> tuple[dict[str, str], dict[str, Secret]]:
        """All variables as environment, then what the step sets itself, which is stronger."""
        merged = scope.merged()
        env = {
            name: value.text
            for name, value in merged.items()
            if value.type != VariableType.SECRET
            and (not name.startswith(BUILT_IN) or name in HOST_LISTS)
        }
        secrets = dict(self._layers.secrets)
        plain = {n: Value(VariableType.SECRET, secret.plain) for n, secret in secrets.items()}
        opened = Scope(plain, merged, stand_in=self._layers.stand_in)
        for name, template in self._env.items():
            text, has_secret = opened.secret_text(template)
            env.pop(name, None)
            secrets.pop(name, None)
            if has_secret:
                secrets[name] = Secret(text)
            else:
                env[name] = text
        return env, secrets

    def _same_or_new(self, script: str | None) -> tuple[str, str]:
        """A script with its SHA-256; None stands for the step's own, byte for byte."""
        if script is None or script == self._step.script:
            return self._step.script, self._step.script_sha256
        return script, hashlib.sha256(script.encode()).hexdigest()


def _none(_reference: object) -> str:
    return ""  # only for texts without references


def _sealed(name: str, secret: Secret, task: TaskFacts) -> dict[str, object]:
    if task.sealing_key is None:
        raise SealingKeyMissing(host_id=task.host_id)
    sealed = seal_to_agent(
        secret.plain, task.sealing_key, task_id=task.id, attempt=task.attempt, name=name
    )
    shape: dict[str, object] = {"name": name, "sealed": sealed}
    return shape | {"as_file": True} if secret.as_file else shape


def _check_size(filled: Filled) -> None:
    longest_argument = max((len(arg.encode()) for arg in filled.args), default=0)
    longest_value = max((len(value.encode()) for value in filled.env.values()), default=0)
    size = len(
        msgspec.json.encode([filled.script, filled.args, filled.env, filled.secrets, filled.cwd])
    )
    if (
        size > MAX_ORDER_BYTES
        or longest_argument > MAX_ARGUMENT_BYTES
        or longest_value > MAX_VALUE_BYTES
    ):
        raise OrderTooLarge(bytes=size, limit=MAX_ORDER_BYTES)

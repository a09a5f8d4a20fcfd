"""What a person sends to run a script at once."""

import re
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from libs.kit.service import Choice, Row, Schema
from libs.kit.text import Name
from services.execution.domain import ScriptType

MAX_SCRIPT_BYTES = 512 * 1024
MAX_ARGUMENT_BYTES = 128 * 1024 - 1
"""What Linux accepts as one argument or environment string (MAX_ARG_STRLEN), execve(2)."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_RESERVED = re.compile(
    r"(LD_|PYTHON|PERL|NODE_|RUBY|OPSJOB_|BASH_|GO)"
    r"|(PATH|IFS|ENV|PS4|SHELLOPTS|GCONV_PATH|PROMPT_COMMAND|HOME|USER|LOGNAME|SHELL)\Z"
)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")


def _argument(value: str) -> str:
    if len(value.encode()) > MAX_ARGUMENT_BYTES:
        raise ValueError(f"must have at most {MAX_ARGUMENT_BYTES} bytes")
    return value


def _variables(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if not _VARIABLE.match(name):
            raise ValueError("variable names consist of letters, digits and underscores")
        if _RESERVED.match(name):
            raise ValueError(f"the variable {name} would change how programs start; choose another")
    return value


def _account(value: str) -> str:
    if not _ACCOUNT.match(value):
        raise ValueError("must be the name of an account: letters, digits, dot, dash, underscore")
    return value


def _script(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if len(value.encode()) > MAX_SCRIPT_BYTES:
        raise ValueError(f"must have at most {MAX_SCRIPT_BYTES} bytes")
    return value


def _directory(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/"):
        raise ValueError("must be an absolute path without ..")
    return value


Argument = Annotated[str, AfterValidator(_argument)]
Directory = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_directory)]
HostId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ScriptRun(Schema):
    """A script, how to run it and on which hosts."""

    script_content: Annotated[str, AfterValidator(_script)]
    script_type: Choice[ScriptType] = ScriptType.SHELL
    target_host_ids: Annotated[list[HostId], Field(max_length=20_000)]
    timeout: Annotated[int, Field(ge=1, le=86_400)] = 300
    """Seconds that the script may run on a host, on the host's monotonic clock."""
    name: Name | None = None
    args: Annotated[
        list[Argument],
        Field(max_length=1_000, validation_alias=AliasChoices("args", "positional_args")),
    ] = Field(default_factory=list)
    env: Annotated[dict[str, Argument], Field(max_length=200), AfterValidator(_variables)] = Field(
        default_factory=dict
    )
    run_as: Annotated[str, AfterValidator(_account)] | None = None
    cwd: Directory | None = None
    not_after_seconds: Annotated[int, Field(ge=21, le=7 * 86_400)] | None = None
    """How long a task waits for an absent or busy host before it expires."""


class Accepted(Row):
    """The execution is stored and will run, whatever happens next."""

    execution_id: str
    id: str
    status: str
    task_count: int
    created: bool

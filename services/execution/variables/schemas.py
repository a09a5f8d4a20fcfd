"""Variables as people send them, as an execution keeps them, and as the API shows them."""

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from libs.kit.service import Choice, Row, Schema
from libs.kit.text import SafeText, storable
from services.execution.references.domain import MAX_REFERENCE, parse
from services.execution.variables.domain import (
    MAX_VALUE_BYTES,
    NamedHost,
    Value,
    VariableType,
    hosts_value,
    wrong_name,
)

MAX_VARIABLES = 100
MAX_SECRET_BYTES = 32 * 1024
MAX_HOSTS = 5_000

HostId = Annotated[int, Field(ge=1, le=2**31 - 1)]
Given = str | int | float | bool | list[HostId]


class Level(StrEnum):
    """Where a value came from; it decides who wins."""

    LAUNCH = "launch"
    """Given for this execution; stronger than anything that steps leave."""
    DEFAULT = "default"
    """What counts while nobody says otherwise."""


class VariableIn(Schema):
    """A typed variable. `value` is for this execution; `default` yields to what steps pass on.

    A text may be anything without NUL, a number a finite JSON number or its text, a choice one of
    `choices`, a host list ids of hosts, a secret any text; with `as_file` the script finds the
    path of a private file in `<NAME>_FILE` instead of the secret itself. A secret may be referred
    to instead of given: `env:NAME`, `file:/path` or `vault:mount/path#field`; it is fetched when a
    task is offered and never stored.
    """

    type: Choice[VariableType] = VariableType.TEXT
    value: Given | None = Field(default=None, repr=False)
    default: Given | None = Field(default=None, repr=False)
    reference: Annotated[str, Field(max_length=MAX_REFERENCE)] | None = None
    choices: Annotated[list[SafeText], Field(min_length=1, max_length=100)] | None = None
    required: bool = False
    as_file: bool = False
    description: SafeText | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == VariableType.CHOICE) != (self.choices is not None):
            raise ValueError("a choice, and only a choice, has choices")
        if self.as_file and self.type != VariableType.SECRET:
            raise ValueError("only a secret can be a file")
        if self.type == VariableType.SECRET and self.default is not None:
            raise ValueError("a secret has no default; it is given for each execution")
        _check_reference(self)
        if self.given is None and self.reference is None and self.required:
            raise ValueError("a value is required")
        for given in (self.value, self.default):
            if given is not None:
                _CHECKS[self.type](given, self)
        return self

    @property
    def given(self) -> Given | None:
        """The value, or else the default."""
        return self.value if self.value is not None else self.default

    @property
    def level(self) -> Level:
        """Where the value comes from."""
        is_given = self.value is not None or self.reference is not None
        return Level.LAUNCH if is_given else Level.DEFAULT

    @property
    def host_ids(self) -> list[int]:
        """The hosts of a host list."""
        return self.given if isinstance(self.given, list) else []

    @property
    def text(self) -> str:
        """The value as scripts see it; a host list gets its text once its hosts are known."""
        given = self.given
        if given is None or isinstance(given, list):
            return ""
        return _text(given).strip() if self.type == VariableType.NUMBER else _text(given)


def _text(given: Given) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def _check_reference(of: VariableIn) -> None:
    if of.reference is None:
        return
    if of.type != VariableType.SECRET or of.value is not None:
        raise ValueError("only a secret is referred to, and then it has no value")
    parse(of.reference)


def _check_text(given: Given, _of: VariableIn) -> None:
    if isinstance(given, list):
        raise ValueError("must be a text, not a list")
    if len(storable(_text(given)).encode()) > MAX_VALUE_BYTES:
        raise ValueError(f"must have at most {MAX_VALUE_BYTES} bytes")


def _check_number(given: Given, _of: VariableIn) -> None:
    if isinstance(given, bool | list):
        raise ValueError("must be a number")
    try:
        number = float(given)
    except (ValueError, OverflowError):
        raise ValueError("must be a number") from None
    if not math.isfinite(number) or len(str(given)) > 100 or "_" in str(given):
        raise ValueError("must be a number")


def _check_choice(given: Given, of: VariableIn) -> None:
    if given not in (of.choices or ()) or not isinstance(given, str):
        raise ValueError("must be one of the choices")


def _check_secret(given: Given, _of: VariableIn) -> None:
    if not isinstance(given, str) or not given:
        raise ValueError("must be a text that is not empty")
    if len(storable(given).encode()) > MAX_SECRET_BYTES:
        raise ValueError(f"must have at most {MAX_SECRET_BYTES} bytes")


def _check_hosts(given: Given, _of: VariableIn) -> None:
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_HOSTS:
        raise ValueError(f"must be a list of 1 to {MAX_HOSTS} ids of hosts")
    if len(set(given)) != len(given):
        raise ValueError("must name each host once")


_CHECKS = {
    VariableType.TEXT: _check_text,
    VariableType.NUMBER: _check_number,
    VariableType.CHOICE: _check_choice,
    VariableType.SECRET: _check_secret,
    VariableType.HOST_LIST: _check_hosts,
}


def _typed(given: object) -> object:
    """A bare value gets the type that it looks like: text, number or host list."""
    if given is None or isinstance(given, Mapping | VariableIn):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float | list):
        return {"type": "text", "value": given}
    return {"type": "host_list" if isinstance(given, list) else "number", "value": given}


def _named(variables: dict[str, VariableIn]) -> dict[str, VariableIn]:
    for name in variables:
        why = wrong_name(name)
        if why is not None:
            raise ValueError(why)
    return variables


VariablesIn = Annotated[
    dict[
        str,
        Annotated[VariableIn, BeforeValidator(_typed, json_schema_input_type=VariableIn | Given)],
    ],
    Field(max_length=MAX_VARIABLES),
    AfterValidator(_named),
]
"""Variables by name, each a bare value or an object with its type."""


class Kept(Row):
    """A variable in the row of its execution; of a secret it says only that there is one."""

    type: VariableType
    level: Level
    text: str | None = None
    hosts: list[NamedHost] | None = None
    choices: list[str] | None = None
    as_file: bool = False
    reference: str | None = None
    """Where a secret lies that is not stored here."""
    description: str | None = None

    @property
    def value(self) -> Value:
        """What the name stands for; a secret without its text."""
        if self.hosts is not None:
            return hosts_value(self.hosts)
        return Value(self.type, self.text or "")


class VariableOut(Row):
    """A variable as everybody who may read the execution sees it; a secret says only that it is.

    `source` is launch, default, step (passed on for the whole execution) or built_in.
    """

    name: str
    type: VariableType
    source: str
    value: str | None
    is_secret: bool
    reference: str | None = None
    step: str | None = None
    host_ids: list[int] | None = None
    choices: list[str] | None = None
    description: str | None = None

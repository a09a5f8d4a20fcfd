"""Variables as they are sent: each type takes what fits and says what does not."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.execution.variables.schemas import VariableIn, VariablesIn
from services.execution.variables.service import freeze, shown

VARIABLES: TypeAdapter[dict[str, VariableIn]] = TypeAdapter(VariablesIn)


def read(**variables: object) -> dict[str, VariableIn]:
    return VARIABLES.validate_python(variables)


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ("hello", "text", "hello"),
        ("", "text", ""),
        (5, "number", "5"),
        (1.5, "number", "1.5"),
        (True, "text", "true"),
        ({"value": "x"}, "text", "x"),
        ({"type": "number", "value": " 12 "}, "number", "12"),
        ({"type": "choice", "value": "b", "choices": ["a", "b"]}, "choice", "b"),
        ({"type": "secret", "value": "hunter2"}, "secret", "hunter2"),
        ({"default": "x"}, "text", "x"),
        ({"type": "text"}, "text", ""),
        ([1, 2], "host_list", ""),
    ],
)
def test_a_value_has_a_type_and_a_text(given: object, kind: str, text: str) -> None:
    variable = read(A=given)["A"]

    assert (variable.type, variable.text) == (kind, text)


@pytest.mark.parametrize(
    "given",
    [
        {"type": "number", "value": "many"},
        {"type": "number", "value": "nan"},
        {"type": "number", "value": "1_000"},
        {"type": "number", "value": True},
        {"type": "number", "value": float("inf")},
        {"type": "choice", "value": "c", "choices": ["a", "b"]},
        {"type": "choice", "value": "a"},
        {"type": "text", "value": "a", "choices": ["a"]},
        {"type": "secret", "value": ""},
        {"type": "secret", "value": 12345678},
        {"type": "secret", "default": "hunter2"},
        {"type": "text", "value": "a", "as_file": True},
        {"type": "host_list", "value": []},
        {"type": "host_list", "value": [1, 1]},
        {"type": "host_list", "value": "1"},
        {"type": "text", "required": True},
        {"type": "tuple", "value": "a"},
        {"value": "a\0b"},
        {"value": "\ud800"},
        {"value": "x" * 200_000},
        {"value": {"a": 1}},
        {"valeu": "a"},
        None,
        [True],
        ["a"],
    ],
)
def test_what_does_not_fit_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        read(A=given)


@pytest.mark.parametrize("name", ["PATH", "OPSJOB_HOST", "1A", "A-B", "LD_PRELOAD", ""])
def test_reserved_and_odd_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        VARIABLES.validate_python({name: "x"})


def test_a_secret_is_frozen_apart_from_everything_that_is_shown() -> None:
    frozen = freeze(read(PASSWORD={"type": "secret", "value": "hunter2hunter2"}, A="plain"))

    assert frozen.secrets == {"PASSWORD": "hunter2hunter2"}
    assert "hunter2" not in repr(frozen)
    assert "hunter2" not in str(frozen.kept)
    out: dict[str, dict[str, Any]] = {one.name: one.model_dump() for one in shown(frozen.kept)}
    assert out["PASSWORD"]["is_secret"] is True
    assert out["PASSWORD"]["value"] is None
    assert out["A"]["value"] == "plain"


def test_a_bad_secret_is_not_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        read(PASSWORD={"type": "secret", "value": "hunter2\0hunter2"})

    assert all("hunter2" not in error["msg"] for error in caught.value.errors())

"""The JSON schemas of all facts; a change of the published language is a visible diff.

`UPDATE_SCHEMAS=1 pytest tests/contracts/test_facts.py` writes the files anew.
"""

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.kit.events import Event

CONTRACTS = Path(__file__).parents[2] / "libs" / "contracts"
SCHEMAS = Path(__file__).parent / "schemas"


def contexts() -> list[str]:
    return sorted(file.stem for file in CONTRACTS.glob("*.py") if file.stem != "__init__")


def facts_of(context: str) -> list[type[Event]]:
    """The facts that a module of contracts declares; those with a type of their own."""
    module = importlib.import_module(f"libs.contracts.{context}")
    declared = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Event) and one.__module__ == module.__name__
    ]
    return [fact for fact in declared if "type" in vars(fact)]


def all_facts() -> Iterator[type[Event]]:
    for context in contexts():
        yield from facts_of(context)


@pytest.mark.parametrize("context", contexts())
def test_the_facts_of_a_context_are_as_published(context: str) -> None:
    schemas = {fact.type: fact.model_json_schema() for fact in facts_of(context)}
    text = json.dumps(schemas, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    file = SCHEMAS / f"{context}.json"
    if os.environ.get("UPDATE_SCHEMAS") and schemas:
        file.write_text(text)

    assert (file.read_text() if file.exists() else "{}\n") == text


def test_every_file_belongs_to_a_context() -> None:
    assert {file.stem for file in SCHEMAS.glob("*.json")} <= set(contexts())


def test_a_fact_is_named_after_its_context_and_its_class() -> None:
    for fact in all_facts():
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in fact.__name__).lstrip("_")
        assert fact.type == f"{fact.topic}.{name}"
        assert fact.__module__ == f"libs.contracts.{fact.topic}"


def test_no_two_facts_share_a_type() -> None:
    types = [fact.type for fact in all_facts()]

    assert types
    assert len(types) == len(set(types))


def test_facts_carry_no_secret() -> None:
    words = ("password", "token", "secret", "hash", "key")
    fields = {(fact.__name__, name) for fact in all_facts() for name in fact.model_fields}

    assert not [field for field in fields if any(word in field[1].lower() for word in words)]

"""Writes docs/limits.md from settings, constants, annotations: `-m tests.architecture.limits`."""

import importlib
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

from pydantic_settings import BaseSettings

from gateway.agents.settings import AgentGatewaySettings
from gateway.api.routing import open_door, route_of
from gateway.api.settings import GatewaySettings
from libs.kit.settings import OutboundSettings
from libs.protocol import messages
from libs.protocol.fields import MAX_INTEGER, AtMost, Between, Text
from services.execution.settings import ExecutionSettings
from tests.architecture.bounds import ROWS
from tests.support.tree import REPOSITORY

PAGE = REPOSITORY / "docs/limits.md"
_METHODS = ("get", "post", "put", "patch", "delete")

_HEAD = """# Limits

Everything that comes from outside has a size, and most of it is looked at before it is read. This
page is generated from the code (`make limits`), and a test fails while it is stale. "First" says
that the limit holds before the thing is read or parsed as a whole: more never lies in memory. A
setting is written with its variable and its default.
"""


@dataclass(frozen=True)
class Limit:
    """One row: what is bounded, by which setting or constant, where, and whether before reading."""

    what: str
    source: tuple[type[BaseSettings] | str, str]
    unit: str
    where: str
    is_first: bool

    @property
    def value(self) -> object:
        """What the code says."""
        owner, name = self.source
        if isinstance(owner, str):
            return getattr(importlib.import_module(owner), name)
        return owner.model_fields[name].default

    @property
    def name(self) -> str:
        """The variable of a setting, or the place of a constant."""
        owner, name = self.source
        if isinstance(owner, str):
            return f"{owner}.{name}"
        return f"{owner.model_config['env_prefix']}{name}".upper()


_OWNERS: dict[str, type[BaseSettings]] = {
    "api": GatewaySettings,
    "agents": AgentGatewaySettings,
    "execution": ExecutionSettings,
    "outbound": OutboundSettings,
}


def sections() -> Iterator[tuple[str, list[Limit]]]:
    """Title and rows of each part of the page."""
    for part in ROWS.split("## ")[1:]:
        title, *lines = part.strip().splitlines()
        yield title, [_limit(line) for line in lines]


def _limit(line: str) -> Limit:
    what, source, unit, where = line.split(" | ")
    owner, _, name = source.partition(":")
    return Limit(
        what.removeprefix("! "),
        (_OWNERS.get(owner, owner), name),
        unit.removeprefix("-"),
        f"{owner.replace('.', '/')}.py" if where == "there" else _place(where),
        is_first=what.startswith("! "),
    )


def _place(where: str) -> str:
    return where.replace("@", "services/execution")


def fresh() -> str:
    """The page as the code says it now."""
    parts = [_HEAD]
    for title, limits in sections():
        parts.append(f"\n## {title}\n\n{_COLUMNS}")
        parts += [
            f"| {one.what} | {_figure(one.value, one.unit)} | `{one.name}` | `{one.where}` "
            f"| {'yes' if one.is_first else 'no'} |\n"
            for one in limits
        ]
    parts += ["\n## Every request of the API\n\n", _REQUESTS, *_requests()]
    parts += ["\n## Every message of an agent and to it\n\n", _MESSAGES, *_messages()]
    return "".join(parts)


_COLUMNS = "| What | At most | By | Where | First |\n|---|---|---|---|---|\n"
_REQUESTS = """Body: at the gateway, before it is read; a service reads no JSON above its own
limit. Rates are those above. Lists and maps: the most entries of a field, checked when it is
parsed; texts and numbers of each field are in the API's description.

| Request | Body | Rate | Lists and maps |
|---|---|---|---|
"""
_MESSAGES = """Checked by annotations (`libs/protocol/fields.py`), each message as a whole, before
anything is done with it. Text is in characters.

| Message or part | Fields |
|---|---|
"""


def _figure(value: object, unit: str) -> str:
    if unit == "bytes" and isinstance(value, int):
        for size, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if value and value % size == 0:
                return f"{value // size} {name}"
    if isinstance(value, int):
        return f"{value:,} {unit}".strip()
    return f"{value:g} {unit}".strip() if isinstance(value, float) else str(value)


def _requests() -> Iterator[str]:
    described = json.loads((REPOSITORY / "frontend/openapi.json").read_text())
    schemas = described["components"]["schemas"]
    usual = GatewaySettings.model_fields["max_body_bytes"].default
    for path, operations in described["paths"].items():
        for method in (one for one in _METHODS if one in operations):
            plain = path.rstrip("/")
            door, route = open_door(method.upper(), plain), route_of(plain)
            assert route is not None, path
            most = (door or route).max_body_bytes or usual
            has_body = "requestBody" in operations[method]
            rate = ("login" if method == "post" else "address") if door else "person"
            lists = sorted(set(_lists(operations[method], schemas))) if has_body else []
            yield (
                f"| `{method.upper()} {path}` | {_figure(most, 'bytes') if has_body else '–'} "
                f"| {rate}{', streams' if route.streams else ''} | {', '.join(lists) or '–'} |\n"
            )


def _lists(operation: dict[str, typing.Any], schemas: dict[str, typing.Any]) -> Iterator[str]:
    for content in operation["requestBody"]["content"].values():
        yield from _lists_in(content["schema"], "", schemas, ())


def _lists_in(
    schema: dict[str, typing.Any], name: str, schemas: dict[str, typing.Any], seen: tuple[str, ...]
) -> Iterator[str]:
    if "$ref" in schema:
        of = schema["$ref"].rpartition("/")[2]
        if of not in seen:
            yield from _lists_in(schemas[of], name, schemas, (*seen, of))
        return
    for bound in ("maxItems", "maxProperties"):
        if bound in schema:
            yield f"`{name}` {schema[bound]:,}"
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    below = (schema.get("items"), schema.get("additionalProperties"))
    inner += [one for one in below if isinstance(one, dict)]
    for one in inner:
        yield from _lists_in(one, name, schemas, seen)
    for part, one in schema.get("properties", {}).items():
        yield from _lists_in(one, f"{name}.{part}".lstrip("."), schemas, seen)


def _messages() -> Iterator[str]:
    waiting: list[type] = [*typing.get_args(messages.FromAgent), messages.Output]
    waiting += typing.get_args(messages.FromGateway)
    done: set[type] = set()
    while waiting:
        kind = waiting.pop(0)
        if kind in done:
            continue
        done.add(kind)
        hints = typing.get_type_hints(kind, include_extras=True)
        bounds = []
        for field in fields(kind):
            said, parts = _bounds(hints[field.name])
            waiting += parts
            if said and field.name != "type":
                bounds.append(f"`{field.name}` {said}")
        yield f"| `{kind.__name__}` | {'; '.join(bounds) or '–'} |\n"


def _bounds(hint: object, rules: tuple[object, ...] = ()) -> tuple[str, list[type]]:
    """What bounds a field, in words, and the classes inside of it."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *own = typing.get_args(hint)
        return _bounds(inner, tuple(own))
    own_words = [_rule(rule) for rule in rules if isinstance(rule, Text | Between | AtMost)]
    if typing.get_origin(hint) is typing.Literal:
        return f"{len(typing.get_args(hint))} words", []
    if is_dataclass(hint) and isinstance(hint, type):
        return f"`{hint.__name__}`", [hint]
    words, parts = [], []
    for one in typing.get_args(hint):
        if one not in (type(None), Ellipsis):
            said, found = _bounds(one)
            words.append(said)
            parts += found
    return " of ".join([*own_words, *(word for word in words if word)]), parts


def _rule(rule: Text | Between | AtMost) -> str:
    if isinstance(rule, Text):
        return f"≤ {rule.limit:,}"
    if isinstance(rule, AtMost):
        return f"≤ {rule.limit:,} entries"
    high = "2^53" if rule.high == MAX_INTEGER else f"{rule.high:,.15g}"
    return f"{rule.low:,.15g}…{high}"


def places() -> set[Path]:
    """Where the page says that limits are enforced."""
    return {REPOSITORY / one.where for _, limits in sections() for one in limits}


if __name__ == "__main__":
    PAGE.write_text(fresh(), encoding="utf-8")

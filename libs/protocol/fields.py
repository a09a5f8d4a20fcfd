"""What the fields of a message may contain, and the checks compiled from their annotations."""

import dataclasses
import math
import re
from typing import (
    Annotated,
    Callable,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from libs.protocol.errors import ProtocolError

Check = Callable[[object, str], object]

MAX_INTEGER = 2**53
"""The largest integer that every JSON reader keeps exactly."""


@dataclasses.dataclass(frozen=True)
class Text:
    """A string of at most `limit` characters without lone surrogates; NUL only where `nul`."""

    limit: int
    least: int = 0
    pattern: str = ""
    nul: bool = False


@dataclasses.dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included; never a boolean, NaN or infinity."""

    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class AtMost:
    """A list or map with at most `limit` entries."""

    limit: int


_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|\+00:00)"

Id = Annotated[str, Text(64, pattern=_ID)]
"""An identifier that is also safe as the name of a folder."""
Attempt = Annotated[int, Between(1, 1_000_000)]
Count = Annotated[int, Between(0, MAX_INTEGER)]
"""A sequence number, an offset, a size in bytes, an epoch."""
Length = Annotated[int, Between(1, 64 * 1024)]
Moment = Annotated[str, Text(40, pattern=_TIME)]
"""An instant in UTC, RFC 3339, written with `Z` or `+00:00`."""
Word = Annotated[str, Text(64, least=1, pattern=r"[a-z0-9_]+")]
"""A stable machine-readable word."""
Line = Annotated[str, Text(512)]
"""Short text for people; escape it before showing."""
Sha256 = Annotated[str, Text(64, pattern=r"[0-9a-f]{64}")]
Signature = Annotated[str, Text(88, pattern=r"[A-Za-z0-9+/]{86}==")]
"""An Ed25519 signature in standard base64."""
Percent = Annotated[float, Between(0.0, 100.0)]
StreamName = Literal["stdout", "stderr"]


def _bad(name: str, why: str) -> ProtocolError:
    return ProtocolError("bad_field", f"{name} {why}")


def _text_check(rule: Text) -> Check:
    pattern = re.compile(rule.pattern) if rule.pattern else None

    def check(value: object, name: str) -> object:
        if type(value) is not str:
            raise _bad(name, "is not a string")
        if not rule.least <= len(value) <= rule.limit:
            raise _bad(name, f"has not {rule.least} to {rule.limit} characters")
        if pattern is not None:
            if pattern.fullmatch(value) is None:
                raise _bad(name, "is malformed")
            return value
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise _bad(name, "holds a lone surrogate") from None
        if not rule.nul and "\0" in value:
            raise _bad(name, "holds NUL")
        return value

    return check


def _integer_check(rule: Between) -> Check:
    def check(value: object, name: str) -> object:
        if type(value) is not int:
            raise _bad(name, "is not an integer")
        if not rule.low <= value <= rule.high:
            raise _bad(name, f"is not within {int(rule.low)} to {int(rule.high)}")
        return value

    return check


def _float_check(rule: Between) -> Check:
    def check(value: object, name: str) -> object:
        if type(value) is not float and type(value) is not int:
            raise _bad(name, "is not a number")
        if not math.isfinite(value) or not rule.low <= value <= rule.high:
            raise _bad(name, f"is not within {rule.low} to {rule.high}")
        return value

    return check


def _literal_check(choices: tuple[object, ...]) -> Check:
    def check(value: object, name: str) -> object:
        if type(value) is not str or value not in choices:
            raise _bad(name, f"is none of {', '.join(map(str, choices))}")
        return value

    return check


def _flag_check(value: object, name: str) -> object:
    if type(value) is not bool:
        raise _bad(name, "is not true or false")
    return value


def _optional_check(inner: Check) -> Check:
    return lambda value, name: None if value is None else inner(value, name)


def _list_check(inner: Check, limit: int) -> Check:
    def check(value: object, name: str) -> object:
        if type(value) is not list and type(value) is not tuple:
            raise _bad(name, "is not a list")
        if len(value) > limit:
            raise _bad(name, f"has more than {limit} entries")
        return tuple(inner(entry, f"{name}[{index}]") for index, entry in enumerate(value))

    return check


def _map_check(key: Check, inner: Check, limit: int) -> Check:
    def check(value: object, name: str) -> object:
        if type(value) is not dict:
            raise _bad(name, "is not an object")
        if len(value) > limit:
            raise _bad(name, f"has more than {limit} entries")
        return {key(k, f"{name} name"): inner(v, f"{name}.{k}"[:80]) for k, v in value.items()}

    return check


def _nested_check(cls: type) -> Check:
    build = record_reader(cls)

    def check(value: object, name: str) -> object:
        if type(value) is cls:
            value = to_json(value)
        if type(value) is not dict:
            raise _bad(name, "is not an object")
        return build(value)

    return check


def _scalar_check(annotation: object, rules: tuple[object, ...]) -> Check:
    for rule in rules:
        if isinstance(rule, Text):
            return _text_check(rule)
        if isinstance(rule, Between):
            return _integer_check(rule) if annotation is int else _float_check(rule)
    raise TypeError(f"A field of type {annotation} needs a rule.")


def _compile(annotation: object, rules: tuple[object, ...] = ()) -> Check:
    """The check for an annotation; raises TypeError for a field whose range is not stated."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    limit = next((rule.limit for rule in rules if isinstance(rule, AtMost)), 0)
    if origin is Annotated:
        return _compile(arguments[0], tuple(arguments[1:]))
    if origin is Literal:
        return _literal_check(arguments)
    if origin is Union and len(arguments) == 2 and arguments[1] is type(None):
        return _optional_check(_compile(arguments[0], rules))
    if origin is tuple:
        return _list_check(_compile(arguments[0]), limit)
    if origin is dict:
        return _map_check(_compile(arguments[0]), _compile(arguments[1]), limit)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _nested_check(annotation)
    if annotation is bool:
        return _flag_check
    return _scalar_check(annotation, rules)


def record_reader(cls: type) -> Callable[[dict[str, object]], object]:
    """A function that turns a JSON object into `cls` or raises ProtocolError.

    Every field is checked. A missing field without a default and an unknown field are refused;
    unknown fields whose name begins with `x_` are extensions that a receiver leaves out.
    """
    hints = get_type_hints(cls, include_extras=True)
    checks: list[tuple[str, Check, bool]] = []
    for field in dataclasses.fields(cls):
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        checks.append((field.name, _compile(hints[field.name]), required))
    names = {name for name, _, _ in checks}

    def read(raw: dict[str, object]) -> object:
        values: dict[str, object] = {}
        for name, check, required in checks:
            if name in raw:
                values[name] = check(raw[name], name)
            elif required:
                raise ProtocolError("missing_field", name)
        if len(values) != len(raw):
            for name in raw:
                if name not in names and not name.startswith("x_"):
                    raise ProtocolError("unknown_field", name[:64])
        return cls(**values)

    return read


_Class = TypeVar("_Class", bound=type)
_SPARSE: dict[type, tuple[tuple[str, object], ...]] = {}


def sparse(*names: str) -> Callable[[_Class], _Class]:
    """Mark fields that are only written when they differ from their default.

    A message that does not use them looks as it did before they existed.
    """

    def mark(cls: _Class) -> _Class:
        fields = {field.name: field for field in dataclasses.fields(cls)}
        _SPARSE[cls] = tuple((name, _default(fields[name])) for name in names)
        return cls

    return mark


def _default(field: dataclasses.Field[object]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


_PLAIN = frozenset((str, int, float, bool, type(None), dict))


def to_json(message: object) -> dict[str, object]:
    """The fields of a message, and of messages inside it, as JSON values; `type` comes first."""
    raw = dict(vars(message))
    if "type" in raw:
        raw = {"type": raw.pop("type"), **raw}
    for name, default in _SPARSE.get(type(message), ()):
        if raw[name] == default:
            del raw[name]
    for name, value in raw.items():
        kind = type(value)
        if kind in _PLAIN:
            continue
        if dataclasses.is_dataclass(value):
            raw[name] = to_json(value)
        elif kind is tuple:
            raw[name] = [to_json(v) if dataclasses.is_dataclass(v) else v for v in value]
    return raw

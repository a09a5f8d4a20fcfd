"""What a record may say about the state of an object: everything but secrets, in bounds."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import Final

from pydantic import BaseModel, SecretBytes, SecretStr

State = Mapping[str, object] | BaseModel | None
"""How an object was or is: its fields, or a model; secrets in it are taken out."""

MASK: Final = "***"
MAX_STATE_BYTES: Final = 8 * 1024
MAX_TEXT: Final = 500
MAX_ITEMS: Final = 50
MAX_FIELDS: Final = 100
MAX_DEPTH: Final = 6

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_SECRET_WORDS: Final = frozenset(
    (
        *("password", "passwords", "passwd", "pwd", "passphrase", "secret", "secrets", "token"),
        *("tokens", "credential", "credentials", "authorization", "cookie", "cookies", "otp"),
        *(
            "totp",
            "captcha",
            "recovery",
            "jwt",
            "bearer",
            "apikey",
            "privatekey",
            "signature",
            "seed",
        ),
    )
)
_KEY_WORDS: Final = frozenset(("key", "keys"))
_ABOUT_WORDS: Final = frozenset(
    (
        *("id", "ids", "name", "names", "count", "at", "seconds", "minutes", "days", "length"),
        *("changed", "set", "required", "enabled", "type", "kind", "public"),
    )
)
_SECRET_TEXT: Final = re.compile(
    r"(?P<bearer>bearer\s+)[\w.~+/=-]{8,}|(?P<address>://[^/\s:@]*:)[^@/\s]+(?=@)"
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|$)",
    re.I | re.S,
)


def state_text(state: State) -> str | None:
    """A state as bounded JSON text without secrets; None stays None.

    What does not fit is left out, and the field ``…`` says how many fields those are.
    """
    if state is None:
        return None
    fields = state.model_dump() if isinstance(state, BaseModel) else state
    kept: dict[str, object] = {}
    size = left_out = 0
    for name, value in fields.items():
        clean = _clean(str(name), value, MAX_DEPTH)
        cost = len(json.dumps(clean, ensure_ascii=False).encode()) + len(str(name).encode()) + 6
        if size + cost > MAX_STATE_BYTES or len(kept) >= MAX_FIELDS:
            left_out += 1
            continue
        size += cost
        kept[clipped(str(name), 100)] = clean
    if left_out:
        kept["…"] = left_out
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: ``api_key`` does, ``token_id`` does not."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT_WORDS or "public" in words:
        return False
    return words[-1] in _KEY_WORDS or not _SECRET_WORDS.isdisjoint(words)


def _clean(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value  # that something is a secret, or that there is none, is no secret
    if isinstance(value, SecretStr | SecretBytes | bytes) or is_secret_name(name):
        return MASK
    return _plain(value, depth)


def _plain(value: object, depth: int) -> object:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return clipped(_SECRET_TEXT.sub(_masked, value[: 8 * MAX_TEXT]), MAX_TEXT)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if depth <= 0 or isinstance(value, SecretStr | SecretBytes | bytes):
        return MASK
    return _inside(value, depth)


def _inside(value: object, depth: int) -> object:
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return _fields(value, depth)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return _items(value, depth)
    return clipped(str(value), MAX_TEXT)


def _fields(value: Mapping[object, object], depth: int) -> dict[str, object]:
    """The fields of an object; of one that says that it is a secret, the value is none of ours."""
    hidden = any(value.get(mark) is True for mark in ("is_secret", "secret", "sensitive"))
    kept: dict[str, object] = {}
    for key, item in list(value.items())[:MAX_ITEMS]:
        name = clipped(str(key), 100)
        is_value = hidden and name in ("value", "default")
        kept[name] = MASK if is_value and item is not None else _clean(name, item, depth - 1)
    return kept


def _items(values: Sequence[object], depth: int) -> list[object]:
    kept = [_clean("", value, depth - 1) for value in values[:MAX_ITEMS]]
    left_out = len(values) - MAX_ITEMS
    return [*kept, f"… {left_out} more"] if left_out > 0 else kept


def _masked(found: re.Match[str]) -> str:
    return f"{found['bearer'] or found['address'] or ''}{MASK}"


def clipped(value: str, longest: int) -> str:
    """Text that every database and every document can hold, cut where it is too long."""
    clean = value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"

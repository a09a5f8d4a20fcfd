"""What every context says for the audit log: who did what to which object, and what changed.

`audit(tx, "host.create", kind="host", id=7, name="web-1", after=host)` belongs into the
transaction of the change: the record exists if, and only if, the change does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, SecretBytes, SecretStr

from libs.kit.acting import Actor, current_actor
from libs.kit.auth import Principal
from libs.kit.client import ServiceClient
from libs.kit.db import Transaction
from libs.kit.events import Event
from libs.kit.logging import current_request_id
from libs.kit.refusals import Refusal

Outcome = Literal["success", "denied", "failure"]
State = Mapping[str, object] | BaseModel | None
"""How an object was or is: its fields, or a model; secrets in it are taken out."""

By = Actor | Principal | None
"""Who acts; a principal acts from where the present request comes from."""

MASK: Final = "***"
MAX_STATE_BYTES: Final = 8 * 1024
MAX_TEXT: Final = 500
MAX_ITEMS: Final = 50
MAX_FIELDS: Final = 100
MAX_DEPTH: Final = 6
MAX_NAME: Final = 200
MAX_DETAIL: Final = 1000


class Audited(Event):
    """Somebody did something that has to be accounted for, or was refused it.

    ``actor_id`` is 0 unless a user acted. ``action`` is dotted (``user.create``). ``object_name``
    is kept so that records of deleted objects stay readable. ``before`` and ``after`` are JSON
    objects as text, without secrets. ``repeats`` counts equal refusals that one record stands for.
    """

    topic: ClassVar[str] = "audit"
    type: ClassVar[str] = "audit.audited"

    actor_id: int = 0
    actor_name: str = ""
    actor_kind: str = "system"
    action: str
    object_type: str = ""
    object_id: str = ""
    object_name: str = ""
    outcome: str = "success"
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    before: str | None = None
    after: str | None = None
    detail: str = ""
    repeats: int = 1


def audit(
    tx: Transaction,
    action: str,
    *,
    kind: str = "",
    id: object = "",
    name: str = "",
    before: State = None,
    after: State = None,
    outcome: Outcome = "success",
    detail: str = "",
    by: By = None,
) -> None:
    """Records an action together with the change that ``tx`` makes.

    ``kind``, ``id`` and ``name`` say on which object. ``before`` is absent for what is new,
    ``after`` for what is deleted; of a change, give the fields that matter. Who acts, from where
    and for which request comes from the request that is served, or is the system; ``by`` says it
    where the request itself cannot know, as when somebody is just signing in.
    """
    tx.emit(
        audited(
            action,
            kind=kind,
            id=id,
            name=name,
            before=before,
            after=after,
            outcome=outcome,
            detail=detail,
            by=by,
        )
    )


def audited(
    action: str,
    *,
    kind: str = "",
    id: object = "",
    name: str = "",
    before: State = None,
    after: State = None,
    outcome: Outcome = "success",
    detail: str = "",
    by: By = None,
    repeats: int = 1,
) -> Audited:
    """The fact that `audit` emits, for whoever emits it elsewhere."""
    actor = _actor(by)
    return Audited(
        actor_id=actor.id,
        actor_name=_text(actor.name, MAX_NAME),
        actor_kind=actor.kind,
        action=action,
        object_type=kind,
        object_id=_text(str(id), 64),
        object_name=_text(name, MAX_NAME),
        outcome=outcome,
        address=_text(actor.address, 64),
        user_agent=_text(actor.user_agent, MAX_NAME),
        request_id=current_request_id(),
        before=state_text(before),
        after=state_text(after),
        detail=_text(detail, MAX_DETAIL),
        repeats=repeats,
    )


def refused(refusal: Refusal, repeats: int) -> Audited:
    """The fact about something that was refused so many times; for `Service.refused`."""
    fact = audited(
        refusal.action,
        kind=refusal.kind,
        id=refusal.id,
        name=refusal.name,
        outcome="denied",
        detail=f"{refusal.code}: {refusal.place}" if refusal.place else refusal.code,
        by=refusal.actor,
        repeats=repeats,
    )
    return fact.model_copy(update={"request_id": refusal.request_id})


class AuditClient(ServiceClient):
    """What those without a database tell the audit log."""

    service: ClassVar[str] = "auth"

    async def report_refusals(self, refusals: Sequence[tuple[Refusal, int]]) -> None:
        """Things that were refused at the gate, each with how often; at most 1000."""
        told = [
            {
                "action": refusal.action,
                "code": refusal.code,
                "place": _text(refusal.place, MAX_NAME),
                "username": _text(refusal.actor.name, 64),
                "address": _text(refusal.actor.address, 64),
                "user_agent": _text(refusal.actor.user_agent, MAX_NAME),
                "request_id": _text(refusal.request_id, 64),
                "repeats": count,
            }
            for refusal, count in refusals
        ]
        await self._call("POST", "/internal/audit/refusals", json={"refusals": told})


def _actor(by: By) -> Actor:
    present = current_actor()
    if by is None:
        return present
    if isinstance(by, Actor):
        return by
    origin = (present.address, present.user_agent, present.service)
    return Actor(by.id, by.username, by.kind, *origin)


# ---- states without secrets ------------------------------------------------------------------

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
        kept[_text(str(name), 100)] = clean
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
        return _text(_SECRET_TEXT.sub(_masked, value[: 8 * MAX_TEXT]), MAX_TEXT)
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
    return _text(str(value), MAX_TEXT)


def _fields(value: Mapping[object, object], depth: int) -> dict[str, object]:
    """The fields of an object; of one that says that it is a secret, the value is none of ours."""
    hidden = any(value.get(mark) is True for mark in ("is_secret", "secret", "sensitive"))
    kept: dict[str, object] = {}
    for key, item in list(value.items())[:MAX_ITEMS]:
        name = _text(str(key), 100)
        is_value = hidden and name in ("value", "default")
        kept[name] = MASK if is_value and item is not None else _clean(name, item, depth - 1)
    return kept


def _items(values: Sequence[object], depth: int) -> list[object]:
    kept = [_clean("", value, depth - 1) for value in values[:MAX_ITEMS]]
    left_out = len(values) - MAX_ITEMS
    return [*kept, f"… {left_out} more"] if left_out > 0 else kept


def _masked(found: re.Match[str]) -> str:
    return f"{found['bearer'] or found['address'] or ''}{MASK}"


def _text(value: str, longest: int) -> str:
    """Text that every database and every document can hold, cut where it is too long."""
    clean = value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"

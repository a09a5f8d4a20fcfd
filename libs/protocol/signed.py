"""The messages of trust: a signed order with its bytes, keys to check it with, what was refused."""

from dataclasses import dataclass
from typing import Annotated, Literal, Optional

from libs.protocol.fields import Attempt, Between, Id, Line, Signature, Text, Word, sparse

MAX_BUNDLE = 64 * 1024

Base64 = Annotated[str, Text(1_500_000, least=4, pattern=r"[A-Za-z0-9+/]+={0,2}")]
Purpose = Annotated[str, Text(32, least=1, pattern=r"[a-z.]+")]
KeyId = Annotated[str, Text(64, least=1, pattern=r"[a-z0-9]+")]
"""The name of a certified key; `root` for the one that certifies."""


@dataclass(frozen=True)
class Signed:
    """Gateway: an order of the platform, with the signature that a gateway cannot make.

    `payload` is standard base64 of the exact bytes that were signed (see `envelope`); what they
    say is read only after the signature was checked.
    """

    purpose: Purpose
    kid: KeyId
    payload: Base64
    sig: Signature
    v: Annotated[int, Between(1, 1)] = 1
    type: Literal["signed"] = "signed"


@dataclass(frozen=True)
class Trust:
    """Gateway: the present trust bundle, JSON text; it vouches for itself (see `envelope`)."""

    bundle: Annotated[str, Text(MAX_BUNDLE, least=2)]
    type: Literal["trust"] = "trust"


@sparse("task_id", "attempt", "count")
@dataclass(frozen=True)
class Security:
    """Agent: something was refused that the platform never sends; `count` equal ones at once.

    The ids are those that it named, which proves nothing about them.
    """

    reason: Word
    detail: Line
    task_id: Optional[Id] = None
    attempt: Optional[Attempt] = None
    count: Annotated[int, Between(1, 1_000_000)] = 1
    type: Literal["security"] = "security"

"""What the transfer program is told to do: written by the agent, read by the program."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Callable, cast

from libs.protocol.fields import record_reader, to_json
from libs.protocol.messages import Order
from libs.protocol.orders import FileWork

FILE_NAME = "errand.json"
BLAKE3_VARIABLE = "OPSJOB_BLAKE3"
_WORD = re.compile(r"-|[0-9a-f]{64}")
_read_work = cast("Callable[[object], FileWork]", record_reader(FileWork))
PATIENCE_SECONDS = 600.0
"""How long a transfer goes on trying without a single byte getting through."""


@dataclass(frozen=True)
class RunUser:
    """Somebody else than the agent's own user, with all groups."""

    uid: int
    gid: int
    groups: list[int]


@dataclass(frozen=True)
class Errand:
    """The order as the agent hands it over.

    `roots` are what this host allows, by its own rule, `host_roots` those of its policy; where
    both are given, both must allow a path. `user` is whom the program becomes once it has read
    what only the agent may read. `blake3` are checksums by the SHA-256 of the same content.
    """

    action: str
    work: FileWork
    gateways: tuple[str, ...]
    ca_file: str
    state: str
    roots: tuple[str, ...]
    host_roots: tuple[str, ...] = ()
    user: RunUser | None = None
    patience_seconds: float = PATIENCE_SECONDS
    blake3: dict[str, str] = field(default_factory=dict)

    def write(self) -> str:
        """As text for the file."""
        user = vars(self.user) if self.user else None
        return json.dumps({**vars(self), "work": to_json(self.work), "user": user})

    @classmethod
    def read(cls, text: str) -> Errand:
        """What `write` wrote; raises ValueError, TypeError or KeyError for anything else."""
        raw = json.loads(text)
        for name in ("gateways", "roots", "host_roots"):
            raw[name] = tuple(raw[name])
        raw["user"] = None if raw["user"] is None else RunUser(**raw["user"])
        raw["work"] = _read_work(raw["work"])
        return cls(**raw)


def blake3_of(order: Order) -> dict[str, str]:
    """The BLAKE3 of files that an order sends, by their SHA-256; raises ValueError.

    They come as a variable, which agents of before leave alone.
    """
    words = order.env.get(BLAKE3_VARIABLE, "").split()
    if not words or order.files is None:
        return {}
    items = order.files.items
    if len(words) != len(items) or not all(_WORD.fullmatch(word) for word in words):
        raise ValueError(BLAKE3_VARIABLE)
    return {item.sha256: word for item, word in zip(items, words) if word != "-"}


@dataclass(frozen=True)
class TransferRules:
    """What transfers of this host need to know: where the gateways are, what may be touched.

    `roots` are the only folders that files may be put into or fetched from; empty: all but those
    of the kernel and the agent's own, `state`. `host_roots` narrow them further.
    """

    gateways: tuple[str, ...] = ()
    ca_file: str = ""
    state: str = ""
    roots: tuple[str, ...] = ()
    host_roots: tuple[str, ...] = ()


def errand_of(order: Order, work: FileWork, rules: TransferRules, user: RunUser) -> str:
    """The content of the errand's file. Raises ValueError for checksums that are none.

    The program starts as the agent's own user, so that others need no rights to its code, and
    cannot read tickets; then it becomes `user`.
    """
    errand = Errand(
        action=order.action,
        work=work,
        gateways=rules.gateways,
        ca_file=rules.ca_file,
        state=rules.state,
        roots=rules.roots,
        host_roots=rules.host_roots,
        user=user if user.uid != os.geteuid() else None,
        blake3=blake3_of(order),
    )
    return errand.write()

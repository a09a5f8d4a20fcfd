"""Turns an order about files into the launch of the transfer program."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from libs.protocol.fields import to_json
from libs.protocol.orders import FileWork

FILE_NAME = "errand.json"
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
    """The order as the agent hands it over; see `transfer_order` for who reads it.

    `roots` are what this host allows, by its own rule.

    `host_roots` are those of its policy; where both are given, both must allow a path.
    `user` is whom the program becomes once it has read what only the agent may read.
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

    def write(self) -> str:
        """As text for the file."""
        user = vars(self.user) if self.user else None
        return json.dumps({**vars(self), "work": to_json(self.work), "user": user})


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


def errand_of(action: str, work: FileWork, rules: TransferRules, user: RunUser) -> str:
    """The content of the errand's file.

    The program starts as the agent's own user, so that others need no rights to its code, and
    cannot read tickets; then it becomes `user`.
    """
    errand = Errand(
        action=action,
        work=work,
        gateways=rules.gateways,
        ca_file=rules.ca_file,
        state=rules.state,
        roots=rules.roots,
        host_roots=rules.host_roots,
        user=user if user.uid != os.geteuid() else None,
    )
    return errand.write()

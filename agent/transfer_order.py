"""What the transfer program is told to do: the errand as it reads it, in plain classes.

Those of the protocol have all their checks with them, which would cost every transfer 20 ms.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from libs.protocol.orders import Overwrite


class _Told:
    """What somebody wrote by name; raises TypeError for a name too many or too few.

    Lists become tuples.
    """

    def __init__(self, raw: dict[str, object]) -> None:
        names = type(self).__annotations__
        for name in names:
            if name not in raw and not hasattr(type(self), name):
                raise TypeError(f"{name} is missing.")
        for name, value in raw.items():
            if name not in names:
                raise TypeError(f"{name} is unknown.")
            setattr(self, name, tuple(value) if isinstance(value, list) else value)


class Item(_Told):
    """One file to put on the host; see `libs.protocol.orders.FileItem`."""

    path: str
    size: int
    sha256: str
    ticket: str
    mode: int | None = None
    is_tree: bool = False
    bases: tuple[str, ...] = ()


class Work(_Told):
    """Files to put or to fetch; see `libs.protocol.orders.FileWork`."""

    target: str
    items: tuple[Item, ...] = ()
    patterns: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    ticket: str = ""
    owner: str | None = None
    group: str | None = None
    mode: int | None = None
    folder_mode: int | None = None
    overwrite: Overwrite = "overwrite"
    bytes_per_second: int = 0
    max_bytes: int = 0
    max_files: int = 0
    roots: tuple[str, ...] = ()


class RunUser(_Told):
    """Whom the program becomes."""

    uid: int
    gid: int
    groups: tuple[int, ...]


class Errand(_Told):
    """The whole order; see `agent.errands.Errand`, which wrote it."""

    action: str
    work: Work
    gateways: tuple[str, ...]
    ca_file: str
    state: str
    roots: tuple[str, ...]
    host_roots: tuple[str, ...]
    user: RunUser | None
    patience_seconds: float


def read_errand(text: str) -> Errand:
    """Raises ValueError, TypeError or KeyError for what `agent.errands.Errand` did not write.

    The agent checked all of it when it took the order; here it only gets its shape back.
    """
    raw = json.loads(text)
    items = [Item(item) for item in raw["work"].get("items", ())]
    work = Work({**raw["work"], "items": items})
    user = None if raw["user"] is None else RunUser(raw["user"])
    return Errand({**raw, "work": work, "user": user})

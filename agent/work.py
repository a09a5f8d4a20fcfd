"""What the spawner is asked to start, as plain values that travel over its socket."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """One script, ready to run: everything was decided and checked before the claim.

    `command` is what comes before the script's path (empty: a transfer), `folder` the working
    directory (empty: the private folder of the script), `parent` where that private folder is
    made. Times in seconds.
    `secrets` become variables, `secret_files` files named by variables; both are masked. What
    they hold is nowhere on a disk: this object only travels through sockets.
    """

    name: str
    mark: str
    command: list[str]
    script: str
    file_name: str
    args: list[str]
    environment: dict[str, str]
    folder: str
    parent: str
    uid: int
    gid: int
    groups: list[int]
    timeout_seconds: float
    spool_bytes: int
    output_bytes: int
    max_processes: int | None
    memory_bytes: int | None = None
    cpu_percent: int | None = None
    open_files: int | None = None
    success_codes: list[int] | None = None
    secrets: dict[str, str] | None = None
    secret_files: dict[str, str] | None = None
    has_outputs: bool = False
    ends_at_output_limit: bool = False
    reasons: dict[str, str] | None = None
    """Of a transfer: what its exit codes mean; such a program also writes its progress."""

    @property
    def is_transfer(self) -> bool:
        """Whether our own transfer program runs instead of a command."""
        return self.reasons is not None

    def packed(self) -> bytes:
        """What travels: the name, for who only passes it on, a zero byte, and all of it."""
        return f"{self.name}\0{_write(vars(self))}".encode()

    @classmethod
    def unpacked(cls, content: bytes) -> Launch:
        """What `packed` made."""
        return cls(**json.loads(content[content.index(b"\0") + 1 :]))


_write = json.JSONEncoder().encode

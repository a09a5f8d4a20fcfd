"""What the spawner is asked to start, as plain values that travel over its socket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """One script, ready to run: everything was decided and checked before the claim.

    `command` is what comes before the script's path, `folder` the working directory (empty: the
    private folder of the script), `parent` where that private folder is made. Times in seconds.
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

"""The parts of an order that only some tasks have: secrets, limits, files."""

from dataclasses import dataclass
from typing import Annotated, Literal, Optional

from libs.protocol.fields import MAX_INTEGER, AtMost, Between, Count, Sha256, Text, sparse

Action = Literal["script", "push", "collect"]
"""What a task does: run a script, put files on the host, fetch files from it."""
OnOutputLimit = Literal["cut", "fail"]
"""Beyond `max_output_bytes`: keep head and tail with a stated gap, or end the script."""
Overwrite = Literal["overwrite", "skip", "backup", "fail"]

ExitCode = Annotated[int, Between(0, 255)]
VariableName = Annotated[str, Text(256, least=1, pattern=r"[A-Za-z_][A-Za-z0-9_]{0,255}")]
Path = Annotated[str, Text(4_096, least=1)]
Mode = Annotated[int, Between(0, 0o7777)]
Ticket = Annotated[str, Text(4_096)]
"""What the gateway wants to see in the header Authorization of one download or upload."""


@dataclass(frozen=True)
class Secret:
    """A value that only this agent can read; see `libs.protocol.sealing`.

    The script finds it in the variable `name`, or, with `as_file`, in a private file whose path
    is in `<name>_FILE`. It is masked in all output.
    """

    name: VariableName
    sealed: Annotated[str, Text(262_144, least=4, pattern=r"[A-Za-z0-9+/]+={0,2}")]
    as_file: bool = False


@dataclass(frozen=True)
class Limits:
    """What a task may use on the host; None is no limit.

    `memory_bytes` and `max_processes` are for the whole process tree, `cpu_percent` is of one
    processor (150 is one and a half), `open_files` is for each process.
    """

    memory_bytes: Optional[Annotated[int, Between(1024 * 1024, MAX_INTEGER)]] = None
    max_processes: Optional[Annotated[int, Between(1, 1_000_000)]] = None
    cpu_percent: Optional[Annotated[int, Between(1, 100_000)]] = None
    open_files: Optional[Annotated[int, Between(8, 1_048_576)]] = None


@sparse("mode", "is_tree", "bases")
@dataclass(frozen=True)
class FileItem:
    """One file to put on the host: where below the target, and what it must be afterwards.

    With `is_tree` the content is an archive that a collect task made. Its files are put below
    `path`, each without that of the `bases` (folders of the host it comes from) in which it was.
    """

    path: Path
    size: Count
    sha256: Sha256
    ticket: Ticket
    mode: Optional[Mode] = None
    is_tree: bool = False
    bases: Annotated[tuple[Path, ...], AtMost(100)] = ()


@sparse(
    *("items", "patterns", "excludes", "ticket", "owner", "group", "mode", "folder_mode"),
    *("overwrite", "bytes_per_second", "max_bytes", "max_files", "roots"),
)
@dataclass(frozen=True)
class FileWork:
    """Files to put on a host (`items` below `target`) or to fetch (`patterns` below `target`).

    `roots` are the folders that policy allows; empty means no restriction. Rates are bytes per
    second, 0 is no limit; `max_bytes` and `max_files` bound what is fetched, 0 is no limit.
    Folders that are missing are made, with `folder_mode`.
    """

    target: Path
    items: Annotated[tuple[FileItem, ...], AtMost(1_000)] = ()
    patterns: Annotated[tuple[Path, ...], AtMost(100)] = ()
    excludes: Annotated[tuple[Path, ...], AtMost(100)] = ()
    ticket: Ticket = ""
    owner: Optional[Annotated[str, Text(256, least=1)]] = None
    group: Optional[Annotated[str, Text(256, least=1)]] = None
    mode: Optional[Mode] = None
    folder_mode: Optional[Mode] = None
    overwrite: Overwrite = "overwrite"
    bytes_per_second: Count = 0
    max_bytes: Count = 0
    max_files: Count = 0
    roots: Annotated[tuple[Path, ...], AtMost(100)] = ()


@dataclass(frozen=True)
class FileProgress:
    """How far one file is, in bytes; `seconds_left` is None while nobody knows."""

    path: Path
    state: Literal["waiting", "running", "done", "skipped", "failed"]
    done: Count
    size: Count
    bytes_per_second: Count = 0
    seconds_left: Optional[Annotated[float, Between(0.0, 31_622_400.0)]] = None

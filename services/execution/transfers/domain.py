"""The rules of transfers: where a file ends up, at which rate, and how far a task is; pure."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict

from services.execution.errors import VariableInvalid, VariableUnknown
from services.execution.files.domain import (
    MEGABYTE,
    PATH_VARIABLES,
    Overwrite,
    PathNotAllowed,
    base_of,
    fixed_part,
    host_path,
    is_allowed,
    path_values,
    variables_in,
)
from services.execution.variables.domain import BUILT_IN, Scope, Value, parse, text_value

ARCHIVE_BYTES: Final = 8_192
"""What an archive has beside the content of one file, at most: names, modes, padding."""
_STATES: Final = ("waiting", "running", "done", "skipped", "failed")

BLAKE3_VARIABLE: Final = "OPSJOB_BLAKE3"
"""Where an order about files has the BLAKE3 of each, `-` for none: agents that know nothing of it
take it for a variable of the program, and check the SHA-256."""
QUICK_FROM_BYTES: Final = 1024 * 1024
"""Smaller files are checked in no time anyhow."""


Work = dict[str, object]


@dataclass(frozen=True)
class FileOrder:
    """What an order says about files, and the variables that go with it."""

    work: Work
    env: Mapping[str, str]


class FrozenSource(BaseModel):
    """One thing to send as it was at accept; what a step collects is known only when it has."""

    model_config = ConfigDict(frozen=True)

    artifact_id: str | None = None
    sha256: str | None = None
    blake3: str | None = None
    size: int = 0
    name: str | None = None
    step: str | None = None
    remote_path: str | None = None


class Frozen(BaseModel):
    """A push as it was at accept; what is deleted or renamed later changes nothing (R5)."""

    model_config = ConfigDict(frozen=True)

    sources: list[FrozenSource]
    remote_path: str
    overwrite_policy: Overwrite = Overwrite.OVERWRITE
    mode: str | None = None
    folder_mode: str | None = None
    owner: str | None = None
    group: str | None = None
    bandwidth_limit: float | None = None
    total_bandwidth_limit: float | None = None


class Place(Protocol):
    """The host of a task."""

    @property
    def execution_id(self) -> str: ...
    @property
    def host_id(self) -> int: ...
    @property
    def host_name(self) -> str: ...
    @property
    def ip_address(self) -> str: ...


def check_path(path: str, roots: Sequence[str]) -> None:
    """Raises PathNotAllowed for a path that no value of its variables can make allowed."""
    known = fixed_part(path)
    if variables_in(known):
        known = known.partition("$")[0].partition("{")[0].rpartition("/")[0] or "/"
        if known == "/" or any(root.startswith(known.rstrip("/") + "/") for root in roots):
            return  # what follows decides; the order is checked again, and so does the agent
    elif path != known and any(root.startswith(known.rstrip("/") + "/") for root in roots):
        return
    if path != "/" and not is_allowed(known, roots):
        raise PathNotAllowed(path=path)


def check_names(paths: Sequence[str], known: Set[str]) -> None:
    """Raises VariableUnknown for a name that neither the platform nor `known` has."""
    for path in paths:
        for name in sorted(variables_in(path) - PATH_VARIABLES - known):
            if not name.startswith(BUILT_IN):
                raise VariableUnknown(variable=name, known=sorted(PATH_VARIABLES | known))


def values_of(place: Place, at: datetime) -> dict[str, Value]:
    """The short names that paths of files know beside all variables."""
    found = path_values(
        execution_id=place.execution_id,
        host_id=place.host_id,
        host_name=place.host_name.replace("/", "_"),
        ip_address=place.ip_address,
        at=at,
    )
    return {name: text_value(value) for name, value in found.items()}


def rendered(path: str, names: Scope) -> str:
    """The path for one host; raises an Invalid for unknown variables and for what is no path."""
    text = names.text(parse(path))
    try:
        return host_path(text)
    except ValueError as error:
        raise VariableInvalid(
            f"The path is no path once its variables are known: {error}.",
            zh="代入变量后，路径无效。",
            field="remote_path",
        ) from None


def target_of(path: str, name: str, *, is_one: bool) -> str:
    """Where a file is put: the path itself, or below it if it is a folder or several go there."""
    if path.endswith("/") or not is_one:
        return f"{path.rstrip('/')}/{name}"
    return path


def named_paths(paths: Sequence[str]) -> list[str]:
    """What is cut off the names of collected files when they are put elsewhere; paths that name
    variables keep their folders."""
    return sorted({base_of(path) for path in paths if not variables_in(path)})


def mode_of(text: str) -> int:
    """The number of an octal mode."""
    return int(text, 8)


def per_second(megabytes: float) -> int:
    """Bytes per second."""
    return max(1, round(megabytes * MEGABYTE))


def progress_of(files: object) -> dict[str, object] | None:
    """What is kept of an agent's words about its files, with their sum; None if it is nonsense."""
    if not isinstance(files, list) or len(files) > 100:
        return None
    rows = [row for row in files if isinstance(row, Mapping) and row.get("state") in _STATES]
    if len(rows) != len(files):
        return None
    done = sum(_count(row.get("done")) for row in rows)
    size = sum(_count(row.get("size")) for row in rows)
    speed = sum(_count(row.get("bytes_per_second")) for row in rows if row["state"] == "running")
    return {
        "files": [dict(row) for row in rows],
        "done": done,
        "size": size,
        "bytes_per_second": speed,
        "seconds_left": round((size - done) / speed, 1) if speed else None,
    }


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0

"""What people say about files: uploads, and what a step sends to hosts or fetches from them."""

import re
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from libs.kit.service import Choice, Row, Schema
from services.execution.files.domain import FileKind, Overwrite, file_name, host_path, relative_name

MAX_SOURCES = 1_000
MAX_PATTERNS = 100
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")


def _account(value: str) -> str:
    if not _ACCOUNT.match(value):
        raise ValueError("must be an account: letters, digits, dot, dash, underscore")
    return value


FileName = Annotated[str, StringConstraints(max_length=1024), AfterValidator(file_name)]
RelativeName = Annotated[str, StringConstraints(max_length=4096), AfterValidator(relative_name)]
HostPath = Annotated[str, StringConstraints(max_length=4096), AfterValidator(host_path)]
Account = Annotated[str, AfterValidator(_account)]
FileMode = Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3,4}$")]
"""Octal, such as 0644."""
Megabytes = Annotated[float, Field(ge=0.001, le=100_000)]
"""Megabytes (1,000,000 bytes) per second."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileId = Annotated[str, StringConstraints(min_length=1, max_length=36)]
StepName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FileSource(Schema):
    """One thing to send: a file of the library, or what an earlier collect step fetched."""

    artifact_id: FileId | None = None
    step: StepName | None = None
    name: RelativeName | None = None
    """Where it arrives below the target folder; the file's own name when not given."""
    remote_path: HostPath | None = None
    """Another target than that of the whole step."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.artifact_id is None) == (self.step is None):
            raise ValueError("a source is either an artifact_id or a step")
        return self


class FilePush(Schema):
    """What a push step puts on its hosts. A path that ends with a slash is a folder.

    Paths may name `${DATE}`, `${TIME}`, `${YEAR}`, `${MONTH}`, `${DAY}`, `${HOST}`, `${HOST_ID}`,
    `${IP}` and `${EXECUTION_ID}`, also as `{{NAME}}`.
    """

    sources: Annotated[list[FileSource], Field(min_length=1, max_length=MAX_SOURCES)]
    remote_path: HostPath
    overwrite_policy: Choice[Overwrite] = Overwrite.OVERWRITE
    mode: FileMode | None = None
    folder_mode: FileMode | None = None
    owner: Account | None = None
    group: Account | None = None
    bandwidth_limit: Megabytes | None = None
    """For each host."""
    total_bandwidth_limit: Megabytes | None = None
    """For all hosts of the step together."""


class FileCollect(Schema):
    """What a collect step fetches from its hosts; one archive for each.

    Paths may be files, folders (with all that is in them) and patterns with `*`, `?`, `[…]` and
    `**`. Links are never followed.
    """

    paths: Annotated[list[HostPath], Field(min_length=1, max_length=MAX_PATTERNS)]
    excludes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=1024)]],
        Field(max_length=MAX_PATTERNS),
    ] = Field(default_factory=list)
    """Patterns for whole paths or for names, such as `*.tmp`."""
    max_files: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    max_bytes: Annotated[int, Field(ge=1, le=2**40)] = 2**30
    bandwidth_limit: Megabytes | None = None
    total_bandwidth_limit: Megabytes | None = None


class UploadStart(Schema):
    """A file that is about to come in pieces; the checksum is that of the whole."""

    name: FileName
    size: Annotated[int, Field(ge=0, le=2**50)]
    sha256: Sha256


class UploadOut(Row):
    """How far an upload is: the next piece begins at `offset`, with at most `chunk_bytes`.

    With `file` the whole is there and nothing needs to be sent.
    """

    upload_id: str
    name: str
    size: int
    offset: int
    chunk_bytes: int
    expires_at: datetime
    file: "FileOut | None" = None


class FileOut(Row):
    """A file that the platform keeps."""

    id: str
    artifact_id: str
    name: str
    size: int
    sha256: str
    kind: FileKind
    user_id: int
    username: str
    created_at: datetime
    expires_at: datetime | None
    execution_id: str | None
    task_id: str | None
    host_id: int | None
    host_name: str | None
    file_count: int


class UsageOut(Row):
    """What a person's files take, and what they may take."""

    used_bytes: int
    quota_bytes: int
    max_file_bytes: int

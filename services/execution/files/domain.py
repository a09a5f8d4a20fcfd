"""The rules about paths and names of files, and what can be wrong with them; knows no disk."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from libs.kit.errors import (
    AppError,
    Conflict,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
)

MEGABYTE: Final = 1_000_000
MAX_PATH_BYTES: Final = 4_000
MAX_NAME_BYTES: Final = 255
ALWAYS_REFUSED: Final = ("/proc", "/sys", "/dev")
"""Folders of the kernel; no setting allows them, and the agent refuses them as well."""

PATH_VARIABLES: Final = frozenset(
    {"DATE", "TIME", "YEAR", "MONTH", "DAY", "HOST", "HOST_ID", "IP", "EXECUTION_ID"}
)
"""What a path may name as ``${NAME}`` or ``{{NAME}}``; dates and times are those of the run, in
UTC, as 20260131 and 235959."""

_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_VARIABLE: Final = re.compile(
    r"\$\{\s*([A-Za-z_][A-Za-z0-9_]{0,127})\s*\}|\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,127})\s*\}\}"
)
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]")
_GLOB: Final = frozenset("*?[")


class Overwrite(StrEnum):
    """What happens when the target is there already."""

    OVERWRITE = "overwrite"
    SKIP = "skip"
    BACKUP = "backup"
    FAIL = "fail"


class FileKind(StrEnum):
    """How a file came to the platform."""

    UPLOAD = "upload"
    COLLECTED = "collected"


def file_name(value: str) -> str:
    """One name without a folder, in NFC; it is only ever shown, or used on a host.

    Raises ValueError for separators, control and direction characters, ``.`` and ``..``, a
    leading hyphen, and more than 255 bytes.
    """
    name = unicodedata.normalize("NFC", value)
    _refuse_hidden(name)
    if "/" in name or "\\" in name:
        raise ValueError("a file name has no slash and no backslash")
    if not name.strip(" .") or name != name.strip(" "):
        raise ValueError("a file name is not empty, not only dots, and has no space at its ends")
    if name.startswith("-"):
        raise ValueError("a file name does not begin with a hyphen")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"a file name has at most {MAX_NAME_BYTES} bytes")
    return name


def relative_name(value: str) -> str:
    """A name that may stand in folders, such as ``conf/app.yml``; raises ValueError."""
    name = "/".join(file_name(part) for part in value.split("/"))
    if len(name.encode()) > MAX_PATH_BYTES:
        raise ValueError(f"a name has at most {MAX_PATH_BYTES} bytes")
    return name


def host_path(value: str) -> str:
    """An absolute path on a host, as it was typed; a slash at the end says that it is a folder.

    Raises ValueError for relative paths, ``.`` and ``..``, empty parts, control and direction
    characters, parts of more than 255 bytes and paths of more than 4,000 bytes.
    """
    _refuse_hidden(value)
    if not value.startswith("/"):
        raise ValueError("a path on a host begins with /")
    if len(value.encode()) > MAX_PATH_BYTES:
        raise ValueError(f"a path has at most {MAX_PATH_BYTES} bytes")
    parts = value[1:].split("/")
    if parts[-1] == "":
        parts.pop()
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError("a path has no empty parts, no . and no ..")
        if len(part.encode()) > MAX_NAME_BYTES:
            raise ValueError(f"each part of a path has at most {MAX_NAME_BYTES} bytes")
    return value


def _refuse_hidden(value: str) -> None:
    for character in value:
        if unicodedata.category(character) in _HIDDEN:
            raise ValueError(f"the character U+{ord(character):04X} is not allowed in a path")


def is_allowed(path: str, roots: Iterable[str]) -> bool:
    """Whether a path lies below one of the allowed folders and not in the kernel's own."""
    return not any(_is_below(path, root) for root in ALWAYS_REFUSED) and any(
        _is_below(path, root) for root in roots
    )


def _is_below(path: str, folder: str) -> bool:
    base = folder.rstrip("/")
    return path.rstrip("/") == base or path.startswith(f"{base}/")


def fixed_part(pattern: str) -> str:
    """The folders of a pattern before its first wildcard."""
    parts = pattern.split("/")
    for index, part in enumerate(parts):
        if _GLOB & set(part):
            return "/".join(parts[:index]) or "/"
    return pattern


def base_of(pattern: str) -> str:
    """What is cut off the names when that which a pattern found is put elsewhere.

    `/srv/app` arrives as `app/…`, `/srv/app/` as what is in it, `/srv/*.log` as `a.log`.
    """
    fixed = fixed_part(pattern)
    if fixed != pattern or pattern.endswith("/"):
        return fixed.rstrip("/") or "/"
    return fixed.rpartition("/")[0] or "/"


def variables_in(path: str) -> set[str]:
    """The names of the variables that a path mentions."""
    return {one or other for one, other in _VARIABLE.findall(path)}


def path_values(
    *, execution_id: str, host_id: int, host_name: str, ip_address: str, at: datetime
) -> dict[str, str]:
    """The values of `PATH_VARIABLES` for one host; `at` is when the execution was accepted."""
    return {
        "DATE": at.strftime("%Y%m%d"),
        "TIME": at.strftime("%H%M%S"),
        "YEAR": at.strftime("%Y"),
        "MONTH": at.strftime("%m"),
        "DAY": at.strftime("%d"),
        "HOST": host_name,
        "HOST_ID": str(host_id),
        "IP": ip_address,
        "EXECUTION_ID": execution_id,
    }


def attachment(name: str) -> dict[str, str]:
    """The header with which a browser stores an answer under a name and never shows it (S50).

    RFC 6266: a plain name for old readers, the real one as RFC 5987 says.
    """
    plain = _PLAIN.sub("_", name) or "file"
    real = quote(name, safe="")
    return {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{real}",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
    }


class FileNotThere(NotFound):
    """There is none with that id, or it is somebody else's."""

    code = "file_not_found"
    message = "There is no such file."
    message_zh = "没有这个文件。"


class UploadNotThere(NotFound):
    """There is none with that id, it is somebody else's, or it stood still for too long."""

    code = "upload_not_found"
    message = "There is no such upload; it may have stood still for too long."
    message_zh = "没有这个上传任务，可能因长时间无进展已被清除。"


class FileTaskNotFound(NotFound):
    """This agent has no such task that collects files."""

    code = "file_task_not_found"
    message = "This agent has no such task."
    message_zh = "该 Agent 没有此任务。"


class FileTooLarge(TooLarge):
    """More than one file may have; `limit` is in bytes."""

    code = "file_too_large"
    message = "The file is larger than this platform accepts."
    message_zh = "文件超过平台允许的大小。"


class FileQuotaExceeded(Conflict):
    """All files of a person together; `used`, `quota` and `wanted` are in bytes."""

    code = "file_quota_exceeded"
    message = "Your files would take more than your quota; delete some of them first."
    message_zh = "文件总大小将超过配额，请先删除部分文件。"


class FileInUse(Conflict):
    """An execution that has not ended sends it."""

    code = "file_in_use"
    message = "An execution that has not ended uses this file."
    message_zh = "有未结束的执行正在使用该文件。"


class StorageFull(Unavailable):
    """The disk of the platform takes no more."""

    code = "storage_full"
    message = "The platform has no room for more files."
    message_zh = "平台存储空间不足。"


class UploadOffsetWrong(Conflict):
    """The piece does not begin where the upload stands; `offset` says where that is."""

    code = "upload_offset_wrong"
    message = "The piece does not continue what has been received."
    message_zh = "数据块与已接收的内容不连续。"


class UploadBusy(Conflict):
    """Another request is sending a piece of the same upload at this moment."""

    code = "upload_busy"
    message = "Another request is writing to this upload."
    message_zh = "另一个请求正在写入该上传任务。"


class UploadPieceInvalid(Invalid):
    """The range is missing or not readable, or more comes than was announced."""

    code = "upload_piece_invalid"
    message = "The piece does not fit the announced range or size."
    message_zh = "数据块与声明的范围或大小不符。"


class UploadIncomplete(Conflict):
    """Not all of it is there; `offset` and `size` are in bytes."""

    code = "upload_incomplete"
    message = "The upload is not complete."
    message_zh = "上传尚未完成。"


class UploadsTooMany(TooMany):
    """One person has only so many under way."""

    code = "uploads_too_many"
    message = "Too many uploads are under way; finish or delete some of them."
    message_zh = "进行中的上传过多，请先完成或删除部分上传。"


class ChecksumMismatch(Invalid):
    """What arrived is not what was announced; it was thrown away."""

    code = "checksum_mismatch"
    message = "The content does not have the announced SHA-256; please upload it again."
    message_zh = "内容与声明的 SHA-256 不一致，请重新上传。"


class RangeNotThere(AppError):
    """A range that the file does not have; `size` is in bytes."""

    status = 416
    code = "range_not_satisfiable"
    message = "The file has no such range."
    message_zh = "文件中没有该范围。"


class PathNotAllowed(Invalid):
    """Policy names folders; this path is in none of them, or in one of the kernel's."""

    code = "path_not_allowed"
    message = "This path is outside of the folders that are allowed."
    message_zh = "该路径不在允许的目录范围内。"


class StepNotCollecting(Invalid):
    """A source names a step that does not exist, comes later, or collects nothing."""

    code = "step_not_collecting"
    message = "A source must name an earlier step that collects files."
    message_zh = "来源必须引用之前的文件采集步骤。"


class NothingCollected(NotFound):
    """No host of the execution has brought anything, or it has expired."""

    code = "nothing_collected"
    message = "No files have been collected by this execution."
    message_zh = "该执行没有采集到文件。"

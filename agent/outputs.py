"""The values that a script leaves for later steps: lines `NAME=value` in a file it was given."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from typing import Callable

from libs.protocol.payload import MAX_OUTPUT_BYTES, MAX_OUTPUTS

OUTPUT_VARIABLE = "OPSJOB_OUTPUT"
FILE_NAME = ".opsjob-output"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MOST_NOTICES = 20


@dataclass
class Outputs:
    """What could be taken, and notices (code and name) about what could not."""

    values: dict[str, str] = field(default_factory=dict)
    notices: list[tuple[str, str]] = field(default_factory=list)

    def note(self, code: str, name: str = "") -> None:
        """Remember a notice, once, and not endlessly many."""
        if len(self.notices) < _MOST_NOTICES and (code, name) not in self.notices:
            self.notices.append((code, name))


def make_file(folder: str, uid: int, gid: int) -> str:
    """An empty file in the script's private folder that it may write; raises OSError."""
    path = os.path.join(folder, FILE_NAME)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        if uid != os.geteuid():
            os.fchown(descriptor, uid, gid)
    finally:
        os.close(descriptor)
    return path


def read_outputs(path: str, uid: int, hides_in: Callable[[str], bool]) -> Outputs:
    """The values in the file; a script may have put anything in its place."""
    outputs = Outputs()
    content = _content(path, uid)
    if content is None:
        outputs.note("output_invalid", "file")
        return outputs
    if len(content) > MAX_OUTPUT_BYTES:
        outputs.note("outputs_too_large")
        return outputs
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            _take(outputs, number, line.rstrip(b"\r"), hides_in)
    return outputs


def _content(path: str, uid: int) -> bytes | None:
    """At most one byte more than allowed; None if it is no plain file of that user."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != uid or status.st_nlink != 1:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_OUTPUT_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _take(outputs: Outputs, number: int, line: bytes, hides_in: Callable[[str], bool]) -> None:
    try:
        name, found, value = line.decode("utf-8").partition("=")
    except UnicodeDecodeError:
        found = name = value = ""
    name = name.strip()
    if not found or not _NAME.fullmatch(name) or name.startswith("OPSJOB_"):
        outputs.note("output_invalid", f"line {number}")
    elif _CONTROL.search(value):
        outputs.note("output_invalid", name)
    elif hides_in(value):
        outputs.values.pop(name, None)
        outputs.note("output_secret", name)
    elif name not in outputs.values and len(outputs.values) >= MAX_OUTPUTS:
        outputs.note("outputs_too_large")
    else:
        outputs.values[name] = value

"""Names of files, and what stands in a file where bytes are missing."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

LONGEST_NAME: Final = 80
_OTHERS: Final = re.compile(r"[^\w.\-]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One stream of one attempt of one task, as it is named in a file of several."""

    step: int
    step_name: str
    host: str
    host_id: int
    task_id: str
    attempt: int
    stream: str

    @property
    def path(self) -> str:
        """Its place in an archive; no name leads out of it."""
        again = f"-attempt{self.attempt}" if self.attempt > 1 else ""
        step = f"{self.step:02d}-{safe_name(self.step_name)}"
        return f"{step}/{safe_name(self.host)}-{self.host_id}{again}/{self.stream}.log"

    @property
    def title(self) -> bytes:
        """The line above it in a text of several parts."""
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        text = f"===== {self.step}. {self.step_name} / {self.host}{again} / {self.stream} =====\n"
        return text.encode()


def safe_name(name: str) -> str:
    """A name made of letters, digits, `_`, `-` and inner dots only."""
    return _OTHERS.sub("_", name).strip("._")[:LONGEST_NAME] or "_"


def missing(length: int, reason: str) -> bytes:
    """The line that stands where bytes are missing, so that no copy is silently short (R18)."""
    return f"\n[opsjob: {length} bytes are missing here: {reason}]\n".encode()


def disposition(name: str) -> str:
    """The header that makes a browser save and never show (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

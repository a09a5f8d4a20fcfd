"""What `opsjob up` was asked for, and the one error that refuses a start."""

import enum
from dataclasses import dataclass
from pathlib import Path


class StartRefused(Exception):
    """The platform cannot start; the text is one line that says what to change."""


class LogTarget(enum.StrEnum):
    """Where the log lines of the platform's processes go."""

    files = "files"
    terminal = "terminal"


@dataclass(frozen=True)
class UpOptions:
    """One embedded platform.

    `port` and `agent_port` may be 0: free ports are chosen then and written to
    `<data_dir>/run/address.json`.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    agent_port: int = 8001
    with_agent: bool = True
    log_level: str = "INFO"
    logs: LogTarget = LogTarget.files
    once: bool = False

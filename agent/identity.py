"""Who the agent is, as enrolment stored it, and what names this host and this boot."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from agent.state import StateFolder, read_if_there, write_durably


class NotEnrolled(Exception):
    """The state folder holds no identity."""


@dataclass(frozen=True)
class Identity:
    """The answer of the enrolment; gateways are the HTTP addresses to connect to, in order."""

    agent_id: str
    host_id: int
    host_name: str
    identity_epoch: int
    gateways: tuple[str, ...]
    ca_file: str = ""

    @classmethod
    def load(cls, state: StateFolder) -> Identity:
        """Raises NotEnrolled."""
        content = read_if_there(state.identity)
        if content is None:
            raise NotEnrolled(f"No identity in {state.root}; run `opsjob-agent enrol` first.")
        try:
            raw = json.loads(content)
            return cls(**{**raw, "gateways": tuple(raw["gateways"])})
        except (ValueError, TypeError, KeyError):
            raise NotEnrolled(f"{state.identity} is damaged; enrol again.") from None

    def store(self, state: StateFolder) -> None:
        """Durable when it returns."""
        write_durably(state.identity, json.dumps(asdict(self), indent=2).encode() + b"\n")


def socket_address(gateway: str, agent_id: str) -> str:
    """The WebSocket address of an agent at a gateway given by its HTTP address."""
    parts = urlsplit(gateway)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws/agent/{agent_id}"


def boot_id() -> str:
    """Changes with every boot of the host."""
    content = read_if_there("/proc/sys/kernel/random/boot_id")
    return content.decode().strip() if content else "unknown"


def machine_id() -> str:
    """A stable name for this installation of an operating system; hashed, as it is confidential."""
    content = read_if_there("/etc/machine-id") or platform.node().encode()
    return hashlib.sha256(b"opsjob/machine/v1\0" + content.strip()).hexdigest()


def host_address(gateway: str) -> str:
    """The address this host has towards a gateway; nothing is sent to find out."""
    parts = urlsplit(gateway)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((parts.hostname or "127.0.0.1", parts.port or 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def os_version() -> str:
    """The distribution's own name for itself."""
    content = read_if_there("/etc/os-release") or b""
    for line in content.decode("utf-8", "replace").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip("\"'")[:128]
    return platform.release()[:128]


def os_type() -> str:
    """Such as `linux`."""
    return os.uname().sysname.lower()

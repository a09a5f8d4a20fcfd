"""The host's load and size, read from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agent.state import read_if_there


@dataclass(frozen=True)
class Load:
    """One look at the host; percentages from 0 to 100, network bytes since boot."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    disk_free_bytes: int
    net_rx_bytes: int
    net_tx_bytes: int
    load1: float


class LoadMeter:
    """Measures load; CPU is the share since the previous look."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._cpu = _cpu_times()

    def look(self) -> Load:
        """The load now; `folder` names the disk that is meant."""
        busy, total = _cpu_times()
        passed = total - self._cpu[1]
        cpu = 100.0 * (busy - self._cpu[0]) / passed if passed > 0 else 0.0
        self._cpu = (busy, total)
        disk = os.statvfs(self._folder)
        used = 1 - disk.f_bavail / disk.f_blocks if disk.f_blocks else 0.0
        total_memory, available = _memory()
        received, sent = _network()
        return Load(
            cpu_percent=_percent(cpu),
            memory_percent=_percent(100.0 * (1 - available / total_memory)),
            disk_percent=_percent(100.0 * used),
            disk_free_bytes=disk.f_bavail * disk.f_frsize,
            net_rx_bytes=received,
            net_tx_bytes=sent,
            load1=round(os.getloadavg()[0], 2),
        )


def _percent(value: float) -> float:
    return round(min(100.0, max(0.0, value)), 1)


def _cpu_times() -> tuple[int, int]:
    """Busy and total ticks of all processors together."""
    first = (read_if_there("/proc/stat") or b"cpu 0 0 0 0").split(b"\n", 1)[0]
    ticks = [int(field) for field in first.split()[1:9]]
    idle = sum(ticks[3:5])
    return sum(ticks) - idle, sum(ticks)


def _memory() -> tuple[int, int]:
    """Total and available bytes."""
    found = {b"MemTotal": 1024, b"MemAvailable": 0}
    for line in (read_if_there("/proc/meminfo") or b"").splitlines()[:8]:
        name, _, value = line.partition(b":")
        if name in found:
            found[name] = int(value.split()[0]) * 1024
    return found[b"MemTotal"], found[b"MemAvailable"]


def memory_bytes() -> int:
    """How much memory the host has."""
    return _memory()[0]


def _network() -> tuple[int, int]:
    """Bytes received and sent on all interfaces but loopback."""
    received = sent = 0
    for line in (read_if_there("/proc/net/dev") or b"").splitlines()[2:]:
        name, _, values = line.partition(b":")
        fields = values.split()
        if name.strip() != b"lo" and len(fields) >= 9:
            received += int(fields[0])
            sent += int(fields[8])
    return received, sent

"""One cgroup per task where the host allows it, so that a whole tree can be frozen and killed."""

from __future__ import annotations

import os
from dataclasses import dataclass

_PREFIX = "opsjob-"


@dataclass(frozen=True)
class CgroupRoot:
    """A folder of the cgroup file system in which this process may make groups."""

    path: str
    is_v2: bool


def find_root() -> CgroupRoot | None:
    """Our own group in version 2, else in the freezer of version 1; None if neither lets us."""
    own = _own_groups()
    for mount, kind, _ in _mounts():
        if kind == "cgroup2" and "" in own:
            root = CgroupRoot(mount + own[""].rstrip("/"), is_v2=True)
            if _can_make_groups(root) and _has_kill(root):
                return root
    for mount, kind, options in _mounts():
        if kind == "cgroup" and "freezer" in options and "freezer" in own:
            root = CgroupRoot(mount + own["freezer"].rstrip("/"), is_v2=False)
            if _can_make_groups(root):
                return root
    return None


def _own_groups() -> dict[str, str]:
    """Controller to path; the empty name stands for version 2."""
    groups: dict[str, str] = {}
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            for line in file:
                _, controllers, path = line.rstrip("\n").split(":", 2)
                for name in controllers.split(","):
                    groups[name] = path
    except OSError:
        return {}
    return groups


def _mounts() -> list[tuple[str, str, list[str]]]:
    """Mount point, type and options of the mounted cgroup hierarchies."""
    mounts = []
    try:
        with open("/proc/self/mounts", encoding="utf-8") as file:
            for line in file:
                _, path, kind, options = line.split(" ")[:4]
                if kind in ("cgroup", "cgroup2"):
                    mounts.append((path, kind, options.split(",")))
    except OSError:
        return []
    return mounts


def _can_make_groups(root: CgroupRoot) -> bool:
    probe = os.path.join(root.path, f"{_PREFIX}probe-{os.getpid()}")
    try:
        os.mkdir(probe)
        os.rmdir(probe)
    except OSError:
        return False
    return True


def _has_kill(root: CgroupRoot) -> bool:
    probe = os.path.join(root.path, f"{_PREFIX}probe-{os.getpid()}")
    try:
        os.mkdir(probe)
        found = os.path.exists(os.path.join(probe, "cgroup.kill"))
        os.rmdir(probe)
    except OSError:
        return False
    return found


class Cgroup:
    """The group of one task; every operation that the kernel refuses is simply not done.

    The caller still looks for processes in other ways, so a missing group costs precision in
    rare cases (a root script that moved itself elsewhere), never correctness of the result.
    """

    def __init__(self, root: CgroupRoot, mark: str) -> None:
        self.is_v2 = root.is_v2
        self.path = os.path.join(root.path, _PREFIX + mark)

    def create(self, max_processes: int | None) -> bool:
        """Make the group; False if that failed and it must not be used."""
        try:
            os.mkdir(self.path)
        except OSError:
            return False
        if max_processes is not None:
            self._write("pids.max", str(max_processes))
        return True

    def enter(self) -> None:
        """Move the calling process in, where it was not started inside."""
        self._write("cgroup.procs" if self.is_v2 else "tasks", "0")

    def pids(self) -> set[int]:
        """The processes inside, zombies left out by the kernel."""
        try:
            with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as file:
                return {int(line) for line in file}
        except (OSError, ValueError):
            return set()

    def freeze(self, *, frozen: bool) -> None:
        """Stop or continue all processes inside, so that none forks between look and signal."""
        if self.is_v2:
            self._write("cgroup.freeze", "1" if frozen else "0")
        else:
            self._write("freezer.state", "FROZEN" if frozen else "THAWED")

    def kill(self) -> None:
        """Kill everything inside at once; version 1 has no such file, there the caller signals."""
        if self.is_v2:
            self._write("cgroup.kill", "1")

    def remove(self) -> None:
        """Delete the group; it must be empty."""
        try:
            os.rmdir(self.path)
        except OSError:
            return

    def _write(self, name: str, text: str) -> None:
        try:
            descriptor = os.open(os.path.join(self.path, name), os.O_WRONLY)
        except OSError:
            return
        try:
            os.write(descriptor, text.encode())
        except OSError:
            return
        finally:
            os.close(descriptor)

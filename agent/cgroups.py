"""One cgroup per task where the host allows it: a whole tree can be frozen, killed and limited."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

_PREFIX = "opsjob-"
_CONTROLLERS = ("memory", "pids", "cpu")
_PERIOD_MICROSECONDS = 100_000
_REMOVE_SECONDS = 0.2

FLAVOURS = ("auto", "v1", "v2", "none")
"""Which cgroups an agent may use; `auto` takes the best that it finds."""


@dataclass(frozen=True)
class Place:
    """A folder of a cgroup file system in which this process may make groups."""

    path: str
    is_v2: bool


@dataclass(frozen=True)
class CgroupRoot:
    """Where groups are made: one place to freeze and kill a tree, and one for each limit.

    Limits may lie elsewhere: hosts with version 2 for services and version 1 for the rest are
    common. A controller that is missing cannot limit anything here.
    """

    path: str
    is_v2: bool
    controllers: Mapping[str, Place] = field(default_factory=dict)


def find_root(flavour: str = "auto") -> CgroupRoot | None:
    """Our own group in version 2, else in the freezer of version 1; None if neither lets us."""
    own, mounts = _own_groups(), _mounts()
    if flavour in ("auto", "v2"):
        for mount, kind, _ in mounts:
            if kind == "cgroup2" and "" in own:
                root = _root_v2(mount, own[""])
                if root is not None:
                    others = {} if flavour == "v2" else _controllers_v1(mounts, own)
                    known = {**others, **root.controllers}
                    return CgroupRoot(root.path, is_v2=True, controllers=known)
    if flavour in ("auto", "v1"):
        for mount, kind, options in mounts:
            if kind == "cgroup" and "freezer" in options and "freezer" in own:
                path = mount + own["freezer"].rstrip("/")
                if _can_make_groups(path):
                    return CgroupRoot(path, is_v2=False, controllers=_controllers_v1(mounts, own))
    return None


def _root_v2(mount: str, own: str) -> CgroupRoot | None:
    """Beside our own group if a service manager put us into a subgroup, else inside it.

    A group that holds processes cannot pass controllers on; the one around a subgroup can.
    """
    around, _, name = own.rstrip("/").rpartition("/")
    places = [own.rstrip("/")]
    if name and around.endswith(".service"):
        places.insert(0, around)
    for place in places:
        path = mount + place
        if _can_make_groups(path) and _has_kill(path):
            found = {name: Place(path, is_v2=True) for name in _enabled(path)}
            return CgroupRoot(path, is_v2=True, controllers=found)
    return None


def _enabled(path: str) -> list[str]:
    """The controllers that groups below this one get."""
    for name in _CONTROLLERS:
        _write(os.path.join(path, "cgroup.subtree_control"), f"+{name}")
    return [n for n in _read(os.path.join(path, "cgroup.subtree_control")).split()
            if n in _CONTROLLERS]  # fmt: skip


def _controllers_v1(
    mounts: list[tuple[str, str, list[str]]], own: Mapping[str, str]
) -> dict[str, Place]:
    found = {}
    for mount, kind, options in mounts:
        for name in _CONTROLLERS:
            if kind == "cgroup" and name in options and name in own:
                path = mount + own[name].rstrip("/")
                if _can_make_groups(path):
                    found[name] = Place(path, is_v2=False)
    return found


def _own_groups() -> dict[str, str]:
    """Controller to path; the empty name stands for version 2."""
    groups: dict[str, str] = {}
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            groups[name] = path
    return groups


def _mounts() -> list[tuple[str, str, list[str]]]:
    """Mount point, type and options of the mounted cgroup hierarchies."""
    mounts = []
    for line in _read("/proc/self/mounts").splitlines():
        _, path, kind, options = line.split(" ")[:4]
        if kind in ("cgroup", "cgroup2"):
            mounts.append((path, kind, options.split(",")))
    return mounts


def _can_make_groups(path: str) -> bool:
    probe = os.path.join(path, f"{_PREFIX}probe-{os.getpid()}")
    try:
        os.mkdir(probe)
        os.rmdir(probe)
    except OSError:
        return False
    return True


def _has_kill(path: str) -> bool:
    probe = os.path.join(path, f"{_PREFIX}probe-{os.getpid()}")
    try:
        os.mkdir(probe)
        found = os.path.exists(os.path.join(probe, "cgroup.kill"))
        os.rmdir(probe)
    except OSError:
        return False
    return found


def groups_of(mark: str) -> list[Cgroup]:
    """The groups of a task as far as they exist, whichever cgroups its agent was told to use."""
    roots = [find_root("auto"), find_root("v1")]
    groups = [Cgroup(root, mark) for root in roots if root is not None]
    return [group for group in groups if os.path.isdir(group.path)]


class Cgroup:
    """The group of one task; every operation that the kernel refuses is simply not done.

    The caller still looks for processes in other ways, so a missing group costs precision in
    rare cases (a root script that moved itself elsewhere), never correctness of the result.
    `limits` names the limits that hold: `memory`, `pids`, `cpu`.
    """

    def __init__(self, root: CgroupRoot, mark: str) -> None:
        self.is_v2 = root.is_v2
        self.path = os.path.join(root.path, _PREFIX + mark)
        self._paths = {
            name: (os.path.join(place.path, _PREFIX + mark), place.is_v2)
            for name, place in root.controllers.items()
        }
        self.limits: set[str] = set()

    def create(
        self,
        max_processes: int | None = None,
        *,
        memory_bytes: int | None = None,
        cpu_percent: int | None = None,
    ) -> bool:
        """Make the group; False if that failed and it must not be used."""
        wanted = {"memory": memory_bytes, "pids": max_processes, "cpu": cpu_percent}
        self._paths = {n: p for n, p in self._paths.items() if wanted[n] is not None}
        try:
            for path in self._folders():
                os.mkdir(path)
        except OSError:
            self.remove()
            return False
        for name, value in wanted.items():
            if value is not None and name in self._paths and self._limit(name, value):
                self.limits.add(name)
        return True

    def _folders(self) -> list[str]:
        return sorted({self.path, *(path for path, _ in self._paths.values())})

    def _limit(self, name: str, value: int) -> bool:
        path, is_v2 = self._paths[name]
        if name == "pids":
            return _write(os.path.join(path, "pids.max"), str(value))
        if name == "cpu":
            quota = str(value * _PERIOD_MICROSECONDS // 100)
            if is_v2:
                return _write(os.path.join(path, "cpu.max"), f"{quota} {_PERIOD_MICROSECONDS}")
            return _write(os.path.join(path, "cpu.cfs_quota_us"), quota)
        if is_v2:
            _write(os.path.join(path, "memory.swap.max"), "0")
            _write(os.path.join(path, "memory.oom.group"), "1")
            return _write(os.path.join(path, "memory.max"), str(value))
        done = _write(os.path.join(path, "memory.limit_in_bytes"), str(value))
        _write(os.path.join(path, "memory.memsw.limit_in_bytes"), str(value))
        return done

    def enter(self) -> None:
        """Move the calling process in, where it was not started inside."""
        _write(os.path.join(self.path, "cgroup.procs" if self.is_v2 else "tasks"), "0")

    def enter_limits(self) -> None:
        """Move the calling process to where limits are set, if that is another hierarchy."""
        for path in self._folders():
            if path != self.path:
                _write(os.path.join(path, "tasks"), "0")

    def oom_kills(self) -> int:
        """How many processes the kernel ended because the memory was used up."""
        if "memory" not in self._paths:
            return 0
        path, is_v2 = self._paths["memory"]
        content = _read(os.path.join(path, "memory.events" if is_v2 else "memory.oom_control"))
        for line in content.splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
        return 0

    def pids(self) -> set[int]:
        """The processes inside, zombies left out by the kernel."""
        return {int(pid) for pid in _members(self.path)}

    def freeze(self, *, frozen: bool) -> None:
        """Stop or continue all processes inside, so that none forks between look and signal."""
        if self.is_v2:
            _write(os.path.join(self.path, "cgroup.freeze"), "1" if frozen else "0")
        else:
            state = "FROZEN" if frozen else "THAWED"
            _write(os.path.join(self.path, "freezer.state"), state)

    def kill(self) -> bool:
        """Kill everything inside at once; version 1 has no such file: False, the caller signals."""
        return self.is_v2 and _write(os.path.join(self.path, "cgroup.kill"), "1")

    def remove(self, seconds: float = _REMOVE_SECONDS) -> None:
        """Delete the group; the kernel may need a moment until it counts as empty."""
        deadline = time.monotonic() + seconds
        left = [path for path in self._folders() if os.path.isdir(path)]
        while left:
            for path in left:
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            left = [path for path in left if os.path.isdir(path)]
            if left and time.monotonic() >= deadline:
                return
            if left:
                time.sleep(_REMOVE_SECONDS / 20)


def _members(path: str) -> list[str]:
    return _read(os.path.join(path, "cgroup.procs")).split()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(descriptor, text.encode())
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True

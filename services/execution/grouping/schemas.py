"""What grouping answers."""

from libs.kit.service import Row


class MemberOut(Row):
    """A host of a group."""

    host_id: int
    host: str
    task_id: str


class GroupOut(Row):
    """Hosts that said the same. `hosts` are the first 200 of them, `sample` how it begins.

    `is_cut` says that the outputs are so long that only their beginnings and lengths were compared.
    """

    hash: str
    count: int
    lines: int
    bytes: int
    sample: str
    is_cut: bool
    hosts: list[MemberOut]


class GroupsOut(Row):
    """All groups, the majority first; `complete` says that no output will change any more."""

    step_id: str | None
    stream: str
    total: int
    groups: list[GroupOut]
    complete: bool


class DiffOut(Row):
    """How group `b` differs from group `a`, as lines of a unified diff."""

    a: str
    b: str
    lines: list[str]
    is_cut: bool

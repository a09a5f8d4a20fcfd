"""Which waiting tasks may be offered within the limits, and why the others wait; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Protocol, TypeVar

from libs.contracts.execution import StepStatus, TaskStatus
from services.execution.domain import PauseReason

IN_FLIGHT = frozenset({TaskStatus.OFFERED, TaskStatus.CLAIMED, TaskStatus.RUNNING})
"""States that count against limits: the host has the order, or may claim it at any moment."""


DEAF = timedelta(seconds=30)
"""A longer pause between two looks means that we could not have heard anybody."""


class Hearing:
    """Whether the silence of agents means anything: only while we could have heard them (R39).

    We could not before we started, while Redis was away, while this process or the whole machine
    was stopped, and not across a step of the wall clock, by which silence is measured.
    """

    def __init__(self, grace_seconds: float, *, at: float, wall: datetime) -> None:
        self._grace_seconds = grace_seconds
        self._heard_at, self._heard_wall = at, wall
        self._no_loss_before = at + grace_seconds

    def look(self, *, at: float, wall: datetime, is_reachable: bool) -> bool:
        """One look at monotonic `at`: whether hosts that were silent too long are lost now."""
        paused = max(timedelta(seconds=at - self._heard_at), wall - self._heard_wall)
        if not is_reachable or paused > DEAF:
            self._no_loss_before = at + self._grace_seconds
        if is_reachable:
            self._heard_at, self._heard_wall = at, wall
        return at >= self._no_loss_before


class Queued(Protocol):
    """A task in the queue."""

    @property
    def id(self) -> str: ...
    @property
    def execution_id(self) -> str: ...
    @property
    def user_id(self) -> int: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def priority(self) -> int: ...


Q = TypeVar("Q", bound=Queued)


@dataclass(frozen=True, slots=True)
class Caps:
    """The platform's own limits of tasks in flight; 0 means none."""

    per_host: int = 0
    per_user: int = 0
    per_execution: int = 0


@dataclass
class Slots:
    """What is in flight, and how much may be; 0 and a missing execution mean no limit (R17)."""

    per_host: int = 0
    per_user: int = 0
    per_execution: Mapping[str, int] = field(default_factory=dict)
    hosts: Counter[str] = field(default_factory=Counter)
    users: Counter[int] = field(default_factory=Counter)
    executions: Counter[str] = field(default_factory=Counter)

    def lacking(self, task: Queued) -> "WaitCode | None":
        """Which limit has no room for a task now."""
        limit = self.per_execution.get(task.execution_id)
        if limit is not None and self.executions[task.execution_id] >= limit:
            return WaitCode.EXECUTION_LIMIT
        if self.per_user and self.users[task.user_id] >= self.per_user:
            return WaitCode.USER_LIMIT
        if self.per_host and self.hosts[task.agent_id] >= self.per_host:
            return WaitCode.HOST_LIMIT
        return None

    def take(self, task: Queued) -> None:
        """Count a task as in flight, under the limits that there are."""
        if task.execution_id in self.per_execution:
            self.executions[task.execution_id] += 1
        if self.per_user:
            self.users[task.user_id] += 1
        if self.per_host:
            self.hosts[task.agent_id] += 1


def choose(tasks: Iterable[Q], slots: Slots) -> list[Q]:
    """The tasks that fit into the free slots, which are taken.

    The lower priority number goes first; among equals executions take turns, so that a large one
    does not keep a small one out; within an execution the order of its hosts counts.
    """
    turns: Counter[str] = Counter(slots.executions)
    ranked: list[tuple[int, int, str, Q]] = []
    for task in tasks:
        ranked.append((task.priority, turns[task.execution_id], task.id, task))
        turns[task.execution_id] += 1
    chosen: list[Q] = []
    for *_, task in sorted(ranked, key=itemgetter(0, 1, 2)):
        if slots.lacking(task) is None:
            slots.take(task)
            chosen.append(task)
    return chosen


class WaitCode(StrEnum):
    """Why a task has not started."""

    STEP_NOT_REACHED = "step_not_reached"
    BATCH_NOT_REACHED = "batch_not_reached"
    BATCH_DELAY = "batch_delay"
    CONFIRMATION = "confirmation"
    APPROVAL = "approval"
    PAUSED = "paused"
    RETRY_DELAY = "retry_delay"
    EXECUTION_LIMIT = "execution_limit"
    USER_LIMIT = "user_limit"
    HOST_LIMIT = "host_limit"
    AGENT_OFFLINE = "agent_offline"
    AGENT_BUSY = "agent_busy"
    OFFER_SENT = "offer_sent"


SENTENCES: Mapping[WaitCode, tuple[str, str]] = {
    WaitCode.STEP_NOT_REACHED: ("An earlier step has not ended.", "前面的步骤尚未结束。"),
    WaitCode.BATCH_NOT_REACHED: ("An earlier batch has not ended.", "前面的批次尚未结束。"),
    WaitCode.BATCH_DELAY: ("The delay between two batches.", "正在等待批次间隔。"),
    WaitCode.CONFIRMATION: ("Somebody has to confirm.", "等待人工确认。"),
    WaitCode.APPROVAL: ("Others have to approve it first.", "等待他人审批。"),
    WaitCode.PAUSED: ("The execution is paused.", "执行已暂停。"),
    WaitCode.RETRY_DELAY: ("The delay before the next attempt.", "正在等待重试间隔。"),
    WaitCode.EXECUTION_LIMIT: (
        "As many hosts of this execution are at work as may be at once.",
        "该执行的并发数已达上限。",
    ),
    WaitCode.USER_LIMIT: (
        "As many tasks of this user are at work as may be at once.",
        "该用户的并发任务数已达上限。",
    ),
    WaitCode.HOST_LIMIT: (
        "As many tasks are at work on this host as may be at once.",
        "该主机的并发任务数已达上限。",
    ),
    WaitCode.AGENT_OFFLINE: ("The host's agent is not connected.", "主机的 Agent 未连接。"),
    WaitCode.AGENT_BUSY: (
        "The agent has the offer and no free slot yet.",
        "Agent 已收到任务，但暂无空闲执行槽位。",
    ),
    WaitCode.OFFER_SENT: ("It is being offered to the agent.", "正在下发给 Agent。"),
}


@dataclass(frozen=True, slots=True)
class Waiter:
    """A task that has not started, with what decides when it will."""

    id: str
    execution_id: str
    user_id: int
    agent_id: str
    priority: int
    status: str
    batch_no: int
    not_before: datetime | None
    offered_at: datetime | None
    step_status: str
    batch_ready_at: datetime | None
    pause: str | None


def why_waiting(
    task: Waiter, *, is_online: bool, slots: Slots, now: datetime, busy_after: timedelta
) -> WaitCode | None:
    """The one reason that a person should be told first; None for a task that does not wait."""
    if task.status == TaskStatus.PENDING:
        return _held(task, now)
    if task.status not in {TaskStatus.QUEUED, TaskStatus.OFFERED}:
        return None
    if task.not_before is not None and task.not_before > now:
        return WaitCode.RETRY_DELAY
    if not is_online:
        return WaitCode.AGENT_OFFLINE
    if task.status == TaskStatus.QUEUED:
        return slots.lacking(task) or WaitCode.OFFER_SENT
    waited = task.offered_at is not None and now - task.offered_at > busy_after
    return WaitCode.AGENT_BUSY if waited else WaitCode.OFFER_SENT


def _held(task: Waiter, now: datetime) -> WaitCode:
    if task.pause in {PauseReason.USER, PauseReason.THRESHOLD}:
        return WaitCode.PAUSED
    if task.pause == PauseReason.APPROVAL:
        return WaitCode.APPROVAL
    if task.pause is not None:
        return WaitCode.CONFIRMATION
    if task.step_status == StepStatus.PENDING:
        return WaitCode.STEP_NOT_REACHED
    if task.batch_ready_at is not None and task.batch_ready_at > now:
        return WaitCode.BATCH_DELAY
    return WaitCode.BATCH_NOT_REACHED

"""What happens next in an execution of many steps; pure: rows in, a decision out.

`decide` looks at one moment and names the next changes. Its caller stores them and asks again until
nothing is left to change, so every state follows from rows alone and any process may ask (R12).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from libs.contracts.execution import ExecutionStatus, StepStatus, TaskStatus
from services.execution.domain import (
    BROKEN_STEPS,
    BROKEN_TASKS,
    DECLINED,
    EARLIER_STEP_FAILED,
    ENDED_STEPS,
    ERRORS_IGNORED,
    FAILURE_THRESHOLD,
    FAILURES_TOLERATED,
    HELD,
    ON_HOST,
    OPEN,
    STICKY,
    WAITING,
    WORST_FIRST,
    PauseReason,
    StepKind,
    Threshold,
    holds,
)

SETTLE = timedelta(seconds=0.5)
"""How soon to look again whether the output of an attempt is complete before the next begins."""

_WORST_STEPS = (
    StepStatus.CANCELLED,
    StepStatus.FAILED,
    StepStatus.TIMEOUT,
    StepStatus.LOST,
    StepStatus.EXPIRED,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Tasks of a step that stand alike.

    `again`: a signed result ended the attempt and another is allowed. `settled`: no more output of
    the attempt is expected. `ready_at`: when the first that waits after a failure may be offered.
    """

    batch: int
    status: TaskStatus
    count: int
    again: bool = False
    settled: bool = True
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as the engine sees it.

    `skipped`: somebody asked for that. `decided`: somebody confirmed or declined; see `reason`.
    """

    id: str
    name: str
    kind: StepKind = StepKind.SCRIPT
    status: StepStatus = StepStatus.PENDING
    reason: str | None = None
    is_handler: bool = False
    on_failure: str | None = None
    ignore_error: bool = False
    condition: Mapping[str, object] | None = None
    batch_no: int = 0
    batch_total: int = 1
    batch_ready_at: datetime | None = None
    confirmed_batch: int = 0
    forgiven: int = 0
    skipped: bool = False
    decided: bool = False
    expires_at: datetime | None = None
    confirm_seconds: int = 0
    tallies: tuple[Tally, ...] = ()

    def count(self, statuses: Collection[TaskStatus], *, upto: int | None = None) -> int:
        """How many tasks are in one of these states, in the batches up to one."""
        reached = (t for t in self.tallies if upto is None or t.batch <= upto)
        return sum(tally.count for tally in reached if tally.status in statuses)

    @property
    def total(self) -> int:
        """All tasks."""
        return sum(tally.count for tally in self.tallies)

    @property
    def failures(self) -> int:
        """Hosts on which it failed for good."""
        return sum(t.count for t in self.tallies if t.status in BROKEN_TASKS and not t.again)

    def due(self, *, settled: bool) -> int:
        """Tasks that will be tried again, with and without a complete output."""
        return sum(t.count for t in self.tallies if t.again and t.settled == settled)

    def unfinished(self, upto: int | None = None) -> int:
        """Tasks that are open or will be tried again, in the batches up to one."""
        again = sum(t.count for t in self.tallies if t.again and (upto is None or t.batch <= upto))
        return self.count(OPEN, upto=upto) + again


@dataclass(frozen=True, slots=True)
class View:
    """An execution at one moment; `confirm_between` is none, first or each."""

    now: datetime
    steps: tuple[StepView, ...]
    stopping: bool = False
    begun: bool = False
    pause: PauseReason | None = None
    threshold: Threshold | None = None
    batch_delay: float = 0.0
    confirm_between: str = "none"
    variables: Mapping[str, object] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether somebody has to resume before anything starts."""
        return self.pause in STICKY


@dataclass(frozen=True, slots=True)
class Move:
    """A new standing of a step. Fields that are None stay as they are."""

    step_id: str
    status: StepStatus | None = None
    reason: str | None = None
    batch_no: int | None = None
    batch_ready_at: datetime | None = None
    expires_at: datetime | None = None
    make_tasks: bool = False
    """Tasks on hosts that an earlier step names have to be made first."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Tasks of a step that will not start any more."""

    step_id: str
    status: TaskStatus
    reason: str
    stop_running: bool = False


@dataclass
class Decision:
    """The changes to make now; `next_at` is when to look again even if nothing happens."""

    moves: list[Move] = field(default_factory=list)
    releases: dict[str, int] = field(default_factory=dict)
    """By step: pending tasks of the batches up to this one become queued."""
    withdraw: list[str] = field(default_factory=list)
    """Steps whose queued and offered tasks go back to pending."""
    drops: list[Drop] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
    """Steps whose failed tasks with complete output get their next attempt."""
    pause: PauseReason | None = None
    next_at: datetime | None = None

    @property
    def changes(self) -> bool:
        """Whether rows of steps or tasks change, so that another look is needed."""
        return bool(self.moves or self.releases or self.withdraw or self.drops or self.retries)

    def look_at(self, moment: datetime) -> None:
        """Look again at this moment, or earlier."""
        self.next_at = min(self.next_at or moment, moment)


def decide(view: View) -> Decision:
    """The next changes of an execution; an empty decision when it waits for somebody or something.

    Steps run in their order, one at a time. After a failure that nobody ignores, the handler of the
    step runs, and the rest is skipped.
    """
    decision = Decision(pause=view.pause if view.held else None)
    if view.stopping:
        decision.pause = None
        _stop(view, decision)
        return decision
    steps = [step for step in view.steps if not step.is_handler]
    for step in steps:
        if step.status not in ENDED_STEPS:
            _progress(view, step, decision)
            return decision
        if step.status in BROKEN_STEPS:
            handler = _handler(view, step)
            if handler is not None and handler.status not in ENDED_STEPS:
                _progress(view, handler, decision)
                return decision
            break
    _skip_rest(view, decision)
    return decision


def execution_standing(view: View, pause: PauseReason | None) -> ExecutionStatus:
    """The state of an execution; a function of its steps and tasks (R12)."""
    statuses = {step.status for step in view.steps}
    if statuses <= ENDED_STEPS:
        for status in _WORST_STEPS:
            if status in statuses:
                return ExecutionStatus(str(status))
        return ExecutionStatus.SUCCESS
    if pause is not None:
        return ExecutionStatus.PAUSED
    moved = any(t.status not in HELD | WAITING for step in view.steps for t in step.tallies)
    begun = view.begun or moved or statuses & ENDED_STEPS
    return ExecutionStatus.RUNNING if begun else ExecutionStatus.PENDING


def outcome(step: StepView, threshold: Threshold | None) -> tuple[StepStatus, str | None]:
    """How a step ended whose tasks have all ended, and why it is called so."""
    present = {tally.status for tally in step.tallies if tally.count}
    if not present - {TaskStatus.SKIPPED}:
        return StepStatus.SKIPPED, step.reason or ("no_hosts" if not present else None)
    named = next((named for status, named in WORST_FIRST if status in present), None)
    if named is None:
        return StepStatus.SUCCESS, None
    worst = StepStatus(str(named))
    if step.ignore_error:
        return StepStatus.SUCCESS, ERRORS_IGNORED
    if threshold is not None and threshold.action != "ignore":
        exceeded = threshold.exceeded(step.failures - step.forgiven, step.total)
        if not exceeded and threshold.explicit and worst is not StepStatus.CANCELLED:
            return StepStatus.SUCCESS, FAILURES_TOLERATED
        if exceeded and threshold.action == "stop" and step.count({TaskStatus.SKIPPED}):
            return worst, FAILURE_THRESHOLD
    return worst, step.reason


def _stop(view: View, decision: Decision) -> None:
    for step in view.steps:
        if step.status in ENDED_STEPS:
            continue
        if step.count(HELD | WAITING):
            decision.drops.append(Drop(step.id, TaskStatus.CANCELLED, "cancelled"))
        elif not step.count(OPEN):
            begun = step.status == StepStatus.RUNNING and step.tallies
            cancelled = (StepStatus.CANCELLED, "cancelled")
            decision.moves.append(Move(step.id, *(outcome(step, None) if begun else cancelled)))


def _handler(view: View, step: StepView) -> StepView | None:
    if step.on_failure is None or step.status == StepStatus.CANCELLED:
        return None
    return next((s for s in view.steps if s.is_handler and s.name == step.on_failure), None)


def _skip_rest(view: View, decision: Decision) -> None:
    for step in view.steps:
        if step.status not in ENDED_STEPS:
            reason = "not_needed" if step.is_handler else EARLIER_STEP_FAILED
            _skip(step, reason, decision)


def _skip(step: StepView, reason: str, decision: Decision) -> None:
    if step.count(HELD | WAITING):
        decision.drops.append(Drop(step.id, TaskStatus.SKIPPED, reason))
    decision.moves.append(Move(step.id, status=StepStatus.SKIPPED, reason=reason))


def _progress(view: View, step: StepView, decision: Decision) -> None:
    if step.status == StepStatus.PENDING:
        if step.skipped:
            _skip(step, "skipped_by_user", decision)
        elif not view.held:
            _begin(view, step, decision)
    elif step.kind == StepKind.CONFIRM:
        _await_confirmation(view, step, decision)
    elif step.skipped:
        _abandon(step, decision)
    else:
        _run(view, step, decision)


def _begin(view: View, step: StepView, decision: Decision) -> None:
    if step.condition is not None and not holds(step.condition, partial(_is, view), view.variables):
        _skip(step, "condition_false", decision)
    elif step.kind == StepKind.CONFIRM:
        expires_at = view.now + timedelta(seconds=step.confirm_seconds)
        decision.pause = PauseReason.CONFIRMATION
        decision.look_at(expires_at)
        decision.moves.append(Move(step.id, status=StepStatus.PAUSED, expires_at=expires_at))
    else:
        decision.moves.append(
            Move(step.id, status=StepStatus.RUNNING, batch_no=1, make_tasks=not step.tallies)
        )


def _await_confirmation(view: View, step: StepView, decision: Decision) -> None:
    if step.skipped:
        _skip(step, "skipped_by_user", decision)
    elif step.decided:
        approved = step.reason != DECLINED
        status = StepStatus.SUCCESS if approved else StepStatus.FAILED
        decision.moves.append(Move(step.id, status=status, reason=step.reason))
    elif step.expires_at is not None and step.expires_at <= view.now:
        decision.moves.append(
            Move(step.id, status=StepStatus.EXPIRED, reason="confirmation_expired")
        )
    else:
        decision.pause = decision.pause or PauseReason.CONFIRMATION
        if step.expires_at is not None:
            decision.look_at(step.expires_at)


def _abandon(step: StepView, decision: Decision) -> None:
    if step.count(HELD | WAITING):
        drop = Drop(step.id, TaskStatus.SKIPPED, "skipped_by_user", stop_running=True)
        decision.drops.append(drop)
    elif not step.count(ON_HOST):
        decision.moves.append(Move(step.id, status=StepStatus.SKIPPED, reason="skipped_by_user"))


def _run(view: View, step: StepView, decision: Decision) -> None:
    threshold = view.threshold
    if threshold and threshold.exceeded(step.failures - step.forgiven, step.total):
        if threshold.action == "stop":
            _give_up(step, threshold, decision)
            return
        if threshold.action == "pause" and not view.held and step.count(HELD | WAITING):
            decision.pause = PauseReason.THRESHOLD
            if step.count(WAITING):
                decision.withdraw.append(step.id)
            return
    if not step.unfinished():
        decision.moves.append(Move(step.id, *outcome(step, threshold)))
        return
    for tally in step.tallies:
        if tally.ready_at is not None and tally.status in WAITING:
            decision.look_at(tally.ready_at)
    if step.due(settled=False):
        decision.look_at(view.now + SETTLE)
    if not view.held:
        _release(view, step, decision)


def _give_up(step: StepView, threshold: Threshold, decision: Decision) -> None:
    if step.count(HELD | WAITING):
        decision.drops.append(Drop(step.id, TaskStatus.SKIPPED, FAILURE_THRESHOLD))
    elif not step.count(ON_HOST):
        decision.moves.append(Move(step.id, *outcome(step, threshold)))


def _release(view: View, step: StepView, decision: Decision) -> None:
    if step.due(settled=True):
        decision.retries.append(step.id)
    if step.count(HELD, upto=step.batch_no):
        decision.releases[step.id] = step.batch_no
    elif not step.unfinished(upto=step.batch_no) and step.batch_no < step.batch_total:
        _next_batch(view, step, decision)


def _next_batch(view: View, step: StepView, decision: Decision) -> None:
    ask = view.confirm_between == "each" or (view.confirm_between == "first" and step.batch_no == 1)
    if ask and step.confirmed_batch < step.batch_no:
        if step.reason == DECLINED:
            decision.drops.append(Drop(step.id, TaskStatus.SKIPPED, DECLINED))
        else:
            decision.pause = PauseReason.BATCH
        return
    if view.batch_delay and step.batch_ready_at is None:
        ready = view.now + timedelta(seconds=view.batch_delay)
        decision.look_at(ready)
        decision.moves.append(Move(step.id, batch_ready_at=ready))
    elif step.batch_ready_at is not None and step.batch_ready_at > view.now:
        decision.look_at(step.batch_ready_at)
    else:
        decision.moves.append(Move(step.id, batch_no=step.batch_no + 1))


def _is(view: View, name: str, wanted: str) -> bool:
    step = next((s for s in view.steps if s.name == name), None)
    if step is None:
        return False
    failed = step.status in BROKEN_STEPS or step.reason == ERRORS_IGNORED
    match wanted:
        case "success":
            return step.status == StepStatus.SUCCESS and not failed
        case "failed":
            return failed
        case "skipped":
            return step.status == StepStatus.SKIPPED
        case "any_failed":
            return step.failures > 0
        case _:
            return False

"""Executions without processes: real rows, reports and engine; modelled agents and clock."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from libs.contracts.execution import TaskStatus
from libs.contracts.hosts import HostTarget
from libs.kit.db import Database, Transaction
from services.execution.access.service import Actors
from services.execution.changes.service import Changes
from services.execution.dispatch.domain import Caps
from services.execution.dispatch.repository import DispatchRepository, Scope
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import (
    BROKEN_TASKS,
    TERMINAL,
    WAITING,
    LogStatus,
    StepKind,
)
from services.execution.flow.service import Flow
from services.execution.logs.service import Recorder
from services.execution.models import Step, Task
from services.execution.plans.domain import Plan, StepPlan
from services.execution.plans.repository import PlanRepository
from services.execution.reports.service import Reports, Round
from services.execution.repository import ExecutionRepository
from services.execution.settings import ExecutionSettings
from services.execution.signatures.service import NobodySigns
from tests.support.engine_rows import PER_HOST, Key, Rows
from tests.support.execution import operator

Message = dict[str, object]


class _Everybody(Actors):
    """All users may run what they started."""

    def __init__(self) -> None:
        pass

    def may(
        self, user_id: int, host_id: int, kind: str, run_as: str | None, *, refers: bool = False
    ) -> bool:
        """Yes."""
        return True


class _NobodyListens:
    """Takes the place of dispatcher, changes and recorder: the rules of the test decide what
    happens when."""

    def wake(self, **_: object) -> None:
        """Forget it; a sweep will look."""

    def freed(self) -> None:
        """Forget it; a sweep will look."""

    def tell(self, *_: object, **__: object) -> None:
        """Forget it."""

    def ended(self, *_: object) -> None:
        """Forget it; a rule says when output is complete."""

    def whole(self, *_: object) -> set[str]:
        """None: a rule says when output is complete."""
        return set()


@dataclass
class ModelAgent:
    """An agent as its journal knows it."""

    number: int
    boot: int = 1
    session: int = 1
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    offers: list[Key] = field(default_factory=list)
    running: dict[Key, int] = field(default_factory=dict)
    """Granted attempts with their epochs."""
    results: list[Message] = field(default_factory=list)
    seen: set[Key] = field(default_factory=set)
    """Everything that was ever started here."""

    @property
    def id(self) -> str:
        """The agent id."""
        return f"agent-{self.number}"


class World(Rows):
    """Rows, agents, and a clock that moves when it is told to."""

    HOSTS: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self.flow = Flow(ExecutionSettings())
        silent = _NobodyListens()
        self._reports = Reports(
            cast("Database", None),
            _Everybody(),
            cast("Dispatcher", silent),
            cast("Changes", silent),
            self.flow,
            NobodySigns(),
            cast("Recorder", silent),
        )
        self.agents = [ModelAgent(number) for number in range(self.HOSTS)]
        self.starts: list[Key] = []
        self.proved: set[Key] = set()
        """Attempts for which an agent signed a success."""

    # ---- people -----------------------------------------------------------------------------

    def target(self, number: int, *, has_agent: bool = True) -> HostTarget:
        """The host of an agent, or the same host without one."""
        agent = self.agents[number]
        public = base64.b64encode(agent.key.public_key().public_bytes_raw()).decode()
        return HostTarget(
            host_id=number + 1,
            name=f"host-{number}",
            ip_address=f"192.0.2.{number}",
            agent_id=agent.id if has_agent else None,
            agent_status="online" if has_agent else "none",
            public_key=public if has_agent else None,
            identity_epoch=1,
        )

    def confirm_step(self, name: str, condition: Mapping[str, object] | None) -> StepPlan:
        """A step that waits for somebody."""
        payload = {"confirm": {"expires_seconds": 600}}
        return StepPlan(name=name, kind=StepKind.CONFIRM, condition=condition, payload=payload)

    def submit(self, plan: Plan) -> None:
        """Accept a plan as the service would."""
        with self.transaction() as tx:
            execution_id = f"execution-{len(self.executions())}"
            PlanRepository(tx).add(execution_id, plan, operator(), timedelta(seconds=600))
            self.flow.advance(tx, execution_id)

    def operate(self, number: int, act: Callable[[Transaction, str], object]) -> None:
        """Do something to one of the executions."""
        ids = self.executions()
        if ids:
            with self.transaction() as tx:
                act(tx, ids[number % len(ids)])

    def _steps(self, tx: Transaction, execution_id: str) -> Sequence[Step]:
        return ExecutionRepository(tx).steps_of(execution_id)

    def confirm(self, number: int, *, approve: bool) -> None:
        """Answer whatever an execution waits for."""

        def answer(tx: Transaction, execution_id: str) -> None:
            for step in self._steps(tx, execution_id):
                if self.flow.confirm(tx, execution_id, step.id, 7, approve=approve):
                    return

        self.operate(number, answer)

    def skip(self, number: int, step: int) -> None:
        """Leave out a step."""

        def leave(tx: Transaction, execution_id: str) -> None:
            steps = self._steps(tx, execution_id)
            self.flow.skip(tx, execution_id, steps[step % len(steps)].id, 7)

        self.operate(number, leave)

    def ignore(self, number: int, step: int) -> set[Key]:
        """Go on behind a failed step; returns the attempts that this opens."""
        return self._wanted(number, step, self.flow.ignore_errors)

    def retry(self, number: int, step: int) -> set[Key]:
        """Retry the failed hosts of a step; returns the attempts that this opens."""
        return self._wanted(number, step, partial(self.flow.retry, statuses=BROKEN_TASKS))

    def _wanted(
        self, number: int, step: int, act: Callable[[Transaction, str, str], object]
    ) -> set[Key]:
        wanted: set[Key] = set()

        def do(tx: Transaction, execution_id: str) -> None:
            steps = self._steps(tx, execution_id)
            before = _attempts(tx)
            act(tx, execution_id, steps[step % len(steps)].id)
            wanted.update(_attempts(tx) - before)

        self.operate(number, do)
        return wanted

    def cancel(self, number: int) -> None:
        """Stop an execution."""

        def stop(tx: Transaction, execution_id: str) -> None:
            executions = ExecutionRepository(tx)
            executions.bump([execution_id])
            execution = executions.by_id(execution_id)
            assert execution is not None
            if execution.finished_at is not None:
                return
            execution.cancel_requested_at = execution.cancel_requested_at or tx.now
            executions.end(
                None,
                execution_id=execution_id,
                status=TaskStatus.CANCELLED,
                reason="cancelled",
                only=WAITING,
                version=executions.version_of(execution_id),
            )
            executions.ask_to_stop(execution_id, statuses=[TaskStatus.CLAIMED, TaskStatus.RUNNING])
            self.flow.advance(tx, execution_id)

        self.operate(number, stop)

    # ---- the way to the agents and back -----------------------------------------------------

    def offer(self, *, lost: bool) -> None:
        """What dispatch does in one look at everything."""
        with self.transaction() as tx:
            dispatch = DispatchRepository(tx)
            stale = self.now - timedelta(seconds=15)
            waiting = dispatch.waiting(Scope(), after=(0, ""), reoffer_before=stale)
            offered = dispatch.mark_offered(waiting, Caps(per_host=PER_HOST))
        for task in offered if not lost else ():
            self._agent(task.agent_id).offers.append((task.id, task.attempt))

    def _agent(self, agent_id: str) -> ModelAgent:
        return self.agents[int(agent_id.partition("-")[2])]

    def claim(self, host: int, *, lost: bool) -> list[Key]:
        """Claim the oldest offer; returns what was granted. `lost`: the answer does not arrive."""
        agent = self.agents[host]
        if not agent.offers:
            return []
        key = agent.offers[0]
        work = self._report([self._message(agent, "claim", key)])
        granted: list[Key] = []
        for _, asked in work.granted:
            granted.append((asked.task_id, asked.attempt))
            epoch, boot_id = self._granted(asked.task_id)
            if not lost and key not in agent.seen and boot_id == self._boot(agent):
                agent.running[key] = epoch
                agent.seen.add(key)
                self.starts.append(key)
        if not lost and (work.granted or work.answers):
            agent.offers.remove(key)
        return granted

    def _granted(self, task_id: str) -> tuple[int, str | None]:
        """Epoch and boot of a grant, which the signer reads from the row."""
        with self.transaction() as tx:
            row = tx.execute(select(Task.epoch, Task.boot_id).where(Task.id == task_id)).one()
            return row.epoch, row.boot_id

    def report_started(self, host: int) -> None:
        """Say of everything that runs that it does."""
        agent = self.agents[host]
        for key, epoch in agent.running.items():
            self._report([self._message(agent, "started", key, epoch=epoch)])

    def end(self, host: int, code: int, outcome: str) -> None:
        """Let the oldest script end; its result waits to be delivered."""
        agent = self.agents[host]
        if agent.running:
            self._end(agent, next(iter(agent.running)), code, outcome)

    def _end(self, agent: ModelAgent, key: Key, code: int, outcome: str) -> None:
        epoch = agent.running.pop(key)
        if outcome == "exited" and code == 0:
            self.proved.add(key)
        total = {"seq": 0, "bytes": 0, "sha256": None}
        payload = json.dumps(
            {
                "task_id": key[0],
                "attempt": key[1],
                "epoch": epoch,
                "agent_id": agent.id,
                "outcome": outcome,
                "exit_code": code if outcome == "exited" else None,
                "signal": None,
                "reason": "",
                "duration_ms": 1,
                "streams": {"stdout": total, "stderr": total},
            }
        )
        signature = base64.b64encode(agent.key.sign(b"opsjob/result/v1\0" + payload.encode()))
        agent.results.append(
            self._message(agent, "result", key, payload=payload, signature=signature.decode())
        )

    def deliver(self, host: int, *, twice: bool, last_first: bool) -> None:
        """Bring results to the service, until they are acknowledged."""
        agent = self.agents[host]
        results = agent.results[::-1] if last_first else agent.results
        if results:
            work = self._report([*results, *(results if twice else ())])
            acknowledged = {json.loads(frame)["task_id"] for _, frame in work.answers}
            agent.results = [r for r in agent.results if r["task_id"] not in acknowledged]

    def connect(self, host: int) -> None:
        """Open a new session that lists the journal."""
        agent = self.agents[host]
        agent.session += 1
        held = [*agent.running, *((str(r["task_id"]), _int(r["attempt"])) for r in agent.results)]
        message = self._message(agent, "connected", ("", 0)) | {
            "tasks": [{"task_id": t, "attempt": a, "state": "running"} for t, a in held]
        }
        with self.transaction() as tx:
            _unwrapped(Reports._reconcile)(self._reports, tx, [message])

    def reboot(self, host: int) -> None:
        """Everything on the host is gone; its journal knows what had been started."""
        agent = self.agents[host]
        agent.boot += 1
        agent.offers.clear()
        for key in list(agent.running):
            self._end(agent, key, 0, "lost")
        self.connect(host)

    def reinstall(self, host: int) -> None:
        """The agent comes back without its journal."""
        agent = self.agents[host]
        agent.running.clear()
        agent.results.clear()
        agent.offers.clear()
        self.connect(host)

    def _boot(self, agent: ModelAgent) -> str:
        return f"boot-{agent.number}-{agent.boot}"

    def _message(self, agent: ModelAgent, kind: str, key: Key, **more: object) -> Message:
        return {
            "t": kind,
            "agent_id": agent.id,
            "boot_id": self._boot(agent),
            "session_id": f"session-{agent.session}",
            "task_id": key[0],
            "attempt": key[1],
            **more,
        }

    def _report(self, messages: Sequence[Message]) -> Round:
        with self.transaction() as tx:
            done: Round = _unwrapped(Reports._move_all)(self._reports, tx, messages)
            return done

    # ---- time -------------------------------------------------------------------------------

    def tick(self, seconds: int) -> None:
        """Let time pass, then sweep: what is overdue ends, what is due happens."""
        self.now += timedelta(seconds=seconds)
        with self.transaction() as tx:
            dispatch = DispatchRepository(tx)
            ended = dispatch.expire(limit=1000)
            silent = self.now - timedelta(seconds=300)
            ended |= dispatch.lose(silent_since=silent, limit=1000)
            ended |= dispatch.overrun(silence=timedelta(seconds=300), limit=1000)
            self.flow.settle(tx, ended)
            for execution_id in self.flow.due(tx):
                self.flow.advance(tx, execution_id)

    def settle_output(self) -> None:
        """The output of everything that has ended is complete."""
        with self.transaction() as tx:
            tx.execute(
                update(Task)
                .where(Task.log_status == LogStatus.LIVE, Task.status.in_(sorted(TERMINAL)))
                .values(log_status=LogStatus.COMPLETE)
            )


def _attempts(tx: Transaction) -> set[Key]:
    tx.flush()
    return {(task, attempt) for task, attempt in tx.execute(select(Task.id, Task.attempt))}


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _unwrapped(method: object) -> Callable[..., Any]:
    """The plain function behind a use case: the transaction is ours."""
    return cast("Callable[..., Any]", method.__wrapped__)  # type: ignore[attr-defined]

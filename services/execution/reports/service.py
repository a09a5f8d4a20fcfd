"""Applies what agents report, in batches: one transaction for all claims, one for all results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libs.contracts.execution import TaskStatus
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.faults import fault
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from services.execution.access.service import Actors
from services.execution.changes.service import Changes
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import TERMINAL, LogStatus
from services.execution.flow.service import Flow
from services.execution.incidents.service import Incident, about, note
from services.execution.logs.domain import Totals
from services.execution.logs.service import Recorder
from services.execution.reports.domain import (
    FORGERIES,
    OTHER_AGENT,
    PLAIN_SUCCESS,
    Message,
    ReportRefused,
    claim_of,
    final_status,
    is_past,
    journal_of,
    judge_claim,
    missing_from_journal,
    moment,
    number,
    own,
    read_of,
    status_of_refusal,
    text_of,
    verified,
)
from services.execution.reports.repository import (
    ReportedTask,
    ReportRepository,
    final_row,
    grant_row,
    late,
)
from services.execution.reports.schemas import refuse, result_ack
from services.execution.repository import ExecutionRepository
from services.execution.signatures.service import Signer
from services.execution.signing.domain import Asked

CODES_KEPT = 10_000
"""Steps whose success codes are remembered."""

Answers = list[tuple[str, bytes]]
Rows = dict[str, dict[str, object]]
Tasks = Mapping[str, ReportedTask]

log = get_logger(__name__)
refused = counter(
    "opsjob_reports_refused_total", "Reports of agents that changed nothing.", ["why"]
)


@dataclass
class Round:
    """What one transaction makes of a batch: the rows that move, and what is answered."""

    grants: Rows = field(default_factory=dict)
    starts: Rows = field(default_factory=dict)
    ends: Rows = field(default_factory=dict)
    lates: Rows = field(default_factory=dict)
    extras: Rows = field(default_factory=dict)
    granted: list[tuple[str, Asked]] = field(default_factory=list)
    """Agents and the attempts that they may start, once the commit is done and it is signed."""
    incidents: list[Incident] = field(default_factory=list)
    archived: list[dict[str, object]] = field(default_factory=list)
    codes: Mapping[str, frozenset[int]] = field(default_factory=dict)
    answers: Answers = field(default_factory=list)
    postponed: list[Message] = field(default_factory=list)
    """Claims about whose users auth has to be asked first, or hosts about where they lie."""
    unknown: set[tuple[int, int]] = field(default_factory=set)
    """Their users, each with the host of the task."""
    touched: set[str] = field(default_factory=set)
    released: list[str] = field(default_factory=list)
    """Executions in which something else may start now."""
    whole: set[str] = field(default_factory=set)
    """Tasks that have ended, and of whose output nothing is missing."""
    going_on: set[str] = field(default_factory=set)
    """Executions that have neither ended by this nor got anything new to do."""

    @property
    def moved(self) -> set[str]:
        """The tasks of all rows."""
        return {*self.grants, *self.starts, *self.ends, *self.lates}

    def suspect(self, message: Message, reason: str) -> None:
        """Note a message that no honest agent sends; it changes nothing."""
        self.incidents.append(about(message, reason))

    def own(self, tasks: Tasks, message: Message) -> ReportedTask | None:
        """The task of a message, if it is this agent's and this attempt's (S10, B91)."""
        task = tasks.get(str(message["task_id"]))
        if task and task.standing.agent_id != message["agent_id"]:
            self.suspect(message, OTHER_AGENT)
        found = own(tasks, message)
        if found is None:
            refused.labels("not_its_task").inc()
        return found

    def answer(self, message: Message, frame: bytes) -> None:
        """Send a frame back to the agent of a message."""
        self.answers.append((str(message["agent_id"]), frame))


class Reports:
    """The use cases behind the agents' messages; each may run twice and means the same."""

    def __init__(
        self,
        db: Database,
        actors: Actors,
        dispatcher: Dispatcher,
        changes: Changes,
        flow: Flow,
        signer: Signer,
        recorder: Recorder,
    ) -> None:
        self._db = db
        self._actors = actors
        self._dispatcher = dispatcher
        self._changes = changes
        self._flow = flow
        self._signer = signer
        self._recorder = recorder
        self._codes: dict[str, frozenset[int]] = {}

    async def apply(self, messages: Sequence[Message]) -> Answers:
        """Apply claims, rejections, starts and results; returns the frames to send back.

        One transaction does it all. While auth does not answer, claims get no answer, because
        nobody starts unchecked; the agents ask again, and everything else goes on.
        """
        work = await self._apply(messages)
        answers = work.answers + await self._grants(work)
        if work.unknown:
            try:
                await self._actors.ask(work.unknown)
            except Unavailable:
                return answers
            work = await self._apply(work.postponed)
            answers = answers + work.answers + await self._grants(work)
        return answers

    async def _grants(self, work: Round) -> Answers:
        """Signed leave to start what the database has granted; without a signer there is none."""
        if not work.granted:
            return []
        try:
            signed = await self._signer.grants([asked for _, asked in work.granted])
        except Unavailable:
            return []
        return [
            (agent_id, signed.frames[asked.task_id])
            for agent_id, asked in work.granted
            if asked.task_id in signed.frames
        ]

    async def _apply(self, messages: Sequence[Message]) -> Round:
        work = await self._move_all(messages)
        if work.grants:
            fault("claim.after_cas")
        if work.ends:
            fault("result.after_commit")
        self._recorder.ended([*work.ends, *work.lates], work.whole)
        self._changes.tell(work.touched, going_on=work.going_on)
        self._wake(work)
        return work

    def _wake(self, work: Round) -> None:
        if work.ends:
            self._dispatcher.freed()
        for execution_id in work.released:
            self._dispatcher.wake(execution_id=execution_id)

    @writes
    def _move_all(self, tx: Transaction, messages: Sequence[Message]) -> Round:
        tasks = ReportRepository(tx).tasks([str(m["task_id"]) for m in messages], lock=True)
        work = Round(codes=self._success_codes(tx, tasks, messages))
        for message in messages:
            match message.get("t"):
                case "claim":
                    self._claim(tx, tasks, message, work)
                case "reject":
                    _reject(tasks, message, work)
                case "started":
                    _start(tx, tasks, message, work)
                case "result":
                    _finish(tx, tasks, message, work)
        ReportRepository(tx).attach_archived(work.archived)
        if work.incidents:
            note(tx, work.incidents)
        self._store(tx, tasks, work)
        if work.ends:
            fault("result.before_commit")
        return work

    def _success_codes(
        self, tx: Transaction, tasks: Tasks, messages: Sequence[Message]
    ) -> Mapping[str, frozenset[int]]:
        """What counts as success in the steps of these results; steps never change it."""
        steps = {
            tasks[str(message["task_id"])].step_id
            for message in messages
            if message.get("t") == "result" and str(message["task_id"]) in tasks
        }
        unknown = steps - self._codes.keys()
        if unknown:
            if len(self._codes) > CODES_KEPT:
                self._codes = {}
            self._codes = self._codes | ReportRepository(tx).success_codes(steps)
        return self._codes

    def _claim(self, tx: Transaction, tasks: Tasks, message: Message, work: Round) -> None:
        claim = claim_of(message)
        task = tasks.get(claim.task_id)
        if task and task.standing.agent_id != claim.agent_id:
            work.suspect(message, OTHER_AGENT)
        verdict = judge_claim(task.standing if task else None, claim, tx.now)
        reason = verdict.reason
        if verdict.granted and task:
            may = self._actors.may(task.user_id, task.host_id, task.kind, task.run_as)
            if may is None:
                work.unknown.add((task.user_id, task.host_id))
                work.postponed.append(message)
                return
            if may:
                if verdict.changes:
                    work.grants[task.id] = grant_row(claim, verdict.epoch)
                work.granted.append((claim.agent_id, Asked(task.id, claim.attempt)))
                return
            reason = "actor_not_allowed"
            work.ends[task.id] = final_row(task.id, TaskStatus.REJECTED, reason=reason)
        elif verdict.changes and task:
            work.ends[task.id] = final_row(task.id, TaskStatus.LOST, reason=reason)
        work.answer(message, refuse(claim.task_id, claim.attempt, reason=reason))

    async def agents_said(self, messages: Sequence[Message]) -> None:
        """Apply connections and heartbeats: signs of life, and what journals no longer hold."""
        alive = [
            str(message["agent_id"])
            for message in messages
            if message.get("t") in {"connected", "heartbeat"}
        ]
        connected = [message for message in messages if message.get("t") == "connected"]
        fresh = [message for message in connected if not message.get("again")]
        if alive and await self._anything_on(alive):
            await self._seen(alive)
        if connected:
            work = await self._reconcile(fresh)
            self._recorder.ended(work.ends)
            self._changes.tell(work.touched, going_on=work.going_on)
            self._wake(work)
            self._dispatcher.wake(agent_ids=[str(message["agent_id"]) for message in connected])

    @reads
    def _anything_on(self, tx: Transaction, agent_ids: Sequence[str]) -> bool:
        return ReportRepository(tx).anything_on(agent_ids)

    @writes
    def _seen(self, tx: Transaction, agent_ids: Sequence[str]) -> None:
        ReportRepository(tx).seen(agent_ids)

    @writes
    def _reconcile(self, tx: Transaction, connected: Sequence[Message]) -> Round:
        by_agent = {str(message["agent_id"]): message for message in connected}
        tasks: dict[str, ReportedTask] = {}
        work = Round()
        for agent_id, of_agent in ReportRepository(tx).on_host_of(by_agent).items():
            message = by_agent[agent_id]
            known = journal_of(message)
            session = {
                "session_id": str(message.get("session_id")),
                "boot_id": str(message["boot_id"]),
            }
            for task in of_agent:
                key = (task.id, task.standing.attempt)
                why = missing_from_journal(
                    task.standing, task.session_id, session, known.get(key, {})
                )
                if why:
                    tasks[task.id] = task
                    work.ends[task.id] = final_row(task.id, TaskStatus.LOST, reason=why)
        self._store(tx, tasks, work)
        return work

    def _store(self, tx: Transaction, tasks: Tasks, work: Round) -> None:
        """Move the rows of a round and derive the states of their executions anew."""
        work.touched = {tasks[task_id].execution_id for task_id in work.moved}
        if not work.touched:
            return
        executions, reports = ExecutionRepository(tx), ReportRepository(tx)
        executions.bump(work.touched)
        reports.grant(list(work.grants.values()))
        reports.start(list(work.starts.values()))
        work.whole = self._recorder.whole(tx, _results(tasks, work.ends))
        for task_id in work.whole:
            work.ends[task_id]["known"] = str(LogStatus.COMPLETE)
        reports.finish(list(work.ends.values()))
        reports.attach_late(list(work.lates.values()))
        reports.attach(list(work.extras.values()))
        work.released = self._flow.settle(tx, work.touched)
        work.going_on = work.touched.difference(work.released)
        if work.ends or work.lates:
            work.going_on -= {each for each in work.going_on if executions.is_over(each)}


def _results(tasks: Tasks, ends: Rows) -> dict[str, tuple[int, Totals]]:
    """Attempts and signed totals of the tasks that end with a result."""
    return {
        task_id: (tasks[task_id].standing.attempt, sums)
        for task_id, row in ends.items()
        if isinstance(sums := row["sums"], dict)
    }


def _reject(tasks: Tasks, message: Message, work: Round) -> None:
    task = work.own(tasks, message)
    if task and task.standing.status not in TERMINAL | {TaskStatus.RUNNING}:
        reason = str(message.get("reason") or "rejected")
        row = final_row(
            task.id, status_of_refusal(reason), reason=reason, detail=text_of(message.get("detail"))
        )
        work.ends.setdefault(task.id, row)


def _start(tx: Transaction, tasks: Tasks, message: Message, work: Round) -> None:
    task = work.own(tasks, message)
    if task and task.standing.status == TaskStatus.CLAIMED:
        work.starts[task.id] = {
            "task": task.id,
            "granted": number(message.get("epoch")),
            "started": moment(text_of(message.get("started_at"))) or tx.now,
        }


def _finish(tx: Transaction, tasks: Tasks, message: Message, work: Round) -> None:
    try:
        if is_past(tasks, message):
            _finish_past(tx, tasks, message, work)
            return
        task, result = verified(tasks, message)
    except ReportRefused as why:
        refused.labels(str(why)).inc()
        if str(why) in FORGERIES and str(message["task_id"]) in tasks:
            work.suspect(message, f"result_{why}")
        log.warning("A result was refused.", task_id=message["task_id"], why=str(why))
        return
    status = final_status(result, work.codes.get(task.step_id, PLAIN_SUCCESS))
    totals = result.streams.model_dump()
    if task.standing.status in TERMINAL:
        if task.was_forced or task.standing.status != status:
            outcome = late(status, result.exit_code, result.reason, tx.now)
            kept = {"outcome": outcome, "sums": totals, "counted": result.processes}
            work.lates[task.id] = {"task": task.id, **kept}
    elif task.id not in work.ends:
        work.ends[task.id] = final_row(
            task.id,
            status,
            reason=result.reason,
            detail=result.noticed(),
            exit_code=result.exit_code,
            signal=result.signal,
            duration_ms=result.duration_ms,
            started_at=result.began(),
            totals=totals,
        )
        if extras := result.extras():
            work.extras[task.id] = {"task": task.id, **extras}
    work.answer(message, result_ack(task.id, task.standing.attempt))


def _finish_past(tx: Transaction, tasks: Tasks, message: Message, work: Round) -> None:
    """Keep a late result of an earlier attempt beside it; it changes nothing else (R10)."""
    task = tasks[str(message["task_id"])]
    result = read_of(task, message)
    if result.task_id != task.id or result.attempt != message["attempt"]:
        raise ReportRefused("not_its_task")
    status = final_status(result, work.codes.get(task.step_id, PLAIN_SUCCESS))
    outcome = late(status, result.exit_code, result.reason, tx.now)
    work.archived.append(
        {"task": task.id, "past": result.attempt, "final": str(status), "outcome": outcome}
    )
    work.answer(message, result_ack(task.id, result.attempt))

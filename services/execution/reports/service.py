"""Applies what agents report, in batches: one transaction for all claims, one for all results."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from libs.contracts.auth import AuthClient
from libs.contracts.execution import TaskStatus
from libs.kit.clock import monotonic
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from services.execution.changes.service import Changes
from services.execution.dispatch.service import Dispatcher
from services.execution.domain import ON_HOST, TERMINAL
from services.execution.reports.domain import (
    Claim,
    ReportRefused,
    ResultPayload,
    final_status,
    judge_claim,
    missing_from_journal,
    moment,
    read_result,
)
from services.execution.reports.repository import (
    ReportedTask,
    ReportRepository,
    final_row,
    late,
)
from services.execution.repository import ExecutionRepository

ACTOR_SECONDS = 3.0
"""How long an answer of auth about a user's standing is believed; T_revoke is 5 s."""

Message = Mapping[str, object]
Answers = list[tuple[str, bytes]]

log = get_logger(__name__)
refused = counter(
    "opsjob_reports_refused_total", "Reports of agents that changed nothing.", ["why"]
)


class Actors:
    """Whether the people behind tasks may still run them, asked at claim time (R6)."""

    def __init__(self, auth: AuthClient) -> None:
        self._auth = auth
        self._known: dict[int, tuple[float, bool]] = {}

    async def allowed(self, user_ids: Iterable[int]) -> set[int]:
        """Those who are active and may run. Raises Unavailable when auth does not answer."""
        wanted = set(user_ids)
        fresh = monotonic() - ACTOR_SECONDS
        unknown = [u for u in wanted if self._known.get(u, (float("-inf"), False))[0] < fresh]
        if unknown:
            answer = await self._auth.active_users(unknown)
            for user_id in unknown:
                who = answer.get(user_id)
                may = who is not None and bool({"*", "executions:run"} & set(who.permissions))
                self._known[user_id] = (monotonic(), may)
        return {user_id for user_id in wanted if self._known[user_id][1]}


class Reports:
    """The use cases behind the agents' messages; each may run twice and means the same."""

    def __init__(
        self,
        db: Database,
        actors: Actors,
        dispatcher: Dispatcher,
        changes: Changes,
        *,
        settle: Callable[[Sequence[str]], None],
    ) -> None:
        self._db = db
        self._actors = actors
        self._dispatcher = dispatcher
        self._changes = changes
        self._settle = settle

    async def apply(self, messages: Sequence[Message]) -> Answers:
        """Apply claims, rejections, starts and results; returns the frames to send back."""
        kinds: dict[str, list[Message]] = defaultdict(list)
        for message in messages:
            kinds[str(message.get("t"))].append(message)
        answers: Answers = []
        if kinds["claim"]:
            answers += await self._claims(kinds["claim"])
        if kinds["reject"]:
            self._changes.tell(await self._reject(kinds["reject"]))
        if kinds["started"]:
            self._changes.tell(await self._starts(kinds["started"]))
        if kinds["result"]:
            answers += await self._finish(kinds["result"])
        return answers

    async def _claims(self, messages: Sequence[Message]) -> Answers:
        claims = [
            Claim(
                task_id=str(message["task_id"]),
                attempt=_number(message["attempt"]),
                agent_id=str(message["agent_id"]),
                boot_id=str(message["boot_id"]),
                session_id=_text(message.get("session_id")),
            )
            for message in messages
        ]
        users = await self._actors_of([claim.task_id for claim in claims])
        try:
            allowed = await self._actors.allowed(users)
        except Unavailable:
            return []  # nobody starts unchecked; the agents ask again
        answers, touched = await self._grant(claims, allowed)
        self._changes.tell(touched)
        return answers

    @reads
    def _actors_of(self, tx: Transaction, task_ids: Sequence[str]) -> set[int]:
        return {task.user_id for task in ReportRepository(tx).tasks(task_ids).values()}

    @writes
    def _grant(
        self, tx: Transaction, claims: Sequence[Claim], allowed: set[int]
    ) -> tuple[Answers, set[str]]:
        reports = ReportRepository(tx)
        tasks = reports.tasks([claim.task_id for claim in claims], lock=True)
        answers: Answers = []
        grants: dict[str, dict[str, object]] = {}
        ends: dict[str, dict[str, object]] = {}
        for claim in claims:
            task = tasks.get(claim.task_id)
            verdict = judge_claim(task.standing if task else None, claim, tx.now)
            if verdict.granted and task and task.user_id not in allowed:
                ends[task.id] = final_row(task.id, TaskStatus.REJECTED, reason="actor_not_allowed")
                answers.append((claim.agent_id, _refuse_frame(claim, "actor_not_allowed")))
            elif verdict.granted:
                if verdict.changes:
                    grants[claim.task_id] = _grant_row(claim, verdict.epoch)
                answers.append((claim.agent_id, _grant_frame(claim, verdict.epoch)))
            else:
                if verdict.changes and task:
                    ends[task.id] = final_row(task.id, TaskStatus.LOST, reason=verdict.reason)
                answers.append((claim.agent_id, _refuse_frame(claim, verdict.reason)))
        return answers, self._move(tx, tasks, grants=grants, ends=ends)

    @writes
    def _reject(self, tx: Transaction, messages: Sequence[Message]) -> set[str]:
        reports = ReportRepository(tx)
        tasks = reports.tasks([str(m["task_id"]) for m in messages], lock=True)
        ends: dict[str, dict[str, object]] = {}
        for message in messages:
            task = _own(tasks, message)
            if task and task.standing.status not in TERMINAL | {TaskStatus.RUNNING}:
                ends[task.id] = final_row(
                    task.id,
                    TaskStatus.REJECTED,
                    reason=str(message.get("reason") or "rejected"),
                    detail=_text(message.get("detail")),
                )
        return self._move(tx, tasks, ends=ends)

    @writes
    def _starts(self, tx: Transaction, messages: Sequence[Message]) -> set[str]:
        reports = ReportRepository(tx)
        tasks = reports.tasks([str(m["task_id"]) for m in messages], lock=True)
        starts: dict[str, dict[str, object]] = {}
        for message in messages:
            task = _own(tasks, message)
            if task and task.standing.status == TaskStatus.CLAIMED:
                starts[task.id] = {
                    "task": task.id,
                    "granted": _number(message.get("epoch")),
                    "started": moment(_text(message.get("started_at"))) or tx.now,
                }
        return self._move(tx, tasks, starts=starts)

    async def _finish(self, messages: Sequence[Message]) -> Answers:
        answers, ended, touched = await self._results(messages)
        self._settle(ended)
        self._changes.tell(touched)
        return answers

    @writes
    def _results(
        self, tx: Transaction, messages: Sequence[Message]
    ) -> tuple[Answers, list[str], set[str]]:
        reports = ReportRepository(tx)
        tasks = reports.tasks([str(m["task_id"]) for m in messages], lock=True)
        ends: dict[str, dict[str, object]] = {}
        lates: dict[str, dict[str, object]] = {}
        answers: Answers = []
        for message in messages:
            try:
                task, result = _verified(tasks, message)
            except ReportRefused as why:
                refused.labels(str(why)).inc()
                log.warning("A result was refused.", task_id=message["task_id"], why=str(why))
                continue
            status = final_status(result)
            totals = result.streams.model_dump()
            if task.standing.status in TERMINAL:
                if task.standing.status != status:
                    lates[task.id] = {
                        "task": task.id,
                        "outcome": late(status, result.exit_code, result.reason, tx.now),
                        "sums": totals,
                    }
            elif task.id not in ends:
                ends[task.id] = final_row(
                    task.id,
                    status,
                    reason=result.reason,
                    exit_code=result.exit_code,
                    signal=result.signal,
                    duration_ms=result.duration_ms,
                    totals=totals,
                )
            answers.append((str(message["agent_id"]), _result_ack(task.id, task.standing.attempt)))
        touched = self._move(tx, tasks, ends=ends, lates=lates)
        return answers, [*ends, *lates], touched

    def _move(
        self,
        tx: Transaction,
        tasks: Mapping[str, ReportedTask],
        *,
        grants: Mapping[str, dict[str, object]] | None = None,
        starts: Mapping[str, dict[str, object]] | None = None,
        ends: Mapping[str, dict[str, object]] | None = None,
        lates: Mapping[str, dict[str, object]] | None = None,
    ) -> set[str]:
        """Apply moves of tasks; returns the executions whose state was derived anew."""
        moved = [*(grants or {}), *(starts or {}), *(ends or {}), *(lates or {})]
        touched = sorted({tasks[task_id].execution_id for task_id in moved})
        if not touched:
            return set()
        executions = ExecutionRepository(tx)
        executions.bump(touched)
        reports = ReportRepository(tx)
        reports.grant(list((grants or {}).values()))
        reports.start(list((starts or {}).values()))
        reports.finish(list((ends or {}).values()))
        reports.attach_late(list((lates or {}).values()))
        for execution_id in touched:
            executions.close(execution_id)
        return set(touched)

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
            lost, touched = await self._reconcile(fresh)
            self._settle(lost)
            self._changes.tell(touched)
            self._dispatcher.wake(agent_ids=[str(message["agent_id"]) for message in connected])

    @reads
    def _anything_on(self, tx: Transaction, agent_ids: Sequence[str]) -> bool:
        return ReportRepository(tx).anything_on(agent_ids)

    @writes
    def _seen(self, tx: Transaction, agent_ids: Sequence[str]) -> None:
        ReportRepository(tx).seen(agent_ids)

    @writes
    def _reconcile(
        self, tx: Transaction, connected: Sequence[Message]
    ) -> tuple[list[str], set[str]]:
        by_agent = {str(message["agent_id"]): message for message in connected}
        tasks: dict[str, ReportedTask] = {}
        ends: dict[str, dict[str, object]] = {}
        for agent_id, of_agent in ReportRepository(tx).on_host_of(by_agent).items():
            message = by_agent[agent_id]
            known = _journal(message)
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
                    ends[task.id] = final_row(task.id, TaskStatus.LOST, reason=why)
        return list(ends), self._move(tx, tasks, ends=ends)


def _journal(message: Message) -> dict[tuple[str, int], dict[str, str]]:
    listed = message.get("tasks")
    found: dict[tuple[str, int], dict[str, str]] = {}
    for item in listed if isinstance(listed, list) else []:
        found[str(item["task_id"]), int(item["attempt"])] = {"state": str(item["state"])}
    return found


def _own(tasks: Mapping[str, ReportedTask], message: Message) -> ReportedTask | None:
    """The task of a message, if it is this agent's and this attempt's (S10, B91)."""
    task = tasks.get(str(message["task_id"]))
    if (
        task is None
        or task.standing.agent_id != message["agent_id"]
        or task.standing.attempt != message["attempt"]
    ):
        refused.labels("not_its_task").inc()
        return None
    return task


def _verified(
    tasks: Mapping[str, ReportedTask], message: Message
) -> tuple[ReportedTask, ResultPayload]:
    task = _own(tasks, message)
    if task is None:
        raise ReportRefused("not_its_task")
    result = read_result(
        str(message.get("payload")),
        str(message.get("signature")),
        public_key=task.public_key,
        agent_id=str(message["agent_id"]),
    )
    standing = task.standing
    if result.task_id != task.id or result.attempt != standing.attempt:
        raise ReportRefused("not_its_task")
    granted = standing.status in ON_HOST or standing.status in TERMINAL
    if not granted or result.epoch != standing.epoch:
        raise ReportRefused("not_granted")
    return task, result


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _grant_row(claim: Claim, epoch: int) -> dict[str, object]:
    return {
        "task": claim.task_id,
        "old_epoch": epoch - 1,
        "new_epoch": epoch,
        "boot": claim.boot_id,
        "session": claim.session_id,
    }


def _grant_frame(claim: Claim, epoch: int) -> bytes:
    return msgspec.json.encode(
        {
            "type": "grant",
            "task_id": claim.task_id,
            "attempt": claim.attempt,
            "epoch": epoch,
            "boot_id": claim.boot_id,
        }
    )


def _refuse_frame(claim: Claim, reason: str) -> bytes:
    return msgspec.json.encode(
        {
            "type": "refuse",
            "task_id": claim.task_id,
            "attempt": claim.attempt,
            "reason": reason,
        }
    )


def _result_ack(task_id: str, attempt: int) -> bytes:
    return msgspec.json.encode({"type": "result_ack", "task_id": task_id, "attempt": attempt})

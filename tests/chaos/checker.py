"""One function per invariant; each says how much it looked at and what it found wrong.

The truth is what the client was told and what scripts wrote on their hosts. The platform's own
records are the accused, never a witness for themselves.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.chaos.evidence import Evidence, Task

TERMINAL = frozenset(
    {"success", "failed", "cancelled", "timeout", "lost", "expired", "rejected", "skipped"}
)
BOUND_BYTES = 600 * 1024 * 1024
HONEST_LOSSES = frozenset({"start_unknown", "journal_damaged", "host_rebooted"})


@dataclass
class Verdict:
    """What one check saw."""

    name: str
    says: str
    checked: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        state = f"{len(self.problems)} PROBLEMS" if self.problems else "holds"
        return f"{self.name:<8} {state:<12} {self.checked:>6} checked   {self.says}"


Check = Callable[[Evidence], Verdict]
CHECKS: list[Check] = []


def check(name: str, says: str) -> Callable[[Callable[[Evidence], Iterable[str | None]]], Check]:
    """A check yields None for what is right and a sentence for what is wrong."""

    def declare(look: Callable[[Evidence], Iterable[str | None]]) -> Check:
        def run(evidence: Evidence) -> Verdict:
            verdict = Verdict(name, says)
            for problem in look(evidence):
                verdict.checked += 1
                if problem:
                    verdict.problems.append(problem)
            return verdict

        CHECKS.append(run)
        return run

    return declare


def judge(evidence: Evidence) -> list[Verdict]:
    """All verdicts, in the order of the invariants."""
    return [run(evidence) for run in CHECKS]


# ---- acceptance -------------------------------------------------------------------------------


@check("R1", "started at most once per attempt; everything acknowledged has ended")
def r1(evidence: Evidence) -> Iterable[str | None]:
    starts = evidence.starts
    for key, count in starts.items():
        yield f"{key} started {count} times" if count > 1 else None
    for operation in evidence.acknowledged:
        record = evidence.records[str(operation.execution_id)]
        ended = record["status"] in TERMINAL
        yield None if ended else f"{operation.execution_id} is still {record['status']}"
    for task in evidence.tasks.values():
        yield _against_markers(task, starts)


def _against_markers(task: Task, starts: dict[tuple[str, int], int]) -> str | None:
    state, key = str(task["status"]), (str(task["id"]), int(str(task["attempt"])))
    real = starts.get(key, 0)
    if state in ("success", "failed", "timeout") and real != 1:
        if state == "failed" and task["started_at"] is None:
            return None
        return f"{key} is {state} and started {real} times"
    if state in ("expired", "rejected", "skipped") and real:
        return f"{key} is {state} and ran"
    return None


@check("R2", "what was acknowledged exists, with all its tasks")
def r2(evidence: Evidence) -> Iterable[str | None]:
    rows = Counter(str(row[1]) for row in evidence.rows["tasks"])
    for operation in evidence.acknowledged:
        found = rows[str(operation.execution_id)]
        wanted = len(operation.hosts) * operation.plan.steps
        yield None if found == wanted else f"{operation.execution_id}: {found} of {wanted} tasks"


@check("R3", "one key, one execution, also when it is sent again and again")
def r3(evidence: Evidence) -> Iterable[str | None]:
    for operation in evidence.operations:
        several = len(operation.answered_ids) > 1
        yield f"{operation.key}: {operation.answered_ids}" if several else None
    for operation, before in evidence.repeated:
        same = operation.execution_id == before
        yield None if same else f"{operation.key}: {before}, then {operation.execution_id}"
    made = sum(str(row[1]).startswith("chaos ") for row in evidence.rows["executions"])
    wanted = len(evidence.operations)
    yield f"{made} executions of {wanted} requests" if made > wanted else None


@check("R4", "the hosts are those that were named")
def r4(evidence: Evidence) -> Iterable[str | None]:
    for operation in evidence.acknowledged:
        tasks = [t for t in evidence.tasks.values() if t["execution_id"] == operation.execution_id]
        found = tuple(sorted(int(str(task["host_id"])) for task in tasks))
        wanted = tuple(sorted(operation.hosts * operation.plan.steps))
        yield None if found == wanted else f"{operation.execution_id}: {found}"


@check("R5", "the script is the one that was sent")
def r5(evidence: Evidence) -> Iterable[str | None]:
    for operation in evidence.acknowledged:
        steps = evidence.records[str(operation.execution_id)]["steps"]
        assert isinstance(steps, list)
        same = all(step["script_content"] == operation.plan.content for step in steps)
        yield None if same else f"{operation.execution_id}: another script"


@check("R6", "every execution has the user who asked for it")
def r6(evidence: Evidence) -> Iterable[str | None]:
    users = {row[3] for row in evidence.rows["executions"]}
    yield from (None for _ in evidence.rows["executions"])
    yield f"several users: {users}" if len(users) > 1 or None in users else None


# ---- start, run, finish -----------------------------------------------------------------------


@check("R7", "nothing started without a grant that reached its host")
def r7(evidence: Evidence) -> Iterable[str | None]:
    for key in evidence.starts:
        yield None if key in evidence.witness.granted else f"{key} started without a grant"


@check("R8", "no attempt has two processes")
def r8(evidence: Evidence) -> Iterable[str | None]:
    pids: dict[tuple[str, int], set[int]] = {}
    for lines in evidence.markers.values():
        for marker in lines:
            pids.setdefault(marker.key, set()).add(marker.pid)
    for key, found in pids.items():
        yield f"{key} has the processes {found}" if len(found) > 1 else None


@check("R9", "what was cancelled before it started did not start")
def r9(evidence: Evidence) -> Iterable[str | None]:
    starts = evidence.starts
    for task in evidence.tasks.values():
        if task["status"] == "cancelled" and task["exit_code"] is None and not task["duration_ms"]:
            key = (str(task["id"]), int(str(task["attempt"])))
            was_granted = key in evidence.witness.granted
            yield (
                f"{key} ran although it was cancelled"
                if starts.get(key) and not was_granted
                else None
            )


@check("R10", "a state that was final when somebody looked is final now")
def r10(evidence: Evidence) -> Iterable[str | None]:
    for operation in evidence.acknowledged:
        final = [state for state in operation.seen if state in TERMINAL]
        yield f"{operation.execution_id}: {operation.seen}" if len(set(final)) > 1 else None


@check("R11", "success only with exit code 0, and only of scripts that succeed")
def r11(evidence: Evidence) -> Iterable[str | None]:
    for task in evidence.tasks.values():
        operation = evidence.operation_of(task)
        if operation is None or task["status"] not in ("success", "failed", "timeout"):
            continue
        state, code = str(task["status"]), task["exit_code"]
        plan = operation.plan
        late = {"success", "failed", "timeout"} if operation.is_cancelled else set()
        wrong = state not in plan.endings | late
        if state != "timeout":  # a shell whose child was ended may still say 0
            wrong = wrong or (state == "success") != (code == 0)
        if state == "failed" and "failed" in plan.endings:
            wrong = wrong or code != plan.exit_code
        yield f"{task['id']} ({plan.kind}) is {state} with {code}" if wrong else None


@check("R12", "an execution's state follows from its tasks")
def r12(evidence: Evidence) -> Iterable[str | None]:
    for execution_id, record in evidence.records.items():
        states = {
            str(t["status"]) for t in evidence.tasks.values() if t["execution_id"] == execution_id
        }
        wanted = _worst(states)
        yield (
            None if record["status"] == wanted else f"{execution_id}: {record['status']}, {states}"
        )


def _worst(states: set[str]) -> str:
    if states - TERMINAL:
        return "running"
    for state in ("cancelled", "failed", "rejected", "timeout", "lost", "expired"):
        if state in states:
            return "failed" if state == "rejected" else state
    return "success"


@check("R13", "tried again only where that was asked, and after an attempt that ended")
def r13(evidence: Evidence) -> Iterable[str | None]:
    starts = evidence.starts
    for task in evidence.tasks.values():
        attempt, operation = int(str(task["attempt"])), evidence.operation_of(task)
        allowed = operation.plan.retries if operation else 0
        earlier = [starts.get((str(task["id"]), n), 0) for n in range(1, attempt)]
        wrong = attempt > 1 + allowed or any(count != 1 for count in earlier)
        yield f"{task['id']} has attempt {attempt}, earlier ones {earlier}" if wrong else None


@check("steps", "a step begins on a host only after the one before it ended there")
def steps(evidence: Evidence) -> Iterable[str | None]:
    step_of: dict[object, int] = {}
    for record in evidence.records.values():
        listed = record["steps"]
        assert isinstance(listed, list)
        step_of |= {task["id"]: n for n, step in enumerate(listed) for task in step["tasks"]}
    for host, lines in evidence.markers.items():
        reached: dict[object, int] = {}
        for marker in lines:
            task = evidence.tasks.get(marker.key[0])
            if task is None:
                continue
            number, execution = step_of[task["id"]], task["execution_id"]
            back = number < reached.get(execution, 0)
            reached[execution] = max(number, reached.get(execution, 0))
            yield f"{host}: {execution} went back to step {number}" if back else None


@check("R14", "a time limit ended what ran too long, and not much later")
def r14(evidence: Evidence) -> Iterable[str | None]:
    for task in evidence.tasks.values():
        operation = evidence.operation_of(task)
        if operation and task["status"] == "timeout":
            ran, limit = int(str(task["duration_ms"] or 0)), operation.plan.timeout * 1000
            right = limit * 0.9 <= ran <= limit + 15_000
            yield None if right else f"{task['id']}: {ran} ms of {limit}"


@check("R15", "no process of any script is left")
def r15(evidence: Evidence) -> Iterable[str | None]:
    yield from (None for _ in evidence.starts)
    yield from evidence.left_processes


@check("R17", "no host ran more scripts at a time than it may")
def r17(evidence: Evidence) -> Iterable[str | None]:
    for host, lines in evidence.markers.items():
        ended = {marker.key for marker in lines if marker.word == "end"}
        running = most = 0
        for marker in lines:
            if marker.key in ended:
                running += 1 if marker.word == "start" else -1
                most = max(most, running)
        yield f"{host} ran {most} at once" if most > evidence.concurrency else None


# ---- output -----------------------------------------------------------------------------------


@check("R18", "stored output is exactly what the script wrote, or its gap is stated")
def r18(evidence: Evidence) -> Iterable[str | None]:
    for task in evidence.tasks.values():
        operation = evidence.operation_of(task)
        if operation is None or task["status"] not in TERMINAL or task["started_at"] is None:
            continue
        plan, found = operation.plan, evidence.stored[str(task["execution_id"])]
        for stream, wanted in (("stdout", plan.stdout), ("stderr", plan.stderr)):
            key = (str(task["id"]), int(str(task["attempt"])), stream)
            got = found.streams.get(key, b"")
            is_cut = plan.is_cut or operation.is_cancelled or task["status"] == "lost"
            if key in found.gaps or task["log_status"] == "gap":
                yield None if task["log_status"] == "gap" else f"{key}: a gap in a complete log"
            elif key in found.lossy:
                yield _by_hash(evidence, task, stream, wanted)
            elif is_cut and stream == "stderr":
                yield None  # a shell that is ended says so, or not
            elif got != wanted and not (is_cut and wanted.startswith(got)):
                yield f"{key} ({plan.kind}): {len(got)} bytes instead of {len(wanted)}"
            else:
                yield None
    yield from (fault for found in evidence.stored.values() for fault in found.faults)


def _by_hash(evidence: Evidence, task: Task, stream: str, wanted: bytes) -> str | None:
    (totals,) = [row[1] for row in evidence.rows["totals"] if row[0] == task["id"]]
    found = json.loads(totals) if isinstance(totals, str) else totals
    assert isinstance(found, dict)
    same = found[stream]["sha256"] == hashlib.sha256(wanted).hexdigest()
    return None if same else f"{task['id']} {stream}: another hash"


@check("R18b", "no output is left open; only a full disk, a spoiled message or a loss leaves a gap")
def r18b(evidence: Evidence) -> Iterable[str | None]:
    for task in evidence.tasks.values():
        honest = task["log_status"] in ("complete", "none") or (
            task["log_status"] == "gap" and _may_miss_output(evidence, task)
        )
        yield None if honest else f"{task['id']} ({task['status']}): {task['log_status']}"


def _may_miss_output(evidence: Evidence, task: Task) -> bool:
    """A disk that was full excuses what the agent could not keep, not what was given up."""
    given_up = evidence.stored[str(task["execution_id"])].given_up
    by_disk = str(task["host_id"]) in evidence.full_hosts and task["id"] not in given_up
    was_hurt = task["id"] in evidence.witness.spoiled or by_disk
    return was_hurt or task["status"] in ("lost", "cancelled")


@check("R19", "a floor that an agent was told is durable")
def r19(evidence: Evidence) -> Iterable[str | None]:
    for (task_id, attempt, stream), floor in evidence.witness.floors.items():
        task = evidence.tasks.get(task_id)
        if task is None:
            continue
        found = evidence.stored[str(task["execution_id"])]
        key = (task_id, attempt, stream)
        have = len(found.streams.get(key, b"")) + found.gaps.get(key, 0)
        short = have < floor and key not in found.lossy
        yield f"{key}: {have} stored, {floor} acknowledged" if short else None


@check("R21", "a live stream that was resumed has every byte once, in order")
def r21(evidence: Evidence) -> Iterable[str | None]:
    for execution_id, seen in evidence.watched.items():
        kept = evidence.stored[execution_id]
        yield from seen.faults
        for key, wanted in kept.streams.items():
            same = seen.streams.get(key, b"") == wanted
            yield (
                None if same else f"{key}: {len(seen.streams.get(key, b''))} of {len(wanted)} seen"
            )


@check("R22", "no process grew beyond its bound")
def r22(evidence: Evidence) -> Iterable[str | None]:
    for part, size in evidence.peaks.items():
        yield f"{part}: {size >> 20} MiB" if size > BOUND_BYTES else None


# ---- facts ------------------------------------------------------------------------------------


@check("R25", "every fact was published")
def r25(evidence: Evidence) -> Iterable[str | None]:
    for service in ("auth", "hosts", "execution"):
        waiting = len(evidence.rows[f"{service} outbox"])
        yield f"{service}: {waiting} facts wait" if waiting else None


@check("R28", "no fact was poison")
def r28(evidence: Evidence) -> Iterable[str | None]:
    for service in ("auth", "hosts", "execution"):
        letters = evidence.rows[f"{service} dead letters"]
        yield f"{service}: {letters[:3]}" if letters else None


@check("R38", "only a start that nobody saw is lost, and only when an agent was killed")
def r38(evidence: Evidence) -> Iterable[str | None]:
    lost = [task for task in evidence.tasks.values() if task["status"] == "lost"]
    for task in lost:
        honest = task["reason"] in HONEST_LOSSES
        yield None if honest else f"{task['id']} is lost: {task['reason']}"
    many = len(lost) > evidence.agent_deaths
    yield f"{len(lost)} lost, {evidence.agent_deaths} agents died" if many else None


@check("R39", "nobody was called lost because of silence")
def r39(evidence: Evidence) -> Iterable[str | None]:
    for task in evidence.tasks.values():
        yield f"{task['id']}: agent_silent" if task["reason"] == "agent_silent" else None


@check("R41", "nothing that was accepted was refused, expired or shed")
def r41(evidence: Evidence) -> Iterable[str | None]:
    for task in evidence.tasks.values():
        shed = task["status"] in ("expired", "rejected")
        yield f"{task['id']} is {task['status']}: {task['reason']}" if shed else None

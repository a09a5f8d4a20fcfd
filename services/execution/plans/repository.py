"""Storing an accepted plan as rows."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from libs.contracts.execution import ExecutionStatus, TaskStatus
from libs.contracts.hosts import HostTarget
from libs.kit.auth import Principal
from libs.kit.db import Prepared, Transaction
from libs.kit.ids import new_id
from services.execution.domain import LogStatus, PauseReason, StepKind
from services.execution.errors import SealingKeyMissing
from services.execution.models import Execution, Step, Task
from services.execution.plans.domain import Plan, StepPlan

NO_AGENT = "no_agent"
Row = dict[str, Any]
_ADD_EXECUTION = Prepared(insert(Execution))
_ADD_STEPS = Prepared(insert(Step))
_ADD_TASKS = Prepared(insert(Task))


class PlanRepository:
    """Writing plans, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(
        self,
        execution_id: str,
        plan: Plan,
        by: Principal,
        wait: timedelta,
        before: Callable[[list[Row]], None] | None = None,
    ) -> Execution:
        """Store an execution with its steps and tasks; they go in as rows, not as objects.

        What is returned shows the execution and is no part of the session. Tasks of a plain plan
        are queued at once, others wait for the engine. Hosts without an agent have failed already.
        `before` may change the rows of the tasks of a step.
        """
        values = _execution(execution_id, plan, by, self._tx.now)
        self._tx.run(_ADD_EXECUTION, [values])
        execution = Execution(**values)
        steps = [
            _step(execution_id, step, place, plan) for place, step in enumerate(plan.steps, start=1)
        ]
        self._tx.run(_ADD_STEPS, steps)
        for row, step in zip(steps, plan.steps, strict=True):
            tasks = list(_tasks(execution, row["id"], step, plan, wait))
            if before is not None:
                before(tasks)
            self._tx.run(_ADD_TASKS, tasks)
        return execution


def _execution(execution_id: str, plan: Plan, by: Principal, at: datetime) -> Row:
    scripts = [step.script_type for step in plan.steps if step.kind == StepKind.SCRIPT]
    lineage = plan.lineage
    return {
        "id": execution_id,
        "name": plan.name,
        "status": ExecutionStatus.PENDING,
        "trigger": plan.trigger,
        "user_id": by.id,
        "username": by.username,
        "script_type": scripts[0] if scripts else plan.steps[0].script_type,
        "task_total": plan.task_total,
        "version": 1,
        "created_at": at,
        "execution_type": plan.execution_type,
        "description": plan.description,
        "is_plain": plan.is_plain,
        "priority": plan.priority,
        "start_seconds": plan.start_seconds,
        "strategy": plan.strategy.stored(),
        "variables": plan.variables.kept,
        "parent_id": lineage.parent_id if lineage else None,
        "root_id": lineage.root_id if lineage else None,
        "retry_count": lineage.retry_count if lineage else 0,
        "retry_type": lineage.retry_type if lineage else None,
        "retry_reason": lineage.reason if lineage else None,
        "is_latest": True,
        "scheduled_job_id": plan.scheduled_job_id,
        "client_ip": plan.client.ip,
        "user_agent": plan.client.user_agent,
        "findings": [one.stored() for one in plan.findings],
        "paused_at": at if plan.wanted else None,
        "pause_reason": PauseReason.APPROVAL if plan.wanted else None,
    }


def _step(execution_id: str, step: StepPlan, place: int, plan: Plan) -> Row:
    batches = plan.strategy.batch_of_each(len(step.hosts))
    return {
        "id": new_id(),
        "execution_id": execution_id,
        "position": place,
        "name": step.name,
        "kind": step.kind,
        "script_type": step.script_type,
        "script": step.script,
        "script_sha256": hashlib.sha256(step.script.encode()).hexdigest(),
        "args": list(step.args),
        "env": dict(step.env),
        "run_as": step.run_as,
        "cwd": step.cwd,
        "timeout_seconds": step.timeout_seconds,
        "batch_total": batches[-1] if batches else 1,
        "retries": step.retries,
        "retry_delay_seconds": step.retry_delay_seconds,
        "ignore_error": step.ignore_error,
        "success_codes": list(step.success_codes),
        "condition": dict(step.condition) if step.condition is not None else None,
        "on_failure": step.on_failure,
        "is_handler": step.is_handler,
        "targets": dict(step.targets),
        "payload": dict(step.payload),
    }


def _tasks(
    execution: Execution, step_id: str, step: StepPlan, plan: Plan, wait: timedelta
) -> Iterator[Row]:
    # Plain texts and the same moment in all rows: the driver is given each of them made once.
    status = str(TaskStatus.QUEUED if plan.is_plain else TaskStatus.PENDING)
    rejected, no_log = str(TaskStatus.REJECTED), str(LogStatus.NONE)
    created_at, not_after = execution.created_at, execution.created_at + wait
    batches = [] if plan.is_plain else plan.strategy.batch_of_each(len(step.hosts))
    with_secrets = bool(plan.variables.secrets)
    needs_secrets = with_secrets and step.kind == StepKind.SCRIPT
    for place, host in enumerate(step.hosts):
        missing = _missing(host, needs_secrets)
        yield {
            "id": new_id(),
            "execution_id": execution.id,
            "step_id": step_id,
            "user_id": execution.user_id,
            "host_id": host.host_id,
            "host_name": host.name,
            "ip_address": host.ip_address,
            "agent_id": host.agent_id,
            "public_key": host.public_key,
            "status": rejected if missing else status,
            "reason": missing[0] if missing else None,
            "detail": missing[1] if missing else None,
            "finished_at": created_at if missing else None,
            "attempt": 1,
            "epoch": 0,
            "version": 1,
            "not_after": not_after,
            "created_at": created_at,
            "offered_at": None,
            "log_status": no_log,
            "priority": plan.priority,
            "batch_no": batches[place] if batches else 1,
            "sealing_key": host.sealing_key if with_secrets else None,
        }


def _missing(host: HostTarget, needs_secrets: bool) -> tuple[str, str] | None:
    """What a host lacks for a step, as a word and a sentence; its task has failed already."""
    if host.agent_id is None:
        return NO_AGENT, "There is no agent on this host."
    if needs_secrets and host.sealing_key is None:
        return SealingKeyMissing.code, SealingKeyMissing.message
    return None

"""Reading what a step was given, what came of it, and which variables there are."""

from collections.abc import Sequence

from libs.contracts.execution import StepStatus, TaskStatus
from libs.kit.db import Database, Transaction, reads
from libs.kit.errors import AppError
from libs.kit.pagination import Page, PageParams
from services.execution.domain import ScriptType, StepKind
from services.execution.errors import ExecutionNotFound, StepNotFound
from services.execution.models import Execution, Step, Task
from services.execution.orders.domain import Filled
from services.execution.orders.service import Orders
from services.execution.outcomes.repository import OutcomeRepository
from services.execution.outcomes.schemas import (
    HostResultOut,
    ProcessesOut,
    StepContentOut,
    StepResultOut,
    VariablesOut,
)
from services.execution.repository import ExecutionRepository
from services.execution.variables.domain import VariableType, passed_on
from services.execution.variables.schemas import VariableOut
from services.execution.variables.service import secret_names, shown


class Outcomes:
    """Steps and variables as people look at them; secrets are never opened for that."""

    def __init__(self, db: Database, orders: Orders) -> None:
        self._db = db
        self._orders = orders

    @reads
    def content(
        self, tx: Transaction, execution_id: str, step_id: str, host_id: int | None
    ) -> StepContentOut:
        """A step as written, and as this host (or the first one) is given it."""
        execution, step = _found(tx, execution_id, step_id)
        task = OutcomeRepository(tx).task_on(step, host_id)
        filled, problem = self._filled(tx, step, task)
        return StepContentOut(
            execution_id=execution_id,
            step_id=step.id,
            name=step.name,
            order=step.position,
            kind=StepKind(step.kind),
            script_type=ScriptType(step.script_type),
            script_content=step.script,
            script_sha256=step.script_sha256,
            args=step.args,
            env=step.env,
            run_as=step.run_as,
            cwd=step.cwd,
            timeout_seconds=step.timeout_seconds,
            payload=step.payload,
            host_id=task.host_id if task else None,
            host_name=task.host_name if task else None,
            rendered_script=filled.script if filled else None,
            rendered_args=filled.args if filled else None,
            rendered_env=filled.env if filled else None,
            rendered_cwd=filled.cwd if filled else None,
            secrets=secret_names(execution.variables),
            problem=problem,
        )

    def _filled(
        self, tx: Transaction, step: Step, task: Task | None
    ) -> tuple[Filled | None, str | None]:
        if task is None or step.kind != StepKind.SCRIPT:
            return None, None
        try:
            return self._orders.load(tx, [task], {step.id: step}, masked=True).show(task), None
        except AppError as error:
            return None, error.code

    @reads
    def result(
        self,
        tx: Transaction,
        execution_id: str,
        step_id: str,
        params: PageParams,
        status: TaskStatus | None,
    ) -> StepResultOut:
        """What came of a step: over all hosts, and host by host in pages."""
        execution, step = _found(tx, execution_id, step_id)
        outcomes = OutcomeRepository(tx)
        total, tasks = outcomes.page(step, status, offset=params.offset, limit=params.page_size)
        durations = outcomes.durations(step)
        standing = execution.status if execution.is_plain else step.status
        return StepResultOut(
            execution_id=execution_id,
            step_id=step.id,
            name=step.name,
            order=step.position,
            status=StepStatus(standing),
            reason=step.reason,
            started_at=execution.started_at if execution.is_plain else step.started_at,
            finished_at=execution.finished_at if execution.is_plain else step.finished_at,
            counts=outcomes.counts(step),
            exit_codes=outcomes.exit_codes(step),
            shortest_ms=durations.shortest,
            average_ms=durations.average,
            longest_ms=durations.longest,
            processes=_summed(outcomes.processes(step)),
            outputs=passed_on(step.outputs),
            hosts=Page[HostResultOut].of(
                [_host(task) for task in tasks], total=total, params=params
            ),
        )

    @reads
    def variables(self, tx: Transaction, execution_id: str) -> VariablesOut:
        """What was given at launch, defaults, and what steps left for the whole execution."""
        executions = ExecutionRepository(tx)
        execution = executions.by_id(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        left = [
            VariableOut(
                name=name,
                type=VariableType.TEXT,
                source="step",
                value=value,
                is_secret=False,
                step=step.name,
            )
            for step in executions.steps_of(execution_id)
            for name, value in sorted(passed_on(step.outputs).items())
        ]
        found = [*shown(execution.variables), *left, *_built_in(execution)]
        return VariablesOut(execution_id=execution_id, variables=found)


def _found(tx: Transaction, execution_id: str, step_id: str) -> tuple[Execution, Step]:
    execution = ExecutionRepository(tx).by_id(execution_id)
    if execution is None:
        raise ExecutionNotFound(execution_id=execution_id)
    step = OutcomeRepository(tx).step(execution_id, step_id)
    if step is None:
        raise StepNotFound(step_id=step_id)
    return execution, step


def _host(task: Task) -> HostResultOut:
    values = {name: getattr(task, name, None) for name in HostResultOut.model_fields}
    processes = ProcessesOut(**task.processes) if task.processes else None
    return HostResultOut.model_validate(values | {"task_id": task.id, "processes": processes})


def _summed(counted: Sequence[dict[str, int]]) -> ProcessesOut:
    return ProcessesOut(
        **{
            name: sum(one.get(name, 0) for one in counted)
            for name in ("found", "signalled", "left")
        }
    )


def _built_in(execution: Execution) -> list[VariableOut]:
    """The built-ins that are the same for all tasks; a task has more of them."""
    known = {
        "OPSJOB_EXECUTION_ID": execution.id,
        "OPSJOB_EXECUTION_NAME": execution.name,
        "OPSJOB_EXECUTOR": execution.username,
        "OPSJOB_STARTED_AT": execution.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return [
        VariableOut(
            name=name, type=VariableType.TEXT, source="built_in", value=value, is_secret=False
        )
        for name, value in known.items()
    ]

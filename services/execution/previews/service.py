"""Shows beforehand what a request would do: hosts, batches, texts, and what rules say about it."""

from collections.abc import Sequence
from typing import Final

from libs.contracts.hosts import HostTarget
from libs.kit.auth import Principal
from services.execution.access.service import Access
from services.execution.domain import Strategy
from services.execution.orders.service import ANY_HOST, Sample, check_texts
from services.execution.plans.schemas import ExecutionIn, HostPreview, Preview, StepPreview
from services.execution.plans.service import Plans, grounds_of, wants_of
from services.execution.rules.service import Judge
from services.execution.schemas import FindingOut
from services.execution.settings import ExecutionSettings

PREVIEW_HOSTS: Final = 1_000

_STATES: Final = {
    "online": "ready",
    "offline": "offline",
    "disabled": "disabled",
    "none": "no_agent",
}


class Previews:
    """Looking at a run before it is one."""

    def __init__(
        self, settings: ExecutionSettings, plans: Plans, access: Access, judge: Judge
    ) -> None:
        self._settings = settings
        self._plans = plans
        self._access = access
        self._judge = judge

    async def preview(self, request: ExecutionIn, by: Principal) -> Preview:
        """What a request would do: which hosts could start now, in which batches.

        Raises what accepting it would raise, CommandBlocked among it.
        """
        plan = await self._plans.plan(request, by)
        await self._access.must_run(wants_of(plan), by)
        kept = plan.variables.kept
        verdict = await self._judge.judge(plan.name, by, plan.steps, kept, grounds_of(plan))
        wait = plan.start_seconds or self._settings.start_seconds
        hosts = list({host.host_id: host for step in plan.steps for host in step.hosts}.values())
        shown = [_host(host, wait) for host in hosts[:PREVIEW_HOSTS]]
        first = next((step for step in plan.steps if step.hosts), plan.steps[0])
        seen = Sample(*_named(first.hosts[0])) if first.hosts else ANY_HOST
        scripts = check_texts(plan.name, by, plan.steps, kept, seen)
        return Preview(
            hosts=shown,
            batches=_batches(plan.strategy, first.hosts[:PREVIEW_HOSTS]),
            steps=[
                StepPreview(
                    name=step.name,
                    kind=step.kind,
                    script=script or None,
                    host_count=None if step.targets.get("hosts_of") else len(step.hosts),
                )
                for step, script in zip(plan.steps, scripts, strict=True)
            ],
            warnings=_warnings(hosts, wait),
            findings=[FindingOut.model_validate(one.stored()) for one in verdict.findings],
        )


def _named(host: HostTarget) -> tuple[int, str, str]:
    return host.host_id, host.name, host.ip_address


def _host(host: HostTarget, wait: int) -> HostPreview:
    state = _STATES.get(host.agent_status, "offline") if host.agent_id else "no_agent"
    return HostPreview(
        host_id=host.host_id,
        name=host.name,
        ip_address=host.ip_address,
        state=state,
        waits_until_seconds=wait if state in {"offline", "disabled"} else None,
    )


def _batches(strategy: Strategy, hosts: Sequence[HostTarget]) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for batch, host in zip(strategy.batch_of_each(len(hosts)), hosts, strict=True):
        found.setdefault(batch, []).append(host.host_id)
    return list(found.values())


def _warnings(hosts: Sequence[HostTarget], wait: int) -> list[str]:
    states = [_host(host, wait).state for host in hosts]
    said = {
        "offline": "hosts_offline",
        "disabled": "agents_disabled",
        "no_agent": "hosts_without_agent",
    }
    return [word for state, word in said.items() if state in states]

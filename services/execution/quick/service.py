"""Running a script at once: the short form of an execution of one step."""

from libs.kit.auth import Principal
from services.execution.errors import NoTargets
from services.execution.plans.domain import Client, ExecutionType
from services.execution.plans.schemas import Accepted
from services.execution.plans.service import Plans, RequestKey
from services.execution.quick.schemas import ScriptRun


class QuickRuns:
    """Running something now that is not kept as a template."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def run_script(
        self, request: ScriptRun, by: Principal, key: str | None, client: Client
    ) -> Accepted:
        """Accept a script for hosts; with a key, repeated requests get the first one's answer."""
        if not request.target_host_ids and not request.target_group_ids:
            raise NoTargets()
        return await self._plans.run(
            request.execution(),
            by,
            RequestKey.of(request, key),
            client,
            execution_type=ExecutionType.QUICK_SCRIPT,
        )

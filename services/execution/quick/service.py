"""Turns a request into an execution: resolves hosts, freezes the script, honours the key."""

import hashlib
import re

import msgspec

from libs.contracts.hosts import HostsClient
from libs.kit.auth import Principal
from services.execution.errors import IdempotencyKeyInvalid, NoTargets, OrderTooLarge
from services.execution.quick.schemas import Accepted, ScriptRun
from services.execution.schemas import ExecutionOut
from services.execution.service import Executions, RequestKey, Script

MAX_ORDER_BYTES = 1_000_000
"""What an offer may have with its envelope within one agent message of 1 MiB."""

_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")


class QuickRuns:
    """Running something now that is not kept as a template."""

    def __init__(self, executions: Executions, hosts: HostsClient) -> None:
        self._executions = executions
        self._hosts = hosts

    async def run_script(self, request: ScriptRun, by: Principal, key: str | None) -> Accepted:
        """Accept a script for hosts; with a key, repeated requests get the first one's answer."""
        if not request.target_host_ids:
            raise NoTargets()
        request_key = _key(request, key)
        if request_key is not None:
            earlier = await self._executions.repeated(by, request_key)
            if earlier is not None:
                return _accepted(earlier, created=False)
        _check_size(request)
        targets = await self._hosts.resolve_targets(request.target_host_ids, by)
        accepted, created = await self._executions.accept(
            _script(request), targets, by, request_key
        )
        return _accepted(accepted, created=created)


def _key(request: ScriptRun, key: str | None) -> RequestKey | None:
    if key is None:
        return None
    if not _KEY.match(key):
        raise IdempotencyKeyInvalid()
    body = msgspec.json.encode(request.model_dump(mode="json"), order="sorted")
    return RequestKey(key, hashlib.sha256(body).digest())


def _check_size(request: ScriptRun) -> None:
    parts = [request.script_content, request.args, request.env]
    size = len(msgspec.json.encode(parts))
    if size > MAX_ORDER_BYTES:
        raise OrderTooLarge(bytes=size, limit=MAX_ORDER_BYTES)


def _script(request: ScriptRun) -> Script:
    return Script(
        name=request.name or f"Quick {request.script_type} script",
        script_type=request.script_type,
        content=request.script_content,
        args=request.args,
        env=request.env,
        run_as=request.run_as,
        cwd=request.cwd,
        timeout_seconds=request.timeout,
        start_seconds=request.not_after_seconds,
    )


def _accepted(execution: ExecutionOut, *, created: bool) -> Accepted:
    return Accepted(
        execution_id=execution.id,
        id=execution.id,
        status=execution.status,
        task_count=execution.task_total,
        created=created,
    )

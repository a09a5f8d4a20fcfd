"""Policies of routes about one execution; this folder has no routes of its own."""

from typing import Any

from fastapi import Request

from libs.kit.auth import Principal, judged
from services.execution.access.service import Access

AS_ROOT = "as root on many hosts"
"""When who runs something proves again to be that person; see the folder breadth."""


def _access(request: Request) -> Access:
    found: Access = request.app.state.provided[Access]
    return found


def seeing() -> Any:
    """For who sees the execution of the address: its starter, `executions:read`, or a grant."""

    async def judge(request: Request, by: Principal) -> None:
        await _access(request).must_see(request.path_params["execution_id"], by)

    return judged("execution:view", judge)


def acting(permission: str, *, asks_again: str = "") -> Any:
    """For who may intervene in the execution of the address: a permission, the starter, a grant.

    `asks_again` as for `judged`.
    """

    async def judge(request: Request, by: Principal) -> None:
        await _access(request).must_act(request.path_params["execution_id"], by, permission)

    return judged(f"execution:{permission.partition(':')[2]}", judge, asks_again=asks_again)


def running(*, asks_again: str = "") -> Any:
    """For who may run anything on any host; on which ones is decided by the use case.

    `asks_again` as for `judged`.
    """

    async def judge(request: Request, by: Principal) -> None:
        await _access(request).must_run_something(by)

    return judged("hosts:execute", judge, asks_again=asks_again)

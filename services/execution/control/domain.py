"""The operations there are, and when two requests mean the same one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from libs.contracts.auth import is_by_api_token
from libs.kit.auth import Principal


class Action(StrEnum):
    """What somebody did to an execution."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    FORCE_TERMINATE = "force_terminate"
    CANCEL_TASK = "cancel_task"
    SKIP_STEP = "skip_step"
    IGNORE_STEP_ERROR = "ignore_step_error"
    RETRY_STEP = "retry_step"
    CONFIRM = "confirm"
    RETRY = "retry"


FORCED = "force_terminated"
"""The reason of a task that was ended without waiting for its host."""

Detail = Mapping[str, str | int | bool | None]


@dataclass(frozen=True)
class Order:
    """One request: who wants what, why, and from where. `key` makes repetitions recognisable."""

    action: Action
    execution_id: str
    by: Principal
    reason: str | None = None
    client_ip: str | None = None
    key: str | None = None
    step_id: str | None = None
    task_id: str | None = None

    def matches(self, action: str, execution_id: str, step_id: str | None) -> bool:
        """Whether a stored operation is of this kind."""
        return (action, execution_id, step_id) == (self.action, self.execution_id, self.step_id)


@dataclass(frozen=True)
class Origin:
    """Where requests come from: the caller's address, and the key that makes one recognisable."""

    key: str | None = None
    client_ip: str | None = None

    def order(
        self,
        action: Action,
        execution_id: str,
        by: Principal,
        reason: str | None,
        *,
        step_id: str | None = None,
        task_id: str | None = None,
    ) -> Order:
        """A request from here."""
        return Order(action, execution_id, by, reason, self.client_ip, self.key, step_id, task_id)


@dataclass(frozen=True)
class Effect:
    """What an order did. `changed` is False when everything was already as wanted."""

    changed: bool
    detail: Detail = field(default_factory=dict)
    task_ids: list[str] | None = None


def may_confirm(confirm: Mapping[str, object], by: Principal) -> bool:
    """Whether somebody is among those whom a confirmation names; without names everybody is.

    Names mean people: a program with an API token of somebody named does not count as them.
    """
    users, roles = confirm.get("user_ids"), confirm.get("roles")
    if not users and not roles:
        return True
    if is_by_api_token(by):
        return False
    named = isinstance(users, list) and by.id in users
    return named or (isinstance(roles, list) and bool(set(roles) & set(by.roles)))

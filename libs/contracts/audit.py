"""What every context says for the audit log: who did what to which object, and what changed.

`audit(tx, "host.create", kind="host", id=7, name="web-1", after=host)` belongs into the
transaction of the change: the record exists if, and only if, the change does.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal

from libs.kit.acting import Actor, current_actor
from libs.kit.auth import Principal
from libs.kit.client import ServiceClient
from libs.kit.db import Transaction
from libs.kit.events import Event
from libs.kit.logging import current_request_id
from libs.kit.masking import State, clipped, state_text
from libs.kit.refusals import Refusal

Outcome = Literal["success", "denied", "failure"]
By = Actor | Principal | None
"""Who acts; a principal acts from where the present request comes from."""

MAX_NAME: Final = 200
MAX_DETAIL: Final = 1000


class Audited(Event):
    """Somebody did something that has to be accounted for, or was refused it.

    ``actor_id`` is 0 unless a user acted. ``action`` is dotted (``user.create``). ``object_name``
    is kept so that records of deleted objects stay readable. ``before`` and ``after`` are JSON
    objects as text, without secrets. ``repeats`` counts equal refusals that one record stands for.
    """

    topic: ClassVar[str] = "audit"
    type: ClassVar[str] = "audit.audited"
    until_read: ClassVar[bool] = True

    actor_id: int = 0
    actor_name: str = ""
    actor_kind: str = "system"
    action: str
    object_type: str = ""
    object_id: str = ""
    object_name: str = ""
    outcome: str = "success"
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    before: str | None = None
    after: str | None = None
    detail: str = ""
    repeats: int = 1


def audit(
    tx: Transaction,
    action: str,
    *,
    kind: str = "",
    id: object = "",
    name: str = "",
    before: State = None,
    after: State = None,
    outcome: Outcome = "success",
    detail: str = "",
    by: By = None,
) -> None:
    """Records an action together with the change that ``tx`` makes.

    ``kind``, ``id`` and ``name`` say on which object. ``before`` is absent for what is new,
    ``after`` for what is deleted; of a change, give the fields that matter. Who acts, from where
    and for which request comes from the request that is served, or is the system; ``by`` says it
    where the request itself cannot know, as when somebody is just signing in.
    """
    tx.emit(
        audited(
            action,
            kind=kind,
            id=id,
            name=name,
            before=before,
            after=after,
            outcome=outcome,
            detail=detail,
            by=by,
        )
    )


def audited(
    action: str,
    *,
    kind: str = "",
    id: object = "",
    name: str = "",
    before: State = None,
    after: State = None,
    outcome: Outcome = "success",
    detail: str = "",
    by: By = None,
    repeats: int = 1,
) -> Audited:
    """The fact that `audit` emits, for whoever emits it elsewhere."""
    actor = _actor(by)
    return Audited(
        actor_id=actor.id,
        actor_name=clipped(actor.name, MAX_NAME),
        actor_kind=actor.kind,
        action=action,
        object_type=kind,
        object_id=clipped(str(id), 64),
        object_name=clipped(name, MAX_NAME),
        outcome=outcome,
        address=clipped(actor.address, 64),
        user_agent=clipped(actor.user_agent, MAX_NAME),
        request_id=current_request_id(),
        before=state_text(before),
        after=state_text(after),
        detail=clipped(detail, MAX_DETAIL),
        repeats=repeats,
    )


def refused(refusal: Refusal, repeats: int) -> Audited:
    """The fact about something that was refused so many times; for `Service.refused`."""
    fact = audited(
        refusal.action,
        kind=refusal.kind,
        id=refusal.id,
        name=refusal.name,
        outcome="denied",
        detail=f"{refusal.code}: {refusal.place}" if refusal.place else refusal.code,
        by=refusal.actor,
        repeats=repeats,
    )
    return fact.model_copy(update={"request_id": refusal.request_id})


class AuditClient(ServiceClient):
    """What those without a database tell the audit log."""

    service: ClassVar[str] = "auth"

    async def report_refusals(self, refusals: Sequence[tuple[Refusal, int]]) -> None:
        """Things that were refused at the gate, each with how often; at most 1000."""
        told = [
            {
                "action": refusal.action,
                "code": refusal.code,
                "place": clipped(refusal.place, MAX_NAME),
                "username": clipped(refusal.actor.name, 64),
                "address": clipped(refusal.actor.address, 64),
                "user_agent": clipped(refusal.actor.user_agent, MAX_NAME),
                "request_id": clipped(refusal.request_id, 64),
                "repeats": count,
            }
            for refusal, count in refusals
        ]
        await self._call("POST", "/internal/audit/refusals", json={"refusals": told})


def _actor(by: By) -> Actor:
    present = current_actor()
    if by is None:
        return present
    if isinstance(by, Actor):
        return by
    origin = (present.address, present.user_agent, present.service)
    return Actor(by.id, by.username, by.kind, *origin)

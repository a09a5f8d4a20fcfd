"""Lets through what the platform signed for this agent, and reports everything else.

Nothing of an order is read before its signature was checked. What comes without one is never
carried out.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Callable, Optional

from agent.guard import Guard
from agent.ledger import Ledger
from agent.signatures import Signer
from libs.protocol.codec import encode
from libs.protocol.envelope import ORDER_PURPOSES, RUN, SignedOrder, TaskCancel, exact, read_order
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import Cancel, Grant, Message, Offer, Reject, RejectReason
from libs.protocol.moments import instant
from libs.protocol.signed import Security, Signed, Trust

_logger = logging.getLogger(__name__)

SKEW_SECONDS = 60.0
_MOST_KINDS = 50
_PAUSE_SECONDS = 10.0
_MAX_DETAIL = 512

Ids = tuple[Optional[str], Optional[int]]
_NOBODY: Ids = (None, None)


@dataclass
class _Refused:
    reason: str
    detail: str
    task_id: str | None
    attempt: int | None
    count: int = 1


class Refusals:
    """What was refused and not told yet: equal ones together, so that a flood stays small."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str], _Refused] = OrderedDict()
        self._told_at: dict[str, float] = {}

    def add(self, reason: str, detail: str = "", ids: Ids = _NOBODY) -> None:
        """Note one; beyond a few kinds only the count of the last one grows."""
        _logger.warning("An order was refused: %s %s", reason, detail)
        key = (reason, detail)
        if key not in self._waiting and len(self._waiting) >= _MOST_KINDS:
            key = next(reversed(self._waiting))
        if key in self._waiting:
            self._waiting[key].count += 1
        else:
            self._waiting[key] = _Refused(reason, detail[:_MAX_DETAIL], *ids)

    def take(self, now: float) -> list[Security]:
        """What is to be told now; each reason at once, then at most every ten seconds."""
        due = []
        for key, one in list(self._waiting.items()):
            told = self._told_at.get(one.reason)
            if told is None or told == now or now - told >= _PAUSE_SECONDS:
                self._told_at[one.reason] = now
                del self._waiting[key]
                due.append(
                    Security(
                        one.reason,
                        one.detail,
                        one.task_id,
                        one.attempt,
                        min(one.count, 1_000_000),
                    )
                )
        return due


class Orders:
    """Checks orders one after the other; `carry_out` gets the message inside of a good one.

    `server_time` tells seconds since 1970 as far as the platform said them.
    """

    def __init__(
        self,
        agent_id: str,
        signer: Signer,
        ledger: Ledger,
        carry_out: Callable[[Message], None],
        say: Callable[[Message], None],
        server_time: Callable[[], float],
        guard: Guard,
    ) -> None:
        self._agent_id = agent_id
        self._signer = signer
        self._ledger = ledger
        self._carry_out = carry_out
        self._say = say
        self._server_time = server_time
        self._guard = guard
        self._floor = 0.0
        self.refusals = Refusals()

    def receive(self, message: Signed | Trust | Offer | Grant | Cancel) -> None:
        """A message that could make something start or end."""
        if isinstance(message, Signed):
            self._check(message)
        elif isinstance(message, Trust):
            self._signer.believe_then(message.bundle, self._believed)
        else:
            self.refusals.add("unsigned_order", message.type, _ids(message))

    def unreadable(self, error: ProtocolError) -> None:
        """A frame that is no message."""
        self.refusals.add("unreadable_frame", str(error))

    def _believed(self, why_not: str) -> None:
        if why_not:
            self.refusals.add(why_not, "trust bundle")

    def _check(self, signed: Signed) -> None:
        if signed.purpose not in ORDER_PURPOSES:
            self.refusals.add("purpose_unknown", signed.purpose)
            return
        self._signer.check_then(signed, self._now(), lambda why: self._checked(signed, why))

    def _checked(self, signed: Signed, why_not: str) -> None:
        if why_not:
            self.refusals.add(why_not, f"{signed.purpose} {signed.kid}")
            return
        payload = exact(signed.payload)
        is_new = signed.purpose == RUN
        if not self._guard.hears(signed.kid, is_new=is_new):
            self.refusals.add("policy_signer", f"{signed.purpose} {signed.kid}")
            if is_new:
                self._reject(payload, "policy_signer", signed.kid)
            return
        try:
            order = read_order(signed.purpose, payload)
        except ProtocolError as error:
            self.refusals.add("order_invalid", str(error))
            self._reject(payload, "order_invalid", "unreadable")
            return
        refused = self._why_not(order)
        if refused:
            self.refusals.add(refused, order.purpose, (order.task_id, order.attempt))
        else:
            self._carry_out(order.message())

    def _reject(self, payload: bytes, reason: RejectReason, detail: str) -> None:
        """What the platform signed and we cannot read, or do not heed, must not be waited for."""
        try:
            raw = json.loads(payload)
            reject = Reject(raw["task_id"], raw["attempt"], reason, detail)
            encode(reject)
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        self._say(reject)

    def _why_not(self, order: SignedOrder) -> str:
        if order.agent_id != self._agent_id:
            return "order_for_other_agent"
        begin, now = instant(order.not_before), self._now()
        if begin > now + SKEW_SECONDS:
            return "order_not_yet_valid"
        self._floor = max(self._floor, begin)  # nobody can turn this clock back from now on
        if instant(order.expires) + SKEW_SECONDS < now:
            return "order_expired"
        if isinstance(order, TaskCancel) and not self._ledger.is_newer(
            order.purpose, order.counter
        ):
            return "counter_replayed"
        return ""

    def _now(self) -> float:
        return max(self._server_time(), self._floor)


def _ids(message: Offer | Grant | Cancel) -> Ids:
    if isinstance(message, Offer):
        return message.order.task_id, message.order.attempt
    return message.task_id, message.attempt

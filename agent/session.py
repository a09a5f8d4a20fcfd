"""What the agent does with each message: pure decisions, no sockets, clocks or processes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Callable, Union

from agent.ledger import Key
from libs.protocol.messages import (
    Cancel,
    Claim,
    Grant,
    Message,
    Offer,
    Order,
    Refuse,
    Reject,
    RejectReason,
)
from libs.protocol.moments import instant

CLAIM_SECONDS = 2.0
_CLAIM_FACTOR = 1.5
_CLAIM_LIMIT_SECONDS = 15.0
MAX_WAITING = 1000
_SKEW_SECONDS = 30.0


@dataclass(frozen=True)
class Send:
    """Send a message."""

    message: Message


@dataclass(frozen=True)
class Check:
    """Find out whether this order can run here, then call `checked`."""

    order: Order


@dataclass(frozen=True)
class Start:
    """Journal the start, then start: the grant is there and fits."""

    order: Order
    epoch: int


@dataclass(frozen=True)
class Stop:
    """End the process tree of a running task."""

    key: Key
    reason: str
    grace_seconds: float


@dataclass(frozen=True)
class Repeat:
    """The gateway asks about an attempt that is in the journal: say again what is known."""

    key: Key


Action = Union[Send, Check, Start, Stop, Repeat]


@dataclass
class _Waiting:
    """An order that is not granted; `claim_at` is None until it was checked and has a slot."""

    order: Order
    is_checked: bool = False
    claim_at: float | None = None
    interval: float = CLAIM_SECONDS


@dataclass
class Session:
    """All orders that wait here and all slots in use; one object for the life of the agent.

    `knows` tells whether the journal has an attempt. A slot is taken by a claim and given back
    by `ended` or a refusal; orders are claimed in the sequence of their offers.
    """

    boot_id: str
    concurrency: int
    knows: Callable[[Key], bool]
    running: set[Key] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    _waiting: OrderedDict[Key, _Waiting] = field(default_factory=OrderedDict)

    @property
    def queued(self) -> int:
        """Orders that are not granted."""
        return len(self._waiting)

    @property
    def started_or_may(self) -> list[Key]:
        """What has a grant, or may have one on its way: a new connection hears the old one's."""
        return [*self.running, *(k for k, w in self._waiting.items() if w.claim_at is not None)]

    def waits(self, key: Key) -> bool:
        """Whether an order is here that was neither granted nor given up."""
        return key in self._waiting

    def receive(self, message: Message, now: float) -> list[Action]:
        """What to do about a message; those about output and results are not for this object."""
        if isinstance(message, Offer):
            return self._offered(message.order, now)
        if isinstance(message, Grant):
            return self._granted(message)
        if isinstance(message, Refuse):
            self._waiting.pop((message.task_id, message.attempt), None)
            return self._claim_next(now)
        if isinstance(message, Cancel):
            return self._cancelled(message, now)
        return []

    def _offered(self, order: Order, now: float) -> list[Action]:
        key = (order.task_id, order.attempt)
        if self.knows(key):
            return [Repeat(key)]
        if key in self.running:  # granted, and about to enter the journal
            return self._ignore("offer_of_granted")
        waiting = self._waiting.get(key)
        if waiting is not None:
            return self._offered_again(key, waiting, now)
        if len(self._waiting) >= MAX_WAITING:
            return [_reject(key, "limits_exceeded", "too many orders wait")]
        self._waiting[key] = _Waiting(order)
        return [Check(order)]

    def _offered_again(self, key: Key, waiting: _Waiting, now: float) -> list[Action]:
        """The gateway may have lost our claim; an order that has no slot yet just waits."""
        if waiting.claim_at is None:
            return []
        waiting.claim_at = now + waiting.interval
        return [Send(Claim(*key))]

    def checked(
        self, key: Key, refusal: tuple[RejectReason, str] | None, now: float
    ) -> list[Action]:
        """The answer to Check; nothing happens if the order is gone by now."""
        waiting = self._waiting.get(key)
        if waiting is None:
            return []
        if refusal is not None:
            del self._waiting[key]
            return [_reject(key, *refusal), *self._claim_next(now)]
        waiting.is_checked = True
        return self._claim_next(now)

    def _claim_next(self, now: float) -> list[Action]:
        claimed = sum(1 for waiting in self._waiting.values() if waiting.claim_at is not None)
        free = self.concurrency - len(self.running) - claimed
        actions: list[Action] = []
        for key, waiting in self._waiting.items():
            if free <= 0:
                break
            if waiting.is_checked and waiting.claim_at is None:
                waiting.claim_at = now + waiting.interval
                actions.append(Send(Claim(*key)))
                free -= 1
        return actions

    def _granted(self, grant: Grant) -> list[Action]:
        """Start only what was claimed by us, on this boot, and is in no journal."""
        key = (grant.task_id, grant.attempt)
        waiting = self._waiting.get(key)
        if waiting is None or waiting.claim_at is None:
            return self._ignore("grant_without_claim")
        if grant.boot_id != self.boot_id:
            return self._ignore("grant_for_other_boot")
        del self._waiting[key]
        if self.knows(key):
            return self._ignore("grant_of_known_attempt")
        self.running.add(key)
        return [Start(waiting.order, grant.epoch)]

    def _cancelled(self, cancel: Cancel, now: float) -> list[Action]:
        key = (cancel.task_id, cancel.attempt)
        if key in self.running:
            return [Stop(key, cancel.reason, cancel.grace_seconds)]
        if self.knows(key):
            return self._ignore("cancel_of_ended")
        self._waiting.pop(key, None)
        return [_reject(key, "cancelled", "it has not started here"), *self._claim_next(now)]

    def _ignore(self, what: str) -> list[Action]:
        self.counts[what] = self.counts.get(what, 0) + 1
        return []

    def ended(self, key: Key, now: float) -> list[Action]:
        """A task gave its slot back."""
        self.running.discard(key)
        return self._claim_next(now)

    def opened(self, now: float) -> list[Action]:
        """A new connection: claims in flight were lost with the old one."""
        actions: list[Action] = []
        for key, waiting in self._waiting.items():
            if waiting.claim_at is not None:
                waiting.interval = CLAIM_SECONDS
                waiting.claim_at = now + waiting.interval
                actions.append(Send(Claim(*key)))
        return actions

    def tick(self, now: float, server_time: float) -> list[Action]:
        """Claims that were not answered go again; orders past their time are dropped."""
        actions: list[Action] = []
        for key in [key for key, w in self._waiting.items() if _is_late(w.order, server_time)]:
            del self._waiting[key]
        for key, waiting in self._waiting.items():
            if waiting.claim_at is not None and waiting.claim_at <= now:
                waiting.interval = min(waiting.interval * _CLAIM_FACTOR, _CLAIM_LIMIT_SECONDS)
                waiting.claim_at = now + waiting.interval
                actions.append(Send(Claim(*key)))
        return actions + self._claim_next(now)


def _reject(key: Key, reason: RejectReason, detail: str) -> Send:
    return Send(Reject(*key, reason, detail))


def _is_late(order: Order, server_time: float) -> bool:
    """Surely late: a doubt within the skew of two clocks is settled by the answer to the claim."""
    return instant(order.not_after) + _SKEW_SECONDS < server_time

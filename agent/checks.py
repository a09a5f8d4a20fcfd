"""Finds out whether an order can run here: at once, or beside the loop if something may wait."""

from __future__ import annotations

import asyncio
from typing import Callable, Union

from agent.admission import HostRules, Refused, admit, is_slow
from agent.signatures import Signer
from agent.work import Launch
from libs.protocol.messages import Order

_CHECK_SECONDS = 5.0

Verdict = Union[Launch, Refused]


class Checks:
    """Checks under way; `checked` is told of every verdict, on the loop.

    Secrets are opened here, before the claim, so that an order that was sealed for another agent
    or task is rejected and never starts.
    """

    def __init__(
        self, rules: HostRules, signer: Signer, checked: Callable[[Order, Verdict], None]
    ) -> None:
        self._rules = rules
        self._signer = signer
        self._checked = checked
        self._slow: set[asyncio.Future[None]] = set()

    def begin(self, order: Order) -> None:
        """Decide now, or later if the answer may come from a slow disk or another process."""
        if not order.secrets and not is_slow(order):
            self._checked(order, _verdict(order, self._rules, {}))
            return
        check = asyncio.ensure_future(self._check_slowly(order))
        self._slow.add(check)
        check.add_done_callback(self._slow.discard)

    async def _check_slowly(self, order: Order) -> None:
        opened: dict[str, str] = {}
        for secret in order.secrets:
            value = await self._signer.open(secret, order.task_id, order.attempt)
            if value is None:
                self._checked(order, Refused("secret_unreadable", secret.name))
                return
            opened[secret.name] = value
        thread = asyncio.to_thread(_verdict, order, self._rules, opened)
        try:
            verdict = await asyncio.wait_for(thread, _CHECK_SECONDS)
        except asyncio.TimeoutError:
            verdict = Refused("limits_exceeded", "user or folder could not be looked up in time")
        self._checked(order, verdict)


def _verdict(order: Order, rules: HostRules, opened: dict[str, str]) -> Verdict:
    try:
        return admit(order, rules, opened)
    except Refused as refusal:
        return refusal

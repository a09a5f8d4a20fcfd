"""Whose orders count, decided in this process where it can; what needs private keys, by asking."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Callable

from agent.companions import Companion, CompanionGone
from agent.ed25519 import is_light
from agent.questions import SIGN
from agent.trust import TrustStore, Untrusted
from libs.protocol.orders import Secret
from libs.protocol.signed import Signed

_logger = logging.getLogger(__name__)


class Signer:
    """The companion that holds the private keys, and the agent's knowledge of whom it believes.

    It signs and opens. Signatures of others are checked here where libsodium or Python's own
    OpenSSL can do it, because two wake-ups for each question cost more than the check; elsewhere
    it is asked.
    """

    def __init__(self, key_path: str, sealing_path: str, trust_path: str) -> None:
        self._companion = Companion("agent.signer", [key_path, sealing_path, trust_path])
        self.run = self._companion.run
        self.answered: Callable[[], None] = lambda: None
        """Called after answers; those that came together are handled together."""
        self._companion.answered = lambda: self.answered()
        self._trust = TrustStore(trust_path) if is_light() else None

    async def sign(self, statement: bytes) -> str:
        """The signature in base64, however often the signer has to be asked."""
        while True:
            with contextlib.suppress(CompanionGone):
                return await self._companion.ask(SIGN + statement)

    def sign_then(self, statement: bytes, done: Callable[[str], None]) -> None:
        """The same for who does not wait: `done` gets the signature."""
        self._until_answered(SIGN + statement, done)

    def check_then(self, order: Signed, now: float, done: Callable[[str], None]) -> None:
        """Whether an order counts: `done` gets nothing, or the word that says why it does not.

        Answers, perhaps at once, come in the sequence of the questions, however often the signer
        ends meanwhile.
        """
        asked = (order.purpose, order.kid, order.payload, order.sig, now)
        if self._trust is None:
            self._until_answered(_json({"order": asked}), done)
            return
        try:
            self._trust.check(*asked)
        except Untrusted as why:
            done(str(why))
        else:
            done("")

    def believe_then(self, bundle: str, done: Callable[[str], None]) -> None:
        """Take over a trust bundle: `done` gets nothing, or the word that says why not."""
        if self._trust is None:
            self._until_answered(_json({"bundle": bundle}), done)
            return
        try:
            self._trust.update(bundle)
        except Untrusted as why:
            done(str(why))
            return
        except OSError as error:
            _logger.error("The trust bundle could not be stored.", extra={"reason": str(error)})
        done("")

    def _until_answered(self, question: bytes, done: Callable[[str], None]) -> None:
        def answered(answer: str | None) -> None:
            if answer is None:
                self._until_answered(question, done)
            else:
                done(answer)

        self._companion.post(question, answered)

    async def open(self, secret: Secret, task_id: str, attempt: int) -> str | None:
        """The value of a secret of this attempt; None if it was not sealed for us and for it."""
        question = _json(
            {
                "sealed": {
                    "sealed": secret.sealed,
                    "task_id": task_id,
                    "attempt": attempt,
                    "name": secret.name,
                }
            }
        )
        while True:
            with contextlib.suppress(CompanionGone):
                answer = await self._companion.ask(question)
                return answer[1:] if answer else None


def _json(question: dict[str, object]) -> bytes:
    return json.dumps(question).encode()

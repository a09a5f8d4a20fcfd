"""The process of all private keys: signs and opens for the agent.

A process of its own, because the library for it takes 10 MB that neither the agent nor the
spawner, from which every shim is forked, should carry. Where the agent cannot do that itself, it
also checks the platform's orders.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from typing import Callable

from agent.keys import AgentKey
from agent.questions import SIGN, Inbox, packed
from agent.sealing import SealingKey, SecretUnreadable
from agent.title import title
from agent.trust import TrustStore, Untrusted

_MOST_AT_ONCE = 64 * 1024


def main() -> None:
    """`signer <path> <socket> <key> <sealing key> <trust>`; ends when the agent closes its end."""
    title("opsjob-agent: signer")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the agent says when; until then it needs us
    connection = socket.socket(fileno=int(sys.argv[2]))
    asked = Asked(AgentKey.load(sys.argv[3]), SealingKey.load(sys.argv[4]), sys.argv[5])
    inbox = Inbox()
    while True:
        received = connection.recv(_MOST_AT_ONCE)
        if not received:
            return
        for place, question in inbox.feed(received):
            connection.sendall(packed(place, asked.answer(question).encode()))


class Asked:
    """Answers one question after the other."""

    def __init__(self, key: AgentKey, sealing: SealingKey | None, trust_path: str) -> None:
        self._key = key
        self._sealing = sealing
        self._trust_path = trust_path
        self._trust: TrustStore | None = None

    def answer(self, content: bytes) -> str:
        """A signature; a value behind an equals sign; or why something does not count."""
        if content.startswith(SIGN):
            return self._key.sign(content[len(SIGN) :])
        question = json.loads(content)
        if "sealed" in question:
            return _opened(self._sealing, **question["sealed"])
        if self._trust is None:  # an agent that checks by itself never asks
            self._trust = TrustStore(self._trust_path)
        trust = self._trust
        if "order" in question:
            return _why_not(lambda: trust.check(*question["order"]))
        return _why_not(lambda: trust.update(question["bundle"]))


def _why_not(check: Callable[[], None]) -> str:
    """Nothing if it counts, else a word that says why not."""
    try:
        check()
    except Untrusted as why:
        return str(why)
    return ""


def _opened(key: SealingKey | None, *, sealed: str, task_id: str, attempt: int, name: str) -> str:
    """An equals sign and the value; nothing if it cannot be opened."""
    if key is None:
        return ""
    try:
        return "=" + key.open(sealed, task_id=task_id, attempt=attempt, name=name)
    except SecretUnreadable:
        return ""

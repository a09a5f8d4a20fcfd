"""The process of all cryptography: signs and opens for the agent, and checks the platform's orders.

A process of its own, because the library for it takes 10 MB that neither the agent nor the
spawner, from which every shim is forked, should carry.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from typing import Callable, TypeVar

from agent.keys import AgentKey
from agent.questions import read_question, write_answer
from agent.sealing import SealingKey, SecretUnreadable
from agent.title import title
from agent.trust import TrustStore, Untrusted

Asked = TypeVar("Asked")


def main() -> None:
    """`signer <path> <socket> <key> <sealing key> <trust>`; ends when the agent closes its end."""
    title("opsjob-agent: signer")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the agent says when; until then it needs us
    connection = socket.socket(fileno=int(sys.argv[2]))
    key, sealing = AgentKey.load(sys.argv[3]), SealingKey.load(sys.argv[4])
    trust = TrustStore(sys.argv[5])
    while True:
        content = read_question(connection)
        if content is None:
            return
        question = json.loads(content)
        if "statement" in question:
            answer = key.sign(bytes.fromhex(question["statement"]))
        elif "order" in question:
            answer = _why_not(lambda asked: trust.check(**asked), question["order"])
        elif "bundle" in question:
            answer = _why_not(trust.update, question["bundle"])
        else:
            answer = _opened(sealing, **question["sealed"])
        write_answer(connection, question["id"], answer)


def _why_not(check: Callable[[Asked], None], asked: Asked) -> str:
    """Nothing if it counts, else a word that says why not."""
    try:
        check(asked)
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

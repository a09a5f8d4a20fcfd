"""The process that holds the private keys: signs and opens what the agent asks, nothing else.

A process of its own, because the library for it takes 10 MB that neither the agent nor the
spawner, from which every shim is forked, should carry.
"""

from __future__ import annotations

import json
import signal
import socket
import sys

from agent.keys import AgentKey
from agent.questions import read_question, write_answer
from agent.sealing import SealingKey, SecretUnreadable
from agent.title import title


def main() -> None:
    """`signer <path> <socket> <key> <sealing key>`; ends when the agent closes its end."""
    title("opsjob-agent: signer")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the agent says when; until then it needs us
    connection = socket.socket(fileno=int(sys.argv[2]))
    key, sealing = AgentKey.load(sys.argv[3]), SealingKey.load(sys.argv[4])
    while True:
        content = read_question(connection)
        if content is None:
            return
        question = json.loads(content)
        if "statement" in question:
            answer = key.sign(bytes.fromhex(question["statement"]))
        else:
            answer = _opened(sealing, **question["sealed"])
        write_answer(connection, question["id"], answer)


def _opened(key: SealingKey | None, *, sealed: str, task_id: str, attempt: int, name: str) -> str:
    """An equals sign and the value; nothing if it cannot be opened."""
    if key is None:
        return ""
    try:
        return "=" + key.open(sealed, task_id=task_id, attempt=attempt, name=name)
    except SecretUnreadable:
        return ""

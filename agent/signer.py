"""The process that holds the private key: signs what the agent asks, and nothing else.

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
from agent.title import title


def main() -> None:
    """`signer <path> <socket> <key file>`; ends when the agent closes its end."""
    title("opsjob-agent: signer")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the agent says when; until then it needs us
    connection = socket.socket(fileno=int(sys.argv[2]))
    key = AgentKey.load(sys.argv[3])
    while True:
        content = read_question(connection)
        if content is None:
            return
        question = json.loads(content)
        write_answer(connection, question["id"], key.sign(bytes.fromhex(question["statement"])))

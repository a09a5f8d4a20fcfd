"""What a reboot and a bad disk do to the journal of an agent."""

import json
import os
from pathlib import Path

from agent.journal import Journal, read_records
from tests.agent.conftest import AgentProcess


def rewrite_boot(agent: AgentProcess) -> None:
    """As if the journal came from before a reboot."""
    content = Path(agent.state.journal).read_bytes()
    bodies = [(record.kind, record.body) for record in read_records(content).records]
    os.unlink(agent.state.journal)
    journal = Journal(agent.state.journal)
    for kind, body in bodies:
        fields = json.loads(body)
        if "boot_id" in fields:
            fields["boot_id"] = "earlier-boot"
        journal.append(kind, json.dumps(fields, separators=(",", ":")).encode())
    journal.sync()
    journal.close()


def damage_records_of(agent: AgentProcess, task_id: bytes) -> None:
    path = Path(agent.state.journal)
    content = bytearray(path.read_bytes())
    position = 0
    while (position := content.find(b'{"task_id":"' + task_id, position + 1)) >= 0:
        content[position - 13] ^= 0xFF  # in the checksum before the body
    path.write_bytes(content)

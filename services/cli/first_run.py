"""The first script of a fresh platform: runs on the local agent, shows its output as it comes."""

import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from services.cli import terminal
from services.cli.api import Api
from services.cli.connection import ConnectionOptions, first_admin
from services.cli.failure import EXIT_ERROR, CommandFailed
from services.cli.follow import exit_code_for, tasks_of, watch
from services.cli.paging import rows
from services.cli.views import PlainView

ONLINE_SECONDS = 60.0
LAST_LINE = "That was the first script."
SCRIPT = f"""\
echo "This is $(uname -n), up since $(uptime -s 2>/dev/null || uptime)."
for part in 1 2 3 4 5; do
  echo "part $part of 5 at $(date +%H:%M:%S)"
  sleep 0.3
done
echo "{LAST_LINE}"
"""


class _Witness(PlainView):
    """Shows lines and remembers whether the last one of the script was among them."""

    def __init__(self) -> None:
        super().__init__()
        self.has_seen_all = False

    def output(self, host: str, stream: str, lines: list[str]) -> None:
        self.has_seen_all |= LAST_LINE in lines
        super().output(host, stream, lines)


def show(data_dir: Path) -> int:
    """Runs the script as the first admin; 0 only if it succeeded and its output was seen."""
    if first_admin(data_dir) is None:
        terminal.line("No first script: the first admin has changed the password already.")
        return EXIT_ERROR
    try:
        with Api(ConnectionOptions(data_dir=data_dir)) as api:
            return _run(api)
    except CommandFailed as failure:
        terminal.note(f"error: the first script did not run: {failure}")
        return EXIT_ERROR


def _run(api: Api) -> int:
    host = _online_host(api)
    terminal.line(f"A first script on {terminal.harmless(str(host['name']))}:")
    accepted = api.post(
        "/api/quick/execute_script/",
        {
            "name": "First script",
            "script_content": SCRIPT,
            "script_type": "shell",
            "target_host_ids": [host["id"]],
            "timeout": 60,
        },
        idempotency_key=str(uuid.uuid4()),
    )
    execution_id = str(accepted["execution_id"])
    witness = _Witness()
    status = watch(api, execution_id, witness)
    tasks = tasks_of(api, execution_id)
    terminal.line(f"It ended with: {status}.")
    if not witness.has_seen_all:
        terminal.note("error: the output of the first script did not arrive")
        return EXIT_ERROR
    return exit_code_for(tasks, status)


def _online_host(api: Api) -> Mapping[str, int | str]:
    """The first host whose agent is online; waits for it."""
    deadline = time.monotonic() + ONLINE_SECONDS
    while time.monotonic() < deadline:
        for row in rows(api, "/api/hosts/", {"agent_status": "online"}, limit=1):
            host_id, name = row.get("id"), row.get("name")
            if isinstance(host_id, int) and isinstance(name, str):
                return {"id": host_id, "name": name}
        time.sleep(0.1)
    raise CommandFailed("no agent came online.")

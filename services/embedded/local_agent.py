"""Agents on this machine as programs of their own: enrolled once, then run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from services.embedded import forking
from services.embedded.options import StartRefused

ENROL_SECONDS = 60
_ROOT = Path(__file__).parents[2]  # where the package `agent` is found
_COMMAND = (sys.executable, "-m", "agent")


def is_enrolled(state: Path) -> bool:
    """Whether an agent with this state folder has an identity."""
    return (state / "identity.json").exists()


def host_id(state: Path) -> int:
    """The host that an enrolled agent speaks for."""
    return int(json.loads((state / "identity.json").read_text("utf-8"))["host_id"])


def enrol(state: Path, gateway: str, token: str, *, name: str = "") -> None:
    """Exchanges a one-time token for an identity; the token is handed over on standard input."""
    command = [*_COMMAND, "enrol", "--state", str(state), "--gateway", gateway, "--token", "-"]
    if name:
        command += ["--name", name]
    done = subprocess.run(
        command,
        input=token + "\n",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=ENROL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StartRefused(f"The agent cannot enrol: {said[-1] if said else 'no reason given'}")


def start(state: Path, gateway: str, log: Path | None) -> int:
    """Starts an enrolled agent as a child that dies with this process; returns its pid.

    `gateway` is where it is now; the ports may have changed since the agent enrolled.
    """
    command = [*_COMMAND, "run", "--state", str(state), "--gateway", gateway]
    return forking.execute("opsjob-agent", command, env=environment(), log=log)


def environment() -> dict[str, str]:
    """Ours without anything of the platform: no secret may reach the agent or its scripts."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPSJOB_") and name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return {**inherited, "PYTHONPATH": str(_ROOT)}

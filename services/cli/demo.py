"""demo: many real agents on this machine run one script; every byte of output is compared."""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from services.cli import terminal
from services.cli.api import JSON, Api
from services.cli.connection import ConnectionOptions
from services.cli.failure import EXIT_SOME_HOSTS_FAILED, CommandFailed
from services.cli.follow import View, how_it_ended, tasks_of, watch
from services.cli.logs import stored_chunks
from services.cli.paging import rows
from services.cli.views import view_for
from services.embedded import forking, local_agent
from services.embedded.options import StartRefused

SCRIPT_LINES = 200
START_SECONDS = 90.0
ONLINE_SECONDS = 120.0
STOP_SECONDS = 20.0
_AT_ONCE = 4  # enrolments; each starts an interpreter


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("demo")(demo)


def demo(
    agents: Annotated[int, typer.Option(help="How many agents.", min=1, max=500)] = 20,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Use the platform that runs on this folder; else one is started."),
    ] = None,
) -> None:
    """Run a script on many real agents of this machine and compare every byte of output.

    Everything is stopped and removed afterwards. Exit code 0 only if each agent succeeded and all
    of its output was stored and shown.
    """
    folder = Path(tempfile.mkdtemp(prefix="opsjob-demo-"))
    try:
        with contextlib.ExitStack() as stack:
            running = data_dir or stack.enter_context(_platform(folder / "platform"))
            with Api(ConnectionOptions(data_dir=running)) as api:
                hosts = stack.enter_context(_fleet(api, running, folder, agents))
                raise typer.Exit(_run(api, hosts))
    except StartRefused as refused:
        raise CommandFailed(str(refused)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- processes --------------------------------------------------------------------------------


@contextlib.contextmanager
def _platform(data_dir: Path) -> Iterator[Path]:
    """An embedded platform of its own on free ports."""
    terminal.line("Starting a platform …")
    log = data_dir.with_suffix(".log")
    command = [sys.executable, "-m", "services.cli", "up", "--data-dir", str(data_dir)]
    command += ["--port", "0", "--agent-port", "0", "--no-agent"]
    env = {**os.environ, "PYTHONPATH": local_agent.environment()["PYTHONPATH"]}
    pid = forking.execute("opsjob: supervisor", command, env=env, log=log)
    with _stopped_at_the_end([pid]):
        address = data_dir / "run" / "address.json"
        deadline = time.monotonic() + START_SECONDS
        while not address.exists():
            if os.waitpid(pid, os.WNOHANG)[0] or time.monotonic() > deadline:
                said = log.read_text("utf-8", errors="replace").strip() if log.exists() else ""
                raise CommandFailed(f"The platform does not start. {said}")
            time.sleep(0.05)
        yield data_dir


@contextlib.contextmanager
def _fleet(api: Api, platform: Path, folder: Path, count: int) -> Iterator[list[int]]:
    """`count` enrolled agents with state folders of their own, all online; their host ids."""
    terminal.line(f"Enrolling {count} agents …")
    place = json.loads((platform / "run" / "address.json").read_text("utf-8"))
    states = [folder / f"agent-{number:03}" for number in range(1, count + 1)]
    tokens = [
        str(api.post("/api/agents/enrolment_tokens/", {"ttl_seconds": 600})["token"])
        for _ in states
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        enrolled = [
            pool.submit(local_agent.enrol, state, place["agent_url"], token, name=state.name)
            for state, token in zip(states, tokens, strict=True)
        ]
    for each in enrolled:
        each.result()
    hosts = [local_agent.host_id(state) for state in states]
    gateway = place["agent_url"]
    pids = [local_agent.start(state, gateway, state.with_suffix(".log")) for state in states]
    with _stopped_at_the_end(pids):
        _wait_online(api, set(hosts))
        yield hosts


def _wait_online(api: Api, hosts: set[int]) -> None:
    deadline = time.monotonic() + ONLINE_SECONDS
    while True:
        found = {row.get("id") for row in rows(api, "/api/hosts/", {"agent_status": "online"})}
        if hosts <= found:
            terminal.line(f"{len(hosts)} agents are online.")
            return
        if time.monotonic() > deadline:
            missing = len(hosts - found)
            raise CommandFailed(f"{missing} of {len(hosts)} agents did not come online.")
        time.sleep(0.2)


@contextlib.contextmanager
def _stopped_at_the_end(pids: list[int]) -> Iterator[None]:
    """Asks all to stop, then waits; kills what does not."""
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for pid in pids:
            _bury(pid, deadline)


def _bury(pid: int, deadline: float) -> None:
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        while not os.waitpid(pid, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.02)


# ---- the script and what has to come back -----------------------------------------------------


def script() -> tuple[str, dict[str, str]]:
    """A shell script of 200 lines, and the text that it must leave on each stream."""
    expected: dict[str, str] = {"stdout": "", "stderr": ""}
    lines = []
    for number in range(1, SCRIPT_LINES + 1):
        stream = "stderr" if number % 10 == 0 else "stdout"
        text = f"{number:03} tab\there, 中文 {number * number}, émoji 🎉, end"
        end = "" if number == SCRIPT_LINES - 1 else "\\n"
        pause = "; sleep 0.05" if number % 20 == 0 else ""
        target = " >&2" if stream == "stderr" else ""
        lines.append(f"printf '{text}{end}'{target}{pause}")
        expected[stream] += text + ("" if not end else "\n")
    return "\n".join(lines), expected


class _Recorder:
    """Passes everything on to a view and remembers what was shown."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.shown: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.gaps = 0

    def output(self, host: str, stream: str, lines: list[str]) -> None:
        self.shown[host, stream] += lines
        self._view.output(host, stream, lines)

    def states(self, tasks: Mapping[str, str]) -> None:
        self._view.states(tasks)

    def gap(self, host: str, text: str) -> None:
        self.gaps += 1
        self._view.gap(host, text)


def _run(api: Api, hosts: list[int]) -> int:
    content, expected = script()
    began = time.monotonic()
    accepted = api.post(
        "/api/quick/execute_script/",
        {
            "name": "Demonstration",
            "script_content": content,
            "script_type": "shell",
            "target_host_ids": [*hosts],
            "timeout": 300,
        },
        idempotency_key=str(uuid.uuid4()),
    )
    execution_id = str(accepted["execution_id"])
    with view_for(len(hosts), raw=False) as view:
        recorder = _Recorder(view)
        status = watch(api, execution_id, recorder)
    took = time.monotonic() - began
    wrong = _differences(api, execution_id, expected, recorder)
    for sentence in wrong:
        terminal.note(f"wrong: {sentence}")
    size = sum(len(text.encode()) for text in expected.values()) * len(hosts)
    terminal.line(
        f"{len(hosts)} agents, {SCRIPT_LINES} lines each, {size} bytes of output, {took:.1f} s: "
        + (f"{len(wrong)} differences" if wrong else "every byte was stored and shown")
    )
    return 0 if status == "success" and not wrong else EXIT_SOME_HOSTS_FAILED


def _differences(
    api: Api, execution_id: str, expected: Mapping[str, str], recorder: _Recorder
) -> list[str]:
    """What is not as it has to be, host by host; nothing if all is well."""
    wrong = [f"{recorder.gaps} gaps were reported"] if recorder.gaps else []
    for task in tasks_of(api, execution_id):
        name = str(task.get("host_name"))
        if task.get("status") != "success":
            wrong.append(f"{name} ended with {how_it_ended(task)}")
        stored = _stored(api, execution_id, task.get("host_id"))
        for stream, text in expected.items():
            if stored[stream] != text.encode():
                wrong.append(f"{name} has other bytes stored on {stream}")
            if recorder.shown[name, stream] != text.splitlines():
                wrong.append(f"{name} had other lines shown on {stream}")
    return wrong


def _stored(api: Api, execution_id: str, host_id: JSON) -> dict[str, bytes]:
    """The stored bytes of one host by stream; a piece out of its place is left out."""
    found = {"stdout": b"", "stderr": b""}
    for chunk in stored_chunks(api, execution_id, {"host_id": str(host_id)}):
        stream = str(chunk.get("stream"))
        if chunk.get("offset") == len(found[stream]):
            found[stream] += str(chunk.get("text")).encode()
    return found

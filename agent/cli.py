"""The command `opsjob-agent`: enrol, run, status."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
from dataclasses import replace

from agent import __version__
from agent.cgroups import FLAVOURS
from agent.identity import Identity, NotEnrolled
from agent.state import StateFolder, StateInUse, is_held
from agent.title import title

_TAKE_OVER_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 3 not running."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    command = {"enrol": _enrol, "run": _run, "status": _status}[options.command]
    try:
        return command(options)
    except (NotEnrolled, StateInUse, OSError) as error:
        return _fail(str(error))


def _fail(sentence: str) -> int:
    sys.stderr.write(f"opsjob-agent: {sentence}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="opsjob-agent", description="The OPS Job agent.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    enrol = commands.add_parser("enrol", help="exchange a one-time token for an identity")
    enrol.add_argument("--gateway", action="append", required=True, help="http(s) address")
    enrol.add_argument("--token-file", help="file with the token; else it is read from stdin")
    enrol.add_argument("--token", choices=["-"], help="read the token from stdin (the default)")
    enrol.add_argument("--name", default="", help="name of the host; default: its hostname")
    enrol.add_argument("--ca-file", default="", help="trust this certificate authority only")
    enrol.add_argument("--force", action="store_true", help="replace an existing identity")

    run = commands.add_parser("run", help="connect and run scripts until stopped")
    run.add_argument("--concurrency", type=_positive, default=0, help="scripts at a time")
    run.add_argument("--gateway", action="append", help="instead of those of the enrolment")
    run.add_argument("--cgroups", choices=FLAVOURS, default="auto", help="which to use")
    run.add_argument(
        "--file-root",
        action="append",
        type=_folder,
        help="a folder that files may be put into and collected from; repeat it (default: all)",
    )
    run.add_argument("--spool-mib", type=_positive, default=64, help="unsent output per task")

    commands.add_parser("status", help="show identity, process and open tasks as JSON")
    for command in commands.choices.values():
        command.add_argument("--state", required=True, help="state folder of this agent")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 10_000:
        raise argparse.ArgumentTypeError("from 1 to 10000")
    return value


def _folder(text: str) -> str:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError("an absolute path")
    return text


def _enrol(options: argparse.Namespace) -> int:
    enrolment = importlib.import_module("agent.enrolment")
    if options.token_file:
        with open(options.token_file, encoding="utf-8") as file:
            token = file.read().strip()
    else:
        token = sys.stdin.readline().strip()
    if not token:
        return _fail("The token is empty.")
    order = enrolment.EnrolmentOrder(
        gateways=tuple(options.gateway),
        token=token,
        name=options.name,
        ca_file=options.ca_file,
        is_forced=options.force,
    )
    try:
        identity = enrolment.enrol(StateFolder(options.state), order)
    except enrolment.EnrolmentFailed as error:
        return _fail(str(error))
    sys.stdout.write(f"Enrolled as {identity.agent_id} for host {identity.host_name}.\n")
    return 0


def _run(options: argparse.Namespace) -> int:
    """Hold the state folder and be its agent until stopped."""
    state = StateFolder(options.state)
    identity = Identity.load(state)
    if options.gateway:
        identity = replace(identity, gateways=tuple(options.gateway))
    state.create()
    lock = state.hold(wait_seconds=_TAKE_OVER_SECONDS)
    title("opsjob-agent")
    daemon = importlib.import_module("agent.daemon")
    settings = daemon.Options(
        concurrency=options.concurrency,
        spool_bytes=options.spool_mib * 1024 * 1024,
        file_roots=tuple(options.file_root or ()),
        cgroups=options.cgroups,
    )
    daemon.run_agent(state, identity, lock, settings)
    return 0


def _status(options: argparse.Namespace) -> int:
    ledger = importlib.import_module("agent.ledger")
    state = StateFolder(options.state)
    identity = Identity.load(state)
    is_running = is_held(state.lock)
    tasks = [
        {"task_id": entry.task_id, "attempt": entry.attempt, "state": entry.state}
        for entry in ledger.read_open(state)
    ]
    report = {
        "agent_id": identity.agent_id,
        "host_id": identity.host_id,
        "host_name": identity.host_name,
        "gateways": identity.gateways,
        "version": __version__,
        "is_running": is_running,
        "tasks": tasks,
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if is_running else 3

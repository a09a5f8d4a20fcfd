"""The command `opsjob-agent`: enrol, run, status, maintenance."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
from dataclasses import replace

from agent import __version__
from agent.cgroups import FLAVOURS
from agent.identity import Identity, NotEnrolled
from agent.lean import spare_metadata
from agent.state import StateFolder, StateInUse, is_held
from agent.title import title

_TAKE_OVER_SECONDS = 5.0
_VARIABLE = "OPSJOB_AGENT_TOKEN"
_HEX = frozenset("0123456789abcdef")
_POLICY = "/etc/opsjob-agent/policy.json, if it is there"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 3 not running."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    command = _COMMANDS[options.command]
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
    enrol.add_argument(
        "--token-file", help=f"file with the token; else {_VARIABLE} or standard input has it"
    )
    enrol.add_argument(
        "--token", choices=["-"], help=f"read it from stdin even if {_VARIABLE} is set"
    )
    enrol.add_argument("--name", default="", help="name of the host; default: its hostname")
    enrol.add_argument("--ca-file", default="", help="trust this certificate authority only")
    enrol.add_argument(
        "--gateway-fingerprint",
        type=_fingerprint,
        help="sha256:… of the gateway's certificate, or of one in --ca-file; else send no token",
    )
    enrol.add_argument("--root-key", type=_fingerprint, help="sha256:… of the platform's root key")
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

    status = commands.add_parser("status", help="show identity, policy and open tasks as JSON")
    for command in (run, status):
        command.add_argument("--policy", type=_folder, help=f"policy of this host; else {_POLICY}")

    maintenance = commands.add_parser("maintenance", help="take on nothing new; what runs goes on")
    maintenance.add_argument("switch", choices=["on", "off"])
    maintenance.add_argument("--reason", default="", help="told with everything that is refused")
    for command in commands.choices.values():
        command.add_argument("--state", required=True, help="state folder of this agent")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 10_000:
        raise argparse.ArgumentTypeError("from 1 to 10000")
    return value


def _fingerprint(text: str) -> str:
    kind, _, digits = text.lower().partition(":")
    digits = digits.replace(":", "")
    if kind != "sha256" or len(digits) != 64 or not _HEX.issuperset(digits):
        raise argparse.ArgumentTypeError("sha256: and 64 hexadecimal digits")
    return f"sha256:{digits}"


def _folder(text: str) -> str:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError("an absolute path")
    return text


def _enrol(options: argparse.Namespace) -> int:
    enrolment = importlib.import_module("agent.enrolment")
    token = _token(options)
    if not token:
        return _fail("The token is empty.")
    order = enrolment.EnrolmentOrder(
        gateways=tuple(options.gateway),
        token=token,
        name=options.name,
        ca_file=options.ca_file,
        is_forced=options.force,
        gateway_pin=options.gateway_fingerprint or "",
        root_pin=options.root_key or "",
    )
    try:
        identity = enrolment.enrol(StateFolder(options.state), order)
    except enrolment.EnrolmentFailed as error:
        return _fail(str(error))
    sys.stdout.write(f"Enrolled as {identity.agent_id} for host {identity.host_name}.\n")
    return 0


def _token(options: argparse.Namespace) -> str:
    """From the file, the environment or standard input; arguments can be seen by everybody."""
    if options.token_file:
        with open(options.token_file, encoding="utf-8") as file:
            return file.read().strip()
    token = os.environ.pop(_VARIABLE, "").strip()
    return token if token and not options.token else sys.stdin.readline().strip()


def _run(options: argparse.Namespace) -> int:
    """Hold the state folder and be its agent until stopped."""
    state = StateFolder(options.state)
    identity = Identity.load(state)
    if options.gateway:
        identity = replace(identity, gateways=tuple(options.gateway))
    state.create()
    lock = state.hold(wait_seconds=_TAKE_OVER_SECONDS)
    title("opsjob-agent")
    spare_metadata()
    daemon = importlib.import_module("agent.daemon")
    settings = daemon.Options(
        concurrency=options.concurrency,
        spool_bytes=options.spool_mib * 1024 * 1024,
        file_roots=tuple(options.file_root or ()),
        cgroups=options.cgroups,
        policy=options.policy or "",
    )
    daemon.run_agent(state, identity, lock, settings)
    return 0


def _status(options: argparse.Namespace) -> int:
    ledger = importlib.import_module("agent.ledger")
    guard = importlib.import_module("agent.guard")
    logging.disable()  # the report says what the log would
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
        **guard.Guard(state, options.policy or "").report(),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if is_running else 3


def _maintenance(options: argparse.Namespace) -> int:
    maintenance = importlib.import_module("agent.maintenance")
    state = StateFolder(options.state)
    Identity.load(state)
    if options.switch == "on":
        maintenance.lock(state, options.reason)
    else:
        maintenance.unlock(state)
    return 0


_COMMANDS = {"enrol": _enrol, "run": _run, "status": _status, "maintenance": _maintenance}

"""Decides before the claim whether an order can run here, and turns it into a launch."""

from __future__ import annotations

import hashlib
import importlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.environment import environment_for, is_too_large, refused_variable
from agent.errands import FILE_NAME, RunUser, TransferRules, errand_of
from agent.guard import Guard, Refusal
from agent.interpreters import DEFAULT_PATH, KINDS, InterpreterMissing, command_for
from agent.secret_files import FILE_SUFFIX
from agent.state import task_name
from agent.transfer_report import REASONS
from agent.users import User, UserDenied, UserUnknown, resolve
from agent.work import Launch
from libs.protocol.messages import Order, RejectReason
from libs.protocol.orders import FileWork, Limits

SPOOL_BYTES = 64 * 1024 * 1024
NO_SECRETS: Mapping[str, str] = {}
_NO_LIMITS = Limits()
_MAX_SECRET_NAME = 128


class Refused(Exception):
    """The order cannot run here; the reason is a word of the protocol."""

    def __init__(self, reason: RejectReason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason: RejectReason = reason
        self.detail = detail[:512]


@dataclass(frozen=True)
class HostRules:
    """What this host allows and where things lie."""

    agent_id: str
    work: str
    inherited: Mapping[str, str]
    spool_bytes: int = SPOOL_BYTES
    transfers: TransferRules = field(default_factory=TransferRules)
    guard: Guard | None = None


def is_slow(order: Order) -> bool:
    """Whether the check may wait for something outside: a directory service, a remote disk."""
    return order.run_as is not None or order.cwd is not None


def admit(order: Order, rules: HostRules, opened: Mapping[str, str] = NO_SECRETS) -> Launch:
    """The launch for an order, with its secrets as they were opened; raises Refused."""
    _check_order(order, rules)
    _obey(rules.guard.why_not(order) if rules.guard else None)
    secrets, files = _split_secrets(order, opened)
    if is_too_large(order, secrets):
        raise Refused("limits_exceeded", "args and env")
    try:
        user = resolve(order.run_as)
    except UserUnknown:
        raise Refused("run_as_unknown", order.run_as or "") from None
    except UserDenied as denied:
        raise Refused("run_as_denied", str(denied)) from None
    _obey(rules.guard.why_not_as(user) if rules.guard else None)
    if order.cwd is not None and not (os.path.isabs(order.cwd) and os.path.isdir(order.cwd)):
        raise Refused("cwd_missing", order.cwd)
    command = _command(order, rules)
    work, runs = order.files, RunUser(user.uid, user.gid, list(user.groups))
    mark = os.urandom(12).hex()
    limits = order.limits or _NO_LIMITS
    return Launch(
        name=task_name(order.task_id, order.attempt),
        mark=mark,
        command=command,
        script=_errand(order, work, rules, runs) if work else order.script,
        file_name=FILE_NAME if work else KINDS[order.script_type].file_name,
        args=list(order.args),
        environment=environment_for(order, user, mark=mark, inherited=rules.inherited),
        folder=order.cwd or "",
        parent=rules.work if work else _script_parent(rules.work, user),
        uid=os.geteuid() if work else user.uid,
        gid=os.getegid() if work else user.gid,
        groups=list(user.groups),
        timeout_seconds=order.timeout_seconds,
        spool_bytes=rules.spool_bytes,
        output_bytes=order.max_output_bytes,
        max_processes=limits.max_processes or order.max_processes,
        memory_bytes=limits.memory_bytes,
        cpu_percent=limits.cpu_percent,
        open_files=limits.open_files,
        success_codes=list(order.success_codes) if order.limits else None,
        secrets=secrets or None,
        secret_files=files or None,
        has_outputs=order.outputs,
        ends_at_output_limit=order.on_output_limit == "fail",
        reasons=REASONS if work else None,
    )


def _obey(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(*refusal)


def _errand(order: Order, work: FileWork, rules: HostRules, user: RunUser) -> str:
    try:
        return errand_of(order, work, _transfers(rules), user)
    except ValueError as error:
        raise Refused("order_invalid", f"env {error}") from None


def _transfers(rules: HostRules) -> TransferRules:
    return rules.guard.narrowed(rules.transfers) if rules.guard else rules.transfers


def _command(order: Order, rules: HostRules) -> list[str]:
    if order.action != "script":
        return []
    path = rules.inherited.get("PATH") or DEFAULT_PATH
    try:
        return command_for(order.script_type, order.script, path)
    except InterpreterMissing as missing:
        raise Refused("interpreter_missing", missing.name) from None


def _check_order(order: Order, rules: HostRules) -> None:
    if order.agent_id != rules.agent_id:
        raise Refused("order_invalid", "agent_id")
    if (order.action == "script") != (order.files is None):
        raise Refused("order_invalid", "files")
    if order.action != "script" and (order.args or order.script):
        raise Refused("order_invalid", "a transfer runs no script")
    if hashlib.sha256(order.script.encode()).hexdigest() != order.script_sha256:
        raise Refused("order_invalid", "script_sha256")
    name = refused_variable(order.env)
    if name is not None:
        raise Refused("order_invalid", f"env {name}")


def _split_secrets(
    order: Order, opened: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Secrets for the environment and for files; names are refused as those of variables are."""
    secrets: dict[str, str] = {}
    files: dict[str, str] = {}
    for secret in order.secrets:
        name = refused_variable({secret.name: "", secret.name + FILE_SUFFIX: ""})
        if name is not None or len(secret.name) > _MAX_SECRET_NAME:
            raise Refused("order_invalid", f"secret {secret.name}")
        (files if secret.as_file else secrets)[secret.name] = opened[secret.name]
    return secrets, files


def _script_parent(work: str, user: User) -> str:
    """The agent's own folder, or the system's temporary one for users who cannot reach ours."""
    if user.uid == os.geteuid() or _is_reachable(work):
        return work
    return str(importlib.import_module("tempfile").gettempdir())  # half a MB, seldom needed


def _is_reachable(path: str) -> bool:
    """Whether everybody may pass through every folder down to this one."""
    while True:
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        parent = os.path.dirname(path)
        if parent == path:
            return True
        path = parent

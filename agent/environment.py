"""The environment of a script: built from an allowlist, never inherited."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.interpreters import DEFAULT_PATH
from agent.outputs import OUTPUT_VARIABLE
from agent.processes import MARK_VARIABLE
from agent.users import User
from libs.protocol.messages import Order

MAX_ENVIRONMENT_BYTES = 1024 * 1024
MAX_VALUE_BYTES = 128 * 1024 - 1
"""The kernel takes 128 KiB for one argument or variable, its final NUL included."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_REFUSED_PREFIXES = ("LD_", "DYLD_", "PYTHON", "PERL", "RUBY", "NODE_", "BASH_", "GIT_")
_REFUSED = frozenset(
    (
        *("PATH", "IFS", "ENV", "PS4", "SHELLOPTS", "BASHOPTS", "PROMPT_COMMAND", "CDPATH"),
        *("GLOBIGNORE", "GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "MALLOC_TRACE"),
        *("HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "TMPDIR", "GOFLAGS"),
        *("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"),
        *(MARK_VARIABLE, OUTPUT_VARIABLE),
    )
)


def refused_variable(environment: Mapping[str, str]) -> str | None:
    """The first variable that a script may not be given, None if all are fine.

    Refused are names that no shell can use, and those that change which code an interpreter,
    a shell or the dynamic linker runs. Other names with OPSJOB_ are the platform's to set.
    """
    for name in environment:
        if not _NAME.fullmatch(name) or name in _REFUSED or name.startswith(_REFUSED_PREFIXES):
            return name
    return None


def is_too_large(order: Order, secrets: Mapping[str, str]) -> bool:
    """Whether arguments or variables, secret ones included, exceed what the kernel delivers."""
    pairs = [*order.env.items(), *secrets.items()]
    values = [*order.args, *(f"{name}={value}" for name, value in pairs)]
    sizes = [len(value.encode()) + 1 for value in values]
    return max(sizes, default=0) > MAX_VALUE_BYTES or sum(sizes) > MAX_ENVIRONMENT_BYTES


def environment_for(
    order: Order, user: User, *, mark: str, inherited: Mapping[str, str]
) -> dict[str, str]:
    """Everything the script finds in its environment."""
    environment = {
        "PATH": inherited.get("PATH") or DEFAULT_PATH,
        "HOME": user.home,
        "USER": user.name,
        "LOGNAME": user.name,
        "SHELL": user.shell,
        "LANG": inherited.get("LANG") or "C.UTF-8",
    }
    if inherited.get("TZ"):
        environment["TZ"] = inherited["TZ"]
    environment.update(order.env)
    environment["OPSJOB_EXECUTION_ID"] = order.execution_id
    environment["OPSJOB_TASK_ID"] = order.task_id
    environment["OPSJOB_ATTEMPT"] = str(order.attempt)
    environment["OPSJOB_HOST"] = order.host_name
    environment[MARK_VARIABLE] = mark
    return environment

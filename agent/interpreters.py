"""Which program runs a script: its declared type, for shell its shebang; never its content."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MAX_SHEBANG = 4096
_REMEMBER_SECONDS = 60.0


class InterpreterMissing(Exception):
    """The program that must run the script is not on this host; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class _Kind:
    programs: tuple[str, ...]
    options: tuple[str, ...]
    file_name: str


KINDS = {
    "shell": _Kind(("bash", "sh"), (), "script.sh"),
    "python": _Kind(("python3",), (), "script.py"),
    "javascript": _Kind(("node",), (), "script.js"),
    "perl": _Kind(("perl",), (), "script.pl"),
    "powershell": _Kind(
        ("pwsh", "powershell"), ("-NoLogo", "-NoProfile", "-NonInteractive", "-File"), "script.ps1"
    ),
    "go": _Kind(("go",), ("run",), "script.go"),
}


_found: dict[tuple[str, str], tuple[str, float]] = {}


def find_program(name: str, path: str) -> str | None:
    """The full path of an executable file, searched like a shell does.

    What was found before is taken again while it is there; a program that is installed before it
    in the path is noticed within a minute.
    """
    if "/" in name:
        return name if _is_program(name) else None
    found, at = _found.get((name, path), ("", 0.0))
    now = time.monotonic()
    if found and now - at < _REMEMBER_SECONDS and _is_program(found):
        return found
    searched = _search(name, path)
    if searched is not None:
        _found[name, path] = (searched, now)
    return searched


def _search(name: str, path: str) -> str | None:
    for folder in path.split(":"):
        candidate = os.path.join(folder, name)
        if folder.startswith("/") and _is_program(candidate):
            return candidate
    return None


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def available(path: str) -> tuple[str, ...]:
    """The script types that this host can run."""
    return tuple(
        name
        for name, kind in KINDS.items()
        if any(find_program(program, path) for program in kind.programs)
    )


def command_for(script_type: str, script: str, path: str) -> list[str]:
    """What comes before the script's path; raises InterpreterMissing.

    A shell script that begins with `#!` and a name is run by what it names. A lone `#!`, or a
    byte order mark before it, is no shebang, and the script goes to the shell.
    """
    if script_type == "shell" and script.startswith("#!"):
        shebang = script[2:_MAX_SHEBANG].split("\n", 1)[0].strip(" \t")
        if shebang:
            return _shebang_command(shebang, path)
    kind = KINDS[script_type]
    for program in kind.programs:
        found = find_program(program, path)
        if found is not None:
            return [found, *kind.options]
    raise InterpreterMissing(kind.programs[0])


def _shebang_command(shebang: str, path: str) -> list[str]:
    """As the kernel does: a program and at most one argument with everything else."""
    program, _, argument = shebang.partition(" ")
    argument = argument.strip(" \t")
    if not program.startswith("/") or not _is_program(program):
        raise InterpreterMissing(program)
    if os.path.basename(program) == "env" and argument:
        _check_env(argument, path)
    return [program, argument] if argument else [program]


def _check_env(argument: str, path: str) -> None:
    """Whether `env` will find the program that it is told to start."""
    words = argument.split()
    if words[0] in ("-S", "--split-string"):
        words = words[1:]
    elif len(words) > 1 and not words[0].startswith("-"):
        words = [argument]
    for word in words:
        if not word.startswith("-") and "=" not in word:
            if find_program(word, path) is None:
                raise InterpreterMissing(word)
            return

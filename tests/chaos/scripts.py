"""Scripts whose whole behaviour is known beforehand, so that truth can be compared with records.

Each leaves `start task attempt pid` in its host's marker file before anything else and
`end task attempt pid` behind everything else; both with one O_APPEND write. The markers, not the
platform's records, say what really ran.
"""

import random
from dataclasses import dataclass, replace
from pathlib import Path

MARK = (
    'printf "%s %s %s %s\\n" {word} "$OPSJOB_TASK_ID" "$OPSJOB_ATTEMPT" "$$"'
    ' >> "{folder}/$OPSJOB_HOST"'
)


@dataclass(frozen=True)
class Plan:
    """One script: its text, and what must come of it on every host."""

    kind: str
    content: str
    stdout: bytes
    stderr: bytes
    endings: frozenset[str]
    """The states that a task of this script may honestly end in when it has started."""
    exit_code: int | None = 0
    timeout: int = 60
    is_cut: bool = False
    """It is ended from outside: its output is a beginning of what is told here."""
    steps: int = 1
    """How often the script runs on each host, one step after the other."""
    retries: int = 0
    """How often a failed attempt is tried again."""


def plan_for(kind: str, folder: Path, number: int, rng: random.Random) -> Plan:
    """The script of this kind; the number makes its output differ from all others."""
    return marked(_KINDS[kind](number, rng), folder)


def marked(plan: Plan, folder: Path) -> Plan:
    """The plan with a mark before and one behind its script."""
    start, end = (MARK.format(word=word, folder=folder) for word in ("start", "end"))
    return replace(plan, content=f"{start}\n{plan.content}\ncode=$?\n{end}\nexit $code\n")


def _plan(kind: str, content: str, stdout: bytes, stderr: bytes = b"") -> Plan:
    return Plan(kind, content, stdout, stderr, endings=frozenset({"success"}))


def _quick(number: int, rng: random.Random) -> Plan:
    return _plan("quick", f"echo run {number}", f"run {number}\n".encode())


def _talkative(number: int, rng: random.Random) -> Plan:
    count, pause = rng.randrange(50, 400), rng.choice(["0", "0.002", "0.01"])
    body = f'for n in $(seq 1 {count}); do echo "{number} line $n"; sleep {pause}; done'
    lines = "".join(f"{number} line {n}\n" for n in range(1, count + 1))
    return _plan("talkative", body, lines.encode())


def _large(number: int, rng: random.Random) -> Plan:
    count = rng.randrange(10_000, 40_000)
    text = "".join(f"{n}\n" for n in range(1, count + 1))
    body = f"seq 1 {count}; echo note {number} >&2"
    return _plan("large", body, text.encode(), f"note {number}\n".encode())


def _binary(number: int, rng: random.Random) -> Plan:
    block = bytes(rng.randrange(256) for _ in range(64))
    octal = "".join(f"\\{byte:03o}" for byte in block)
    return _plan("binary", f"for n in $(seq 1 200); do printf '{octal}'; done", block * 200)


def _failing(number: int, rng: random.Random) -> Plan:
    code = rng.randrange(1, 200)
    plan = _plan("failing", f"echo fails {number}; (exit {code})", f"fails {number}\n".encode())
    return replace(plan, endings=frozenset({"failed"}), exit_code=code)


def _slow(number: int, rng: random.Random) -> Plan:
    plan = _plan("slow", f"echo slow {number}; sleep 60", f"slow {number}\n".encode())
    endings = frozenset({"timeout"})
    return replace(plan, endings=endings, exit_code=None, timeout=2, is_cut=True)


def _stepped(number: int, rng: random.Random) -> Plan:
    """Several steps, each on all hosts before the next."""
    plan = _plan("stepped", f"echo step of {number}", f"step of {number}\n".encode())
    return replace(plan, steps=rng.choice([2, 3]))


def _flaky(number: int, rng: random.Random) -> Plan:
    """Fails at its first attempt on every host."""
    body = f'echo "flaky {number}"; [ "$OPSJOB_ATTEMPT" -ge 2 ]'
    return replace(_plan("flaky", body, f"flaky {number}\n".encode()), retries=1)


def _stubborn(number: int, rng: random.Random) -> Plan:
    """Cancelled by the client; its daemon has a session of its own and no descriptors."""
    body = (
        f"echo stubborn {number}\n"
        "(trap '' TERM; setsid sleep 120 >/dev/null 2>&1 </dev/null &)\n"
        "sleep 120 & wait"
    )
    plan = _plan("stubborn", body, f"stubborn {number}\n".encode())
    return replace(plan, endings=frozenset({"cancelled"}), exit_code=None, is_cut=True)


_KINDS = {
    "quick": _quick,
    "talkative": _talkative,
    "large": _large,
    "binary": _binary,
    "failing": _failing,
    "slow": _slow,
    "stubborn": _stubborn,
    "stepped": _stepped,
    "flaky": _flaky,
}
WEIGHTS = {
    "quick": 7,
    "talkative": 6,
    "large": 1,
    "binary": 1,
    "failing": 2,
    "slow": 1,
    "stepped": 2,
    "flaky": 2,
}
"""How often each kind is drawn; stubborn ones are drawn for a cancel only."""

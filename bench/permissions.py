"""What a decision about access costs on a warm process, with 10,000 rows behind one user.

`make bench ONLY=permissions`. Decisions are spread over all rows: by a permission, by a row on the
host, by a row on a group around it, and refused ones. The limit is 5 us for each.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.report import Figure
from libs.contracts.access import AccessSet, Request, decide
from libs.contracts.grants import Action, GrantRow, ObjectType, Window

ROWS = 10_000
LIMIT_US = 5.0
DEFAULT_DECISIONS = 50_000
ROUNDS = 5
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAYTIME = Window(days=(1, 2, 3, 4, 5), start="08:00", until="23:00", zone="Asia/Shanghai")


def rows(count: int = ROWS) -> list[GrantRow]:
    """So many rows: half of them on hosts, half on groups; each with account, window and end."""
    return [
        GrantRow(
            id=number,
            actions=(Action.EXECUTE,),
            object_type=ObjectType.HOST if number % 2 else ObjectType.HOST_GROUP,
            object_ids=(str(number),),
            what=("adhoc", f"job_template:{number}"),
            accounts=("deploy", "app"),
            windows=(DAYTIME,),
            expires_at=NOW + timedelta(days=30),
        )
        for number in range(count)
    ]


def _asked(kind: str) -> list[Request]:
    def one(number: int, host: int, groups: Sequence[str], account: str) -> Request:
        what = f"job_template:{number}"
        return Request(Action.EXECUTE, ObjectType.HOST, str(host), groups, what, account)

    numbers = range(1, ROWS - 1, 2)
    if kind == "group":
        return [one(n + 1, 90_000 + n, ("77", str(n + 1), "88888"), "app") for n in numbers]
    if kind == "refused":
        return [one(n, n, (str(n + 1), "66666"), "nobody") for n in numbers]
    return [one(n, n, ("77777",), "deploy") for n in numbers]


def _spent(access: AccessSet, asked: Sequence[Request], count: int, *, allowed: bool) -> float:
    """Microseconds for each decision."""
    whole = (asked * (count // len(asked) + 1))[:count]
    if any(decide(access, one, NOW).allowed is not allowed for one in asked):
        raise RuntimeError("a decision is not what it should be")
    began = time.process_time()
    for one in whole:
        decide(access, one, NOW)
    return (time.process_time() - began) / count * 1_000_000


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """`n` is decisions a round; there are no peers here."""
    count = n or DEFAULT_DECISIONS
    began = time.process_time()
    by_rows = AccessSet((), rows())
    compiled = (time.process_time() - began) * 1000
    by_permission = AccessSet({"executions:run", "executions:run_as_root"}, rows())
    cases = {
        "permission": (by_permission, "host", True),
        "host": (by_rows, "host", True),
        "group": (by_rows, "group", True),
        "refused": (by_rows, "refused", False),
    }
    for name, (access, kind, allowed) in cases.items():
        asked = _asked(kind)
        times = [_spent(access, asked, count, allowed=allowed) for _ in range(ROUNDS)]
        yield Figure(
            f"permission_decision_{name}", round(median(times), 3), "us/decision",
            count * ROUNDS, LIMIT_US,
        )  # fmt: skip
    yield Figure("permission_set_compiled", round(compiled, 1), "ms/10,000 rows", ROWS)

"""What deciding about access costs, and what a list costs that starts from the visible set.

`make bench ONLY=permissions`. Decisions on a warm process with 10,000 rows behind one user, spread
over all of them: by a permission, by a row on the host, by a row on a group around it, and refused
ones; the limit is 5 us each. Then a page of 50 of 10,000 hosts for a user without any role who has
500 grants, through the HTTP door of the hosts service, on SQLite and on PostgreSQL: by grants on
single hosts (ten each) and by grants on groups; the limit is 30 ms.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import insert

from bench.report import Figure
from libs.contracts.access import AccessSet, Request, decide
from libs.contracts.grants import Action, GrantRow, ObjectType, Window
from libs.kit import migrate
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.client import InProcess
from libs.kit.db import Transaction
from libs.kit.redis import connect
from libs.kit.service import Runtime
from libs.kit.settings import Settings
from services.hosts.app import service
from services.hosts.models import Group, GroupMember, Host
from tests.support.access import Given
from tests.support.database import PostgresServer

SECRET = SecretStr("bench-only-secret-0123456789-abcdefghijklmnop")
GRANTS = 500
PAGES = 200
LIMIT_MS = 30.0

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
    whole = (list(asked) * (count // len(asked) + 1))[:count]
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
    yield from _page_figures(min(count, PAGES))


# ---- pages -------------------------------------------------------------------------------------


def _grants(kind: str) -> list[GrantRow]:
    """500 rows: each on ten hosts, or each on one of twenty groups."""
    on_hosts = kind == "hosts"
    return [
        GrantRow(
            id=number,
            actions=(Action.EXECUTE,),
            object_type=ObjectType.HOST if on_hosts else ObjectType.HOST_GROUP,
            object_ids=tuple(str(1_000 + number + 500 * n) for n in range(10))
            if on_hosts
            else (str(number % 19 + 1),),
            what=("adhoc",),
            accounts=("deploy",),
        )
        for number in range(GRANTS)
    ]


async def _filled(app: FastAPI, count: int = 10_000) -> None:
    """So many hosts in twenty groups."""
    now = datetime.now(UTC)
    moments = {"created_at": now, "updated_at": now}
    groups = [
        {"id": n, "name": f"g{n}", "name_key": f"g{n}", "parent_id": None, "description": ""}
        | moments
        for n in range(1, 21)
    ]
    hosts = [
        {"id": n, "name": f"host-{n:05}", "name_key": f"host-{n:05}", "port": 22, "tags": "[]",
         "ip_address": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "description": ""} | moments
        for n in range(1_000, 1_000 + count)
    ]  # fmt: skip
    members = [{"host_id": host["id"], "group_id": n % 20 + 1} for n, host in enumerate(hosts)]

    def fill(tx: Transaction) -> None:
        for table, made in ((Group, groups), (Host, hosts), (GroupMember, members)):
            tx.execute(insert(table), made)

    await app.state.database.write(fill)


async def _pages(url: str, folder: Path, requests: int) -> dict[str, list[float]]:
    """Milliseconds of each page, one request after the other."""
    given, network, tokens = Given(), InProcess(), InternalTokens(SECRET)
    network.apps["auth"] = given
    settings = Settings(database_url=url, secret=SECRET, data_dir=folder)
    spent: dict[str, list[float]] = {}
    async with httpx.AsyncClient(transport=network) as http:
        redis = connect(f"unix://{folder}/nobody.sock")
        app = service.create_app(Runtime(settings, redis, http, tokens, AccessTokens(SECRET)))
        network.apps["hosts"] = app
        await app.state.database.open()
        await _filled(app)
        for user_id, kind in enumerate(("hosts", "groups"), start=41):
            given.give(user_id, *_grants(kind))
            token = tokens.issue("hosts", Principal(user_id, kind), "gateway", ttl=3600)
            times = spent[kind] = []
            for number in range(requests):
                began = time.perf_counter()
                answer = await http.get(
                    f"http://hosts/api/hosts?page={number % 90 + 1}&page_size=50",
                    headers={"authorization": f"Bearer {token}"},
                )
                times.append((time.perf_counter() - began) * 1000)
                if answer.status_code != 200 or len(answer.json()["content"]["results"]) != 50:
                    raise RuntimeError(answer.text[:500])
        await app.state.database.close()
        await redis.aclose()
    return spent


def _page_figures(requests: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="opsjob-bench-") as name:
        url = f"sqlite:///{name}/{{service}}.db"
        migrate.upgrade("hosts", service.metadata, service.migrations, url.format(service="hosts"))
        yield from _shown("sqlite", asyncio.run(_pages(url, Path(name), requests)), requests)
    server = PostgresServer()
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="opsjob-bench-") as name:
            migrate.upgrade("hosts", service.metadata, service.migrations, server.url)
            url = server.url + "?{service}"
            yield from _shown("postgres", asyncio.run(_pages(url, Path(name), requests)), requests)
    finally:
        server.stop()


def _shown(database: str, spent: dict[str, list[float]], requests: int) -> Iterator[Figure]:
    for kind, times in spent.items():
        for part, value in (("median", median(times)), ("p95", sorted(times)[-len(times) // 20])):
            yield Figure(
                f"page_by_500_grants_on_{kind}_{database}_{part}", round(value, 2), "ms/page",
                requests, LIMIT_MS,
            )  # fmt: skip

"""The scaled profile for real: every part a process, two agent gateways, an agent on each."""

import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from services.registry import SERVICES
from tests.support.database import PostgresServer
from tests.support.processes import programs
from tests.support.topology import AGENT_GATEWAYS, Topology
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.slow]

LINES = 200
OUT_SECONDS = 5.0
SCRIPT = f"""
for line in $(seq 1 {LINES}); do
  echo "line $line of {LINES}"
  [ $((line % 50)) -eq 0 ] && echo "warning $line" >&2
done
true
"""


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    folder = tmp_path_factory.mktemp("topology")
    postgres = PostgresServer()
    try:
        postgres.start()
        with programs(folder) as started:
            built = Topology(started, folder, postgres, is_secure=True)
            built.start()
            yield built
    finally:
        postgres.stop()


@pytest.fixture(scope="module")
def client(topology: Topology) -> Iterator[httpx.Client]:
    admin = json.loads(topology.opsjob("admin", "make-first"))
    with httpx.Client(base_url=topology.api, timeout=20) as http:
        answer = http.post("/api/auth/login/", json=admin)
        assert answer.status_code == 200, answer.text
        http.headers["Authorization"] = f"Bearer {answer.json()['content']['access_token']}"
        yield http


@pytest.fixture(scope="module")
def hosts(topology: Topology, client: httpx.Client) -> dict[str, int]:
    """Name -> id of one online host per agent gateway."""
    for gateway in AGENT_GATEWAYS:
        issued = client.post("/api/agents/enrolment_tokens/", json={})
        assert issued.status_code == 201, issued.text
        topology.start_agent(f"host-{gateway}", gateway, issued.json()["content"]["token"])

    def online() -> dict[str, int]:
        rows = client.get("/api/hosts/").json()["content"]["results"]
        return {row["name"]: row["id"] for row in rows if row["agent_status"] == "online"}

    eventually_sync(lambda: len(online()) == len(AGENT_GATEWAYS), timeout=30)
    return online()


def test_every_part_is_a_process_of_its_own(topology: Topology) -> None:
    processes = {name: psutil.Process(part.process.pid) for name, part in topology.parts.items()}

    assert processes.keys() == {
        *(*SERVICES, *AGENT_GATEWAYS),
        *("worker", "gateway-api", "signer"),
    }
    wanted = {
        name: f"opsjob: {'agent-gateway' if name in AGENT_GATEWAYS else name}" for name in processes
    }

    def titles() -> dict[str, str]:
        return {name: " ".join(one.cmdline()).strip() for name, one in processes.items()}

    # Nothing waits for signer and worker: they may still be loading.
    eventually_sync(lambda: titles() == wanted, timeout=30)


def test_nothing_but_loopback_tcp_connects_them(topology: Topology) -> None:
    """PostgreSQL, Valkey and the services are reached over the network, as between machines.

    The signer alone has no port: it believes the system's word for who asks.
    """
    for name, part in topology.parts.items():
        sockets = psutil.Process(part.process.pid).net_connections("unix")
        found = {str(each.laddr) for each in sockets if str(each.laddr).startswith("/")}
        assert found == ({topology.environment["OPSJOB_SIGNER_SOCKET"]} & found), name
        assert not found or name == "signer", name
        if name == "signer":
            tcp = psutil.Process(part.process.pid).net_connections("tcp")
            assert not [each for each in tcp if each.status == psutil.CONN_LISTEN]


@pytest.mark.parametrize("service", SERVICES)
def test_s56_a_service_hears_holders_of_certificates_alone(
    topology: Topology, service: str
) -> None:
    """Everything else in this file shows that the parts themselves are heard."""
    url = f"{topology.service(service)}/health/ready"
    files = topology.certificate("worker")
    nobody = ssl.create_default_context(cafile=files.authority)

    assert httpx.get(url, verify=files.to_ask(), timeout=5).status_code == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(url, verify=nobody, timeout=5)
    with pytest.raises(httpx.HTTPError):
        httpx.get(url.replace("https", "http"), timeout=5)


NOT_A_SERVICES = (
    "CREATE TABLE own (number int)",
    "CREATE TEMPORARY TABLE own (number int)",
    "DROP TABLE outbox",
    "ALTER TABLE outbox ADD COLUMN own int",
    "TRUNCATE outbox",
    "UPDATE alembic_version SET version_num = version_num",
    "DELETE FROM alembic_version",
    "ALTER EVENT TRIGGER opsjob_hold_back DISABLE",
    "CREATE ROLE own",
    "SET ROLE postgres",
    "SELECT pg_read_file('/etc/passwd')",
)


@pytest.mark.parametrize("service", SERVICES)
def test_s56_the_role_of_a_service_works_on_rows_of_its_own_and_on_nothing_else(
    topology: Topology, service: str
) -> None:
    """The rest of this file shows that it may do what the service does."""
    role, own = f"opsjob_{service}_run", f"opsjob_{service}"

    assert topology.ask(role, own, "SELECT count(*) FROM outbox") is not None
    for statement in (*NOT_A_SERVICES, f"SET ROLE {own}"):
        with pytest.raises(asyncpg.PostgresError, match=r"permission denied|must be"):
            topology.ask(role, own, statement)
    for other in {f"opsjob_{name}" for name in SERVICES} - {own}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            topology.ask(role, other, "SELECT 1")


def test_s56_nobody_changes_a_record_of_the_audit_log(topology: Topology) -> None:
    role, own = "opsjob_auth_run", "opsjob_auth"

    assert topology.ask(role, own, "SELECT count(*) FROM audit_records") != 0
    for statement in ("UPDATE audit_records SET seq = seq", "TRUNCATE audit_records"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            topology.ask(role, own, statement)


def test_s56_the_signer_reads_executions_and_writes_nothing(topology: Topology) -> None:
    role, own = "opsjob_execution_read", "opsjob_execution"

    assert topology.ask(role, own, "SELECT count(*) FROM executions") is not None
    for statement in (
        "INSERT INTO executions DEFAULT VALUES",
        "UPDATE executions SET id = id",
        "DELETE FROM executions",
        "SELECT id FROM executions FOR UPDATE",
        *NOT_A_SERVICES,
    ):
        with pytest.raises(asyncpg.PostgresError, match=r"permission denied|must be"):
            topology.ask(role, own, statement)
    for other in ("opsjob_auth", "opsjob_hosts"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            topology.ask(role, other, "SELECT 1")


def test_a_script_runs_on_the_agents_of_both_gateways(
    client: httpx.Client, hosts: dict[str, int]
) -> None:
    body = {
        "script_content": SCRIPT,
        "script_type": "shell",
        "target_host_ids": sorted(hosts.values()),
        "timeout": 60,
    }

    accepted = client.post("/api/quick/execute_script/", json=body)
    assert accepted.status_code == 201, accepted.text
    execution_id = accepted.json()["content"]["execution_id"]
    told = list(events(client, f"/api/realtime/sse/logs/{execution_id}/"))

    assert told[-1] == ("end", {"status": "success"})
    for host_id in hosts.values():
        lines = text_of(told, host_id, "stdout").splitlines()
        assert [line.split()[1] for line in lines] == [str(n) for n in range(1, LINES + 1)]
        assert len(text_of(told, host_id, "stderr").splitlines()) == LINES // 50
    record = client.get(f"/api/executor/execution-records/{execution_id}/").json()["content"]
    tasks = [task for step in record["steps"] for task in step["tasks"]]
    assert {task["host_id"]: task["status"] for task in tasks} == dict.fromkeys(
        hosts.values(), "success"
    )
    assert {task["log_status"] for task in tasks} == {"complete"}


def test_each_gateway_holds_one_of_the_agents(
    topology: Topology, client: httpx.Client, hosts: dict[str, int]
) -> None:
    """Where an agent is connected is known to the whole platform, not to one gateway."""
    text = {
        name: httpx.get(f"{topology.agent_gateway(name)}/metrics", timeout=5).text
        for name in AGENT_GATEWAYS
    }

    assert len(hosts) == len(AGENT_GATEWAYS)
    assert all("opsjob_" in metrics for metrics in text.values())


def test_the_stored_output_equals_the_live_one(client: httpx.Client, hosts: dict[str, int]) -> None:
    host_id = min(hosts.values())
    body = {"script_content": "seq 1 20000", "target_host_ids": [host_id], "timeout": 60}
    execution_id = client.post("/api/quick/execute_script/", json=body).json()["content"][
        "execution_id"
    ]
    live = text_of(
        list(events(client, f"/api/realtime/sse/logs/{execution_id}/")), host_id, "stdout"
    )

    stored, position = "", 0
    while True:
        page = client.get(
            f"/api/executor/execution-records/{execution_id}/logs/", params={"position": position}
        ).json()["content"]
        stored += "".join(chunk["text"] for chunk in page["chunks"] if chunk["stream"] == "stdout")
        if not page["chunks"]:
            break
        position = page["next_position"]

    expected = "".join(f"{n}\n" for n in range(1, 20001))
    assert digest(live) == digest(stored) == digest(expected)


def somebody(
    topology: Topology, client: httpx.Client, hosts: dict[str, int]
) -> tuple[httpx.Client, int, int]:
    """A program of somebody who may run on these hosts by a grant alone; ids of user and grant."""
    login = {"username": f"by-grant-{time.monotonic_ns()}", "password": "A long enough pass 53!"}
    user = client.post("/api/auth/users/", json=login | {"roles": ["member"]}).json()["content"]
    grant = {
        "subject_type": "user",
        "subject_id": user["id"],
        "actions": ["execute"],
        "object_type": "host",
        "object_ids": [*hosts.values()],
        "what": ["*"],
        "accounts": ["*"],
    }
    given = client.post("/api/permissions/grants/", json=grant).json()["content"]
    pair = httpx.post(f"{topology.api}/api/auth/login/", json=login).json()["content"]
    http = httpx.Client(base_url=topology.api, timeout=20)
    http.headers["Authorization"] = f"Bearer {pair['access_token']}"
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    scopes = ["hosts:read", "executions:run", "executions:run_as_root"]
    spec = {"name": "program", "scopes": scopes, "expires_at": ends}
    made = http.post("/api/auth/tokens/", json=spec).json()["content"]
    http.headers["Authorization"] = f"Bearer {made['token']}"
    return http, user["id"], given["id"]


def test_s35_what_somebody_loses_is_lost_in_every_process_within_seconds(
    topology: Topology, client: httpx.Client, hosts: dict[str, int], tmp_path: Path
) -> None:
    """One loses a grant, one is disabled: hosts, runs, streams, and steps that wait."""
    lost_all = tmp_path / "lost"
    first = f"for n in $(seq 300); do [ -e {lost_all} ] && break; sleep 0.1; done"
    run = {
        "target_host_ids": [*hosts.values()],
        "steps": [
            {"name": "First", "script_content": first},
            {"name": "Next", "script_content": "echo never"},
        ],
    }
    records = "/api/executor/execution-records/"
    ann, _, grant_id = somebody(topology, client, hosts)
    bob, bob_id, _ = somebody(topology, client, hosts)
    with closing(ann), closing(bob):
        answers = [who.post(records, json=run) for who in (ann, bob)]
        started = [answer.json()["content"]["execution_id"] for answer in answers]
        assert [who.get("/api/hosts/").json()["content"]["total"] for who in (ann, bob)] == [2, 2]
        told: list[str] = []
        opened = threading.Event()

        def listen() -> None:
            with bob.stream("GET", f"/api/realtime/sse/logs/{started[1]}/", timeout=30) as stream:
                opened.set()
                told.extend(stream.iter_lines())

        reader = threading.Thread(target=listen, daemon=True)
        reader.start()
        assert opened.wait(10)
        began = time.monotonic()
        assert client.delete(f"/api/permissions/grants/{grant_id}/").status_code == 200
        assert client.post(f"/api/auth/users/{bob_id}/disable/", json={}).status_code == 200

        def lost() -> bool:
            seen = ann.get("/api/hosts/").json()["content"]["total"]
            return seen == 0 and bob.get("/api/hosts/").status_code == 401

        eventually_sync(lost, timeout=OUT_SECONDS)
        refused = ann.post(records, json=run)
        reader.join(OUT_SECONDS - (time.monotonic() - began))
        assert not reader.is_alive()
        assert "event: revoked" in told
        assert refused.status_code in (403, 404)
        assert time.monotonic() - began < OUT_SECONDS
    lost_all.touch()
    for execution_id in started:
        ends_after_its_first_step(client, f"{records}{execution_id}/")


def ends_after_its_first_step(client: httpx.Client, path: str) -> None:
    """What ran goes on to its end; what waited is rejected, because nobody stands behind it."""
    eventually_sync(lambda: client.get(path).json()["content"]["finished_at"], timeout=30)
    first, second = client.get(path).json()["content"]["steps"]
    assert {task["status"] for task in first["tasks"]} == {"success"}
    told_of = {(task["status"], task["reason"]) for task in second["tasks"]}
    assert told_of == {("rejected", "actor_not_allowed")}


def events(client: httpx.Client, path: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and data of each event of a stream, until the server ends it."""
    with client.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status_code == 200, answer.read()
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event:"):
                name = line.partition(":")[2].strip()
            elif line.startswith("data:"):
                yield name, json.loads(line.partition(":")[2])
                if name == "end":
                    return


def text_of(told: list[tuple[str, dict[str, object]]], host_id: int, stream: str) -> str:
    """The output of one host, put together from log events; a gap would be missed here."""
    chunks = [
        data
        for name, data in told
        if name == "log" and data["host_id"] == host_id and data["stream"] == stream
    ]
    assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks)))
    return "".join(str(chunk["text"]) for chunk in chunks)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

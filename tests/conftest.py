"""What every test gets: one loop, no network beyond loopback, a choice of database."""

import gc
import signal
from pathlib import Path

import pytest

_SUPPORT = Path(__file__).parent / "support"

# Fixtures live beside what they build; a module that does not exist yet is simply not loaded.
pytest_plugins = [
    f"tests.support.{name}"
    for name in ("network", "valkey", "database", "platform", "agents", "s3")
    if (_SUPPORT / f"{name}.py").exists()
]
# Whoever learns which database it is asks one of these, or asks for fixtures by their names.
_DATABASES = frozenset(("db_kind", "database_templates", "postgres_server_url", "request"))

pytest.register_assert_rewrite(*pytest_plugins)


def pytest_configure() -> None:
    # A shell starts its background jobs deaf to Ctrl-C, and every process of a test inherits that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only tests run that may meet it; all others know the answer from SQLite."""
    if config.getoption("--db") != "postgres":
        return
    meeting = [item for item in items if _may_meet_a_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(meeting)])
    items[:] = meeting


def _may_meet_a_database(item: pytest.Item) -> bool:
    """By its fixtures and by theirs, also by those that others of the same name stand before."""
    definitions = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009  there is no other way
    needed = {
        name
        for defined in definitions.values()
        for definition in defined
        for name in (definition.argname, *definition.argnames)
    }
    return bool(needed & _DATABASES) or item.get_closest_marker("postgres") is not None


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no search for garbage has to visit it."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--db postgres` runs the same suite on PostgreSQL."""
    parser.addoption(
        "--db",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="database that the services of the tests use (default: sqlite)",
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio alone; the platform uses nothing else."""
    return "asyncio"


@pytest.fixture(scope="session")
def db_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgres`, as asked on the command line."""
    return str(request.config.getoption("--db"))

"""Who may import whom: the contracts hold, and each of them is able to fail."""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp
import pytest

import libs
from tests.support.tree import PACKAGES, REPOSITORY, Source, imported_modules, sources

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@dataclass(frozen=True)
class Report:
    """What import-linter said: how many files it saw and which contracts it found broken."""

    files: int
    broken: frozenset[str]
    text: str


@cache
def lint(root: Path) -> Report:
    """Runs the contracts of a tree's pyproject.toml on that tree; a tree does not change."""
    done = subprocess.run(
        [str(LINT_IMPORTS), "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout + done.stderr
    analysed = re.search(r"Analyzed (\d+) files", text)
    assert analysed, text
    broken = frozenset(re.findall(r"^(.+) BROKEN(?: .*)?$", text, flags=re.MULTILINE))
    assert bool(broken) == (done.returncode != 0), text
    return Report(int(analysed[1]), broken, text)


@cache
def contracts() -> dict[str, dict[str, list[str]]]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    return {rule["name"]: rule for rule in project["tool"]["importlinter"]["contracts"]}


# --- The real tree ---------------------------------------------------------------------------


def test_every_import_stays_in_its_room() -> None:
    report = lint(REPOSITORY)

    assert not report.broken, report.text


def test_the_linter_saw_the_whole_tree() -> None:
    """With remapped package names import-linter sees 0 files and reports success."""
    expected = {module(s.path) for s in sources(*PACKAGES) if "migrations" not in s.path.parts}

    graph = grimp.build_graph(*PACKAGES, cache_dir=None)

    assert len(expected) > 200
    assert graph.modules == expected
    assert lint(REPOSITORY).files >= len(expected)


def module(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def test_libs_is_the_one_of_this_repository() -> None:
    assert libs.__file__ is not None
    assert Path(libs.__file__).resolve().is_relative_to(REPOSITORY)


def test_every_service_is_named_in_every_contract_about_services() -> None:
    declared = {p.parent.name for p in (REPOSITORY / "services").glob("*/app.py")}
    rooms = contracts()["Rooms"]["layers"][1]
    storeys = contracts()["Storeys of a service (closed list of names)"]["containers"]

    assert declared == set(re.findall(r"services\.(\w+)", rooms))
    assert declared == {name.removeprefix("services.") for name in storeys}


# --- Planted violations ----------------------------------------------------------------------

DOORS = ("router", "internal", "consumers", "tasks")
INSIDE = ("service", "repository", "models", "schemas", "errors", "settings", "domain")
FEATURES = {"hosts": ("groups", "agents"), "execution": ("quick", "realtime"), "auth": ()}
KIT = tuple(
    name
    for layer in contracts()["Storeys of the kit (closed list)"]["layers"]
    for name in re.findall(r"\w+", layer)
)


def stub_names() -> list[str]:
    """A tree with the platform's names and nothing in it: what it breaks was planted."""
    names = ["services/registry", "services/cli/commands", "services/embedded/supervisor"]
    for service, features in FEATURES.items():
        names += [f"services/{service}/{part}" for part in ("app", *DOORS, *INSIDE)]
        for feature in features:
            parts = ("router", "service", "repository", "schemas", "domain")
            names += [f"services/{service}/{feature}/{part}" for part in parts]
    names += [f"libs/kit/{part}" for part in KIT]
    names += ["libs/contracts/hosts", "libs/contracts/auth", "libs/protocol/messages"]
    names += ["gateway/api/app", "gateway/api/proxy", "gateway/agents/session", "agent/executors"]
    return names


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    for name in stub_names():
        plant(tmp_path, f"{name}.py", "")
    (tmp_path / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    return tmp_path


def plant(root: Path, name: str, text: str) -> None:
    """Writes a file and makes packages of the folders above it."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent
    while folder != root:
        (folder / "__init__.py").touch()
        folder = folder.parent
    path.write_text(f"{text}\n", encoding="utf-8")


def test_the_stubs_alone_break_nothing(stubs: Path) -> None:
    report = lint(stubs)

    assert report.files > len(stub_names())
    assert not report.broken, report.text


ROOMS = "Rooms"
THREE_ROOMS = "libs has three rooms"
PROTOCOL = "Only the agent gateway and the agent speak the protocol"
AGENT = "Nobody imports the agent, except to start it"
SERVICE = "Storeys of a service (closed list of names)"
FEATURE = "Storeys of a feature folder"
CYCLES = "No cycles"
DOOR = "Doors do not reach past the brain"
SQL = "SQL only in models and repositories"
LIGHT = "The agent is light"
KIT_LIST = "Storeys of the kit (closed list)"

# (contracts that must break, file that gets the offence, offence)
PLANTED: list[tuple[set[str], str, str]] = [
    ({ROOMS}, "services/hosts/service.py", "import services.auth.service"),
    ({ROOMS}, "services/hosts/app.py", "import services.registry"),
    ({ROOMS}, "services/execution/tasks.py", "import gateway.agents.session"),
    ({ROOMS}, "gateway/api/app.py", "import services.hosts.service"),
    ({ROOMS}, "gateway/api/app.py", "import gateway.agents.session"),
    ({ROOMS}, "gateway/agents/session.py", "import services.embedded.supervisor"),
    ({ROOMS}, "libs/kit/db.py", "import services.hosts.models"),
    ({ROOMS}, "libs/contracts/hosts.py", "import gateway.api.app"),
    ({THREE_ROOMS}, "libs/utils.py", ""),
    ({THREE_ROOMS}, "libs/kit/client.py", "import libs.contracts.hosts"),
    ({THREE_ROOMS, PROTOCOL}, "libs/kit/ids.py", "import libs.protocol.messages"),
    ({PROTOCOL}, "services/execution/service.py", "import libs.protocol.messages"),
    ({PROTOCOL}, "libs/contracts/hosts.py", "import libs.protocol.messages"),
    ({PROTOCOL}, "gateway/api/app.py", "import libs.protocol"),
    ({AGENT}, "services/hosts/service.py", "import agent.executors"),
    ({AGENT}, "gateway/agents/session.py", "import agent"),
    ({SERVICE}, "services/hosts/utils.py", ""),
    ({SERVICE}, "services/auth/cloud/router.py", ""),
    ({SERVICE}, "services/hosts/models.py", "import services.hosts.service"),
    ({SERVICE}, "services/hosts/domain.py", "import services.hosts.schemas"),
    ({SERVICE}, "services/hosts/errors.py", "import services.hosts.domain"),
    ({SERVICE}, "services/auth/router.py", "import services.auth.internal"),
    ({SERVICE}, "services/execution/quick/service.py", "import services.execution.router"),
    ({FEATURE}, "services/hosts/groups/helpers.py", ""),
    ({FEATURE}, "services/hosts/groups/service.py", "import services.hosts.groups.router"),
    (
        {CYCLES},
        "services/hosts/service.py",
        "import services.hosts.groups.service\n#>services/hosts/groups/service.py\n"
        "import services.hosts.service",
    ),
    (
        {CYCLES},
        "gateway/api/app.py",
        "import gateway.api.proxy\n#>gateway/api/proxy.py\nimport gateway.api.app",
    ),
    ({DOOR}, "services/hosts/router.py", "import services.hosts.repository"),
    ({DOOR}, "services/hosts/groups/router.py", "import services.hosts.groups.repository"),
    ({DOOR}, "services/auth/tasks.py", "import services.auth.repository"),
    ({SQL}, "services/hosts/router.py", "import sqlalchemy"),
    ({SQL}, "services/execution/quick/service.py", "from sqlalchemy import select"),
    ({SQL}, "libs/contracts/auth.py", "import sqlalchemy.orm"),
    ({SQL}, "gateway/agents/session.py", "import sqlalchemy"),
    ({LIGHT}, "agent/executors.py", "import pydantic"),
    ({LIGHT}, "agent/executors.py", "import libs.kit.ids"),
    ({LIGHT}, "libs/protocol/messages.py", "import redis"),
    ({KIT_LIST}, "libs/kit/common.py", ""),
    ({KIT_LIST}, "libs/kit/errors.py", "import libs.kit.service"),
    ({KIT_LIST}, "libs/kit/auth.py", "import libs.kit.client"),
    ({KIT_LIST}, "libs/kit/bus.py", "import libs.kit.queue"),
]


def test_every_contract_has_a_planted_violation() -> None:
    assert set().union(*(names for names, _, _ in PLANTED)) == set(contracts())


@pytest.mark.parametrize(
    ("broken", "file", "offence"), PLANTED, ids=[f"{f} {o[:50]!r}" for _, f, o in PLANTED]
)
def test_a_planted_violation_breaks_exactly_its_contract(
    stubs: Path, broken: set[str], file: str, offence: str
) -> None:
    first, *others = offence.split("\n#>")
    plant(stubs, file, first)
    for other in others:
        name, _, text = other.partition("\n")
        plant(stubs, name, text)

    report = lint(stubs)

    assert report.broken == broken, report.text


# --- Third parties of the parts that run on managed hosts ------------------------------------

MAY_IMPORT = {
    "agent": {"agent", "libs", "websockets", "psutil", "cryptography"},
    "libs/protocol": {"libs"},
}


def strangers(source: Source, allowed: set[str]) -> list[str]:
    """Imports of a file that are neither of the standard library nor allowed."""
    return [
        f"{source.name}:{line} imports {module}"
        for line, module in imported_modules(source)
        if module.partition(".")[0] not in allowed | sys.stdlib_module_names
    ]


@pytest.mark.parametrize(("folder", "allowed"), MAY_IMPORT.items())
def test_hosts_need_no_further_packages(folder: str, allowed: set[str]) -> None:
    files = [s for s in sources("agent", "libs") if s.name.startswith(f"{folder}/")]

    assert files
    assert not [found for source in files for found in strangers(source, allowed)]

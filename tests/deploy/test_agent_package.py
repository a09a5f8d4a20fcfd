"""The agent packed alone: exactly its two packages, and it starts without the platform."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT / "deploy" / "agent",
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_agent_and_the_protocol_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    packages = {name.rsplit("/", 1)[0] for name in names if ".dist-info" not in name}
    assert packages == {"agent", "libs", "libs/protocol"}
    assert [name for name in names if name.startswith("libs/") and name.count("/") == 1] == [
        "libs/__init__.py"
    ]
    assert all(name.endswith(".py") for name in names if ".dist-info" not in name)


def test_it_starts_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = "import agent.daemon, agent.spawner, agent.signer, libs; print(libs.__file__)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == str(tmp_path / "libs" / "__init__.py")


def test_the_lock_covers_every_dependency_for_python_3_9() -> None:
    recipe = tomllib.loads((ROOT / "deploy" / "agent" / "pyproject.toml").read_text())
    lock = (ROOT / "requirements" / "agent.lock").read_text()

    project = recipe["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["title"]]
    for requirement in needed:
        assert f"\n{requirement.split('>')[0]}==" in lock
    assert "://" not in lock
    assert project["requires-python"] == ">=3.9"

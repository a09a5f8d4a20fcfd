"""A virtual environment with Salt, made on demand in the user's cache folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INSTALL_SECONDS = 900.0
PROBE_SECONDS = 60.0
PYTHON = "python3.10"
"""The series that Salt's releases are built for."""

_VERSIONS = (
    "import platform, salt.version; print(salt.version.__version__, platform.python_version())"
)


class SaltMissing(Exception):
    """Salt cannot be installed here; the text says why."""


@dataclass(frozen=True)
class Environment:
    """An environment that has Salt, with the versions that a figure has to name."""

    folder: Path
    salt: str
    python: str

    def program(self, name: str) -> str:
        """Path of an executable in it."""
        return str(self.folder / "bin" / name)


def environment() -> Environment:
    """The cached one, or a new one (needs Python 3.10 and the network, about two minutes).

    Raises SaltMissing. The folder is `opsjob-bench/salt` in $XDG_CACHE_HOME or ~/.cache.
    """
    root = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(root) if root else Path.home() / ".cache") / "opsjob-bench" / "salt"
    if found := _existing(folder):
        return found
    python = _python()
    print(f"Salt is being installed into {folder} ...", flush=True)
    _install(python, folder)
    if found := _existing(folder):
        return found
    raise SaltMissing(f"the packages in {folder} hold no Salt that runs")


def settings_of_the_shell() -> dict[str, str]:
    """The process environment without what would change the Python that Salt runs on."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "SALT_", "OPSJOB_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _existing(folder: Path) -> Environment | None:
    """Salt is installed after everything it needs, so one that tells its version is complete."""
    python = folder / "bin" / "python"
    if not python.exists() or not (folder / "bin" / "salt-minion").exists():
        return None
    said = _call([str(python), "-c", _VERSIONS], PROBE_SECONDS)
    words = said.stdout.split()
    return Environment(folder, *words) if said.returncode == 0 and len(words) == 2 else None


def _python() -> str:
    for candidate in _candidates():
        said = _call([candidate, "--version"], PROBE_SECONDS)
        if said.returncode == 0 and said.stdout.startswith("Python 3.10."):
            return candidate
    raise SaltMissing("Salt wants Python 3.10, and there is no python3.10 on the path")


def _candidates() -> Iterator[str]:
    """What is on the path (a shim of pyenv may refuse to run), then pyenv's own ones."""
    if found := shutil.which(PYTHON):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(map(str, pyenv.glob(f"versions/3.10.*/bin/{PYTHON}")), reverse=True)


def _install(python: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    steps = [[python, "-m", "venv", "--clear", str(folder)], [*pip, "install", "-q", "salt"]]
    for step in steps:
        said = _call(step, INSTALL_SECONDS)
        if said.returncode:
            last = (said.stderr.strip() or said.stdout.strip() or "no word").splitlines()[-1]
            raise SaltMissing(f"the installation ended with: {last}")


def _call(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            env=settings_of_the_shell(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        return subprocess.CompletedProcess(command, 1, "", str(failed))

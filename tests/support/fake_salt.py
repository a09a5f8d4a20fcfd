"""A virtual environment whose Salt is a few lines: it answers as Salt does, without the network."""

import sys
from pathlib import Path

VERSION = "3008.0"

_MASTER = """
import getpass, json, pathlib, signal, sys
settings = json.loads((pathlib.Path(sys.argv[2]) / "master").read_text())
cache = pathlib.Path(settings["root_dir"] + settings["cachedir"])
cache.mkdir()
(cache / f".{getpass.getuser()}_key").write_text("a key")
signal.pause()
"""

# Two processes, as a real minion has; both are written down.
_MINION = """
import json, os, pathlib, signal, subprocess, sys
settings = json.loads((pathlib.Path(sys.argv[2]) / "minion").read_text())
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
with (pathlib.Path(sys.argv[0]).parents[1] / "pids").open("a") as pids:
    pids.write(f"{os.getpid()}\\n{child.pid}\\n")
(pathlib.Path(settings["root_dir"]) / "up").write_text(settings["id"])
signal.pause()
"""

_CLIENT = """
import getpass, json, pathlib
from salt.exceptions import SaltException

HOME = pathlib.Path(__file__).parents[1]

class LocalClient:
    def __init__(self, c_path):
        self._started = False
        settings = json.loads(pathlib.Path(c_path).read_text())
        cache = pathlib.Path(settings["root_dir"] + settings["cachedir"])
        self._key = (cache / f".{getpass.getuser()}_key").read_text()
        self._fleet = pathlib.Path(c_path).parents[1]

    def cmd(self, target, function, arguments, timeout):
        if not self._started:
            self._started = True
            raise SaltException("The salt master could not be contacted.")
        answers = {up.read_text(): "hello" for up in self._fleet.glob("*/up")}
        lost = HOME / "lost"
        times = int(lost.read_text()) if lost.exists() else 0
        if times:
            lost.write_text(str(times - 1))
            answers.popitem()
        return answers
"""


def fake_salt(folder: Path) -> None:
    """Lay it out as `python -m venv` and `pip install salt` would."""
    package = folder / "salt"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "version.py").write_text(f"__version__ = {VERSION!r}\n")
    (package / "exceptions.py").write_text("class SaltException(Exception):\n    pass\n")
    (package / "client.py").write_text(_CLIENT)
    binaries = folder / "bin"
    binaries.mkdir()
    executable(binaries / "salt-master", f"#!{sys.executable}\n{_MASTER}")
    executable(binaries / "salt-minion", f"#!{sys.executable}\n{_MINION}")
    shell = f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}" "$@"\n'
    executable(binaries / "python", shell)


def lose_answers(folder: Path, times: int) -> None:
    """Leave one minion out of the next so many answers."""
    (folder / "lost").write_text(str(times))


def minion_processes(folder: Path) -> list[int]:
    """Process ids of every minion that was started."""
    return [int(line) for line in (folder / "pids").read_text().split()]


def executable(path: Path, text: str) -> None:
    """Write a program."""
    path.write_text(text)
    path.chmod(0o755)

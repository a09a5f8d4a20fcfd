"""The data folder of an embedded platform: who may use it, what lies where, its secret."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from services.embedded.options import StartRefused

LONGEST_SOCKET_PATH = 107  # bytes that Linux allows in a unix socket's address
SECRET_BYTES = 32
LOCK_PATIENCE_SECONDS = 15.0  # a platform that is being stopped may need this long
LONGEST_LOG_BYTES = 20_000_000


@dataclass(frozen=True)
class DataFolder:
    """Places inside one data folder. Everything in it is for its owner alone."""

    root: Path
    sockets: Path

    @property
    def run(self) -> Path:
        """Things that only live as long as the platform runs."""
        return self.root / "run"

    @property
    def process_logs(self) -> Path:
        """One log file per process of the platform; output of executions lies elsewhere."""
        return self.root / "processes"

    @property
    def valkey(self) -> Path:
        """The append-only file of the embedded Valkey."""
        return self.root / "valkey"

    @property
    def agent(self) -> Path:
        """State of the local agent: identity, journal, spool."""
        return self.root / "agent"

    @property
    def secret_file(self) -> Path:
        """The secret that every key of this platform is derived from."""
        return self.root / "secret"

    @property
    def first_admin_file(self) -> Path:
        """Name and password of the first admin, until the password is changed."""
        return self.root / "first-admin.json"

    @property
    def address_file(self) -> Path:
        """Where the running platform listens; read by the CLI."""
        return self.run / "address.json"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def control_socket(self) -> Path:
        return self.sockets / "control.sock"

    @property
    def signer_socket(self) -> Path:
        return self.sockets / "signer.sock"

    @property
    def trust(self) -> Path:
        """Keys that sign orders; read by the signer's process alone."""
        return self.root / "trust"

    @property
    def database_url(self) -> str:
        """Template with `{service}`: one SQLite file per service."""
        return f"sqlite:///{self.root}/{{service}}.db"


def prepare(root: Path) -> DataFolder:
    """Creates what is missing, for the owner alone; refuses a folder of somebody else."""
    root = root.expanduser().absolute()
    try:
        for path in (root, root / "run", root / "processes", root / "valkey"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = root.stat().st_uid
    except OSError as error:
        raise StartRefused(f"The data folder {root} cannot be used: {error.strerror}.") from None
    if owner != os.geteuid():
        raise StartRefused(f"The data folder {root} belongs to another user (uid {owner}).")
    return DataFolder(root=root, sockets=_socket_folder(root))


def locate(root: Path) -> DataFolder:
    """The same places, looked at from outside: nothing is created."""
    root = root.expanduser().absolute()
    return DataFolder(root=root, sockets=root / "run")


def _socket_folder(root: Path) -> Path:
    """`<root>/run`, or a short private folder when a socket's path would be too long there."""
    if len(os.fsencode(root / "run" / "control.sock")) <= LONGEST_SOCKET_PATH:
        return root / "run"
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"opsjob-{os.geteuid()}-{digest}"
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StartRefused(f"{short} must be a folder that only its owner may enter; remove it.")
    if len(os.fsencode(short / "control.sock")) > LONGEST_SOCKET_PATH:
        raise StartRefused("The data folder and TMPDIR are both too long for a unix socket.")
    return short


def lock(folder: DataFolder) -> int:
    """Takes the folder for this supervisor; its forked children keep it until they are gone.

    Returns the open descriptor. Waits a little for a platform that is just being stopped.
    """
    path = folder.run / "supervisor.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            if _alive(holder) or time.monotonic() > deadline:
                os.close(handle)
                raise StartRefused(
                    f"A platform already runs on {folder.root} (process {holder or 'unknown'})."
                ) from None
            time.sleep(0.1)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
    return handle


def _alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def secret(folder: DataFolder) -> str:
    """The platform's secret: made at the first start, refused when others can read it."""
    path = folder.secret_file
    try:
        found = path.lstat()
    except FileNotFoundError:
        return _new_secret(folder)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise StartRefused(f"{path} must be a plain file of the user who starts the platform.")
    if found.st_mode & 0o077:
        raise StartRefused(f"{path} can be read by other users; run: chmod 600 {path}")
    text = path.read_text("ascii", errors="replace").strip()
    if len(text) < SECRET_BYTES:
        raise StartRefused(f"{path} is too short to be the platform's secret; restore the file.")
    return text


def _new_secret(folder: DataFolder) -> str:
    if any(folder.root.glob("*.db")):
        raise StartRefused(
            f"{folder.secret_file} is missing although data exists; "
            "restore it or set OPSJOB_SECRET."
        )
    text = secrets.token_hex(SECRET_BYTES)
    write_private(folder.secret_file, text + "\n")
    return text


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, all of it or nothing."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def write_address(folder: DataFolder, url: str, agent_url: str) -> None:
    """Tells local commands where this platform listens."""
    content = {"pid": os.getpid(), "url": url, "agent_url": agent_url}
    write_private(folder.address_file, json.dumps(content) + "\n")


def trim_logs(folder: DataFolder) -> None:
    """Keeps each log file below a bound: the full one becomes `<name>.log.1`."""
    for path in folder.process_logs.glob("*.log"):
        with contextlib.suppress(OSError):
            if path.stat().st_size > LONGEST_LOG_BYTES:
                path.with_suffix(".log.1").write_bytes(path.read_bytes())
                os.truncate(path, 0)  # writers append, so they go on at the start

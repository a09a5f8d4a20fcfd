"""The file that keeps a user's tokens: private to its owner, refused when others could read it."""

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from services.cli.failure import CommandFailed

LARGEST_FILE_BYTES = 1_000_000


@dataclass(frozen=True)
class Tokens:
    """One login on one server. `expires_at` is in seconds since 1970, for the access token."""

    username: str
    access_token: str
    refresh_token: str
    expires_at: float


_TOKEN_FIELDS = {"username": str, "access_token": str, "refresh_token": str}


def default_path() -> Path:
    """`$XDG_CONFIG_HOME/opsjob/credentials.json`, usually below `~/.config`."""
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return base / "opsjob" / "credentials.json"


class CredentialStore:
    """Tokens by server address, and the server of the last login."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tokens(self, server: str) -> Tokens | None:
        """What is kept for this server."""
        return self._read()[1].get(server)

    def last_server(self) -> str | None:
        """The server that was logged in to last."""
        return self._read()[0]

    def keep(self, server: str, tokens: Tokens) -> None:
        """Stores a login; this server becomes the default."""
        with self.locked():
            self.keep_locked(server, tokens)

    def keep_locked(self, server: str, tokens: Tokens) -> None:
        """`keep` for somebody who holds the lock already."""
        _, servers = self._read()
        servers[server] = tokens
        self._write(server, servers)

    def forget(self, server: str) -> None:
        """Removes a login."""
        with self.locked():
            last, servers = self._read()
            servers.pop(server, None)
            self._write(None if last == server else last, servers)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time changes the file; not reentrant across `keep` and `forget`."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(
                self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600
            )
        except OSError as error:
            raise CommandFailed(f"{self.path} cannot be kept: {error.strerror}.") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _read(self) -> tuple[str | None, dict[str, Tokens]]:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None, {}
        except OSError as error:
            raise CommandFailed(f"{self.path} is refused: {error.strerror}.") from None
        with os.fdopen(handle, "rb") as file:
            self._refuse_unsafe(os.fstat(file.fileno()))
            content = file.read(LARGEST_FILE_BYTES)
        try:
            return _parse(content)
        except ValueError as error:
            raise CommandFailed(
                f"{self.path} is damaged ({error}); remove it and log in again."
            ) from None

    def _refuse_unsafe(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise CommandFailed(f"{self.path} is not a plain file; remove it and log in again.")
        if found.st_uid != os.geteuid():
            raise CommandFailed(f"{self.path} belongs to another user; it is not used.")
        if found.st_mode & 0o077:
            raise CommandFailed(
                f"{self.path} can be read by other users; run: chmod 600 {self.path}"
            )

    def _write(self, last: str | None, servers: dict[str, Tokens]) -> None:
        content = {"last": last, "servers": {name: asdict(kept) for name, kept in servers.items()}}
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
            fresh.replace(self.path)
        except OSError as error:
            raise CommandFailed(f"{self.path} cannot be kept: {error.strerror}.") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name appears twice")
    return content


def _parse(content: bytes) -> tuple[str | None, dict[str, Tokens]]:
    document = json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
    if not isinstance(document, dict) or set(document) != {"last", "servers"}:
        raise ValueError("unknown or missing names")
    last, servers = document["last"], document["servers"]
    if not isinstance(servers, dict) or not isinstance(last, str | None):
        raise ValueError("wrong kinds of values")
    return last, {name: _kept(entry) for name, entry in servers.items()}


def _kept(entry: object) -> Tokens:
    if not isinstance(entry, dict) or set(entry) != {*_TOKEN_FIELDS, "expires_at"}:
        raise ValueError("unknown or missing names")
    for name, kind in _TOKEN_FIELDS.items():
        if not isinstance(entry[name], kind):
            raise ValueError("wrong kinds of values")
    if not isinstance(entry["expires_at"], int | float):
        raise ValueError("wrong kinds of values")
    return Tokens(
        username=entry["username"],
        access_token=entry["access_token"],
        refresh_token=entry["refresh_token"],
        expires_at=float(entry["expires_at"]),
    )

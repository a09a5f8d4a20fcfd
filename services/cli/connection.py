"""Which server a command talks to, and with whose credentials."""

import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.credentials import CredentialStore, default_path
from services.cli.failure import CommandFailed

DEFAULT_SERVER = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class ConnectionOptions:
    """What the command line says about the server. Everything may be left out."""

    server: str | None = None
    data_dir: Path | None = None
    insecure: bool = False
    debug: bool = False


@dataclass(frozen=True)
class FirstAdmin:
    """Credentials that the embedded platform wrote at its first start."""

    username: str
    password: str


@dataclass(frozen=True)
class Place:
    """A server, where its tokens are kept, and how to log in when there are none."""

    server: str
    store: CredentialStore
    first_admin: FirstAdmin | None = None
    data_dir: Path | None = None


def locate(options: ConnectionOptions) -> Place:
    """`--server` or `--data-dir` wins, then the environment, then the last login."""
    if options.server and options.data_dir:
        raise CommandFailed("Give either --server or --data-dir, not both.")
    if options.data_dir:
        return _local(options.data_dir)
    if options.server:
        return _remote(options.server, insecure=options.insecure)
    return _from_environment(insecure=options.insecure)


def _from_environment(*, insecure: bool) -> Place:
    server, data_dir = os.environ.get("OPSJOB_SERVER"), os.environ.get("OPSJOB_DATA_DIR")
    if server:
        return _remote(server, insecure=insecure)
    if data_dir and (Path(data_dir) / "run" / "address.json").exists():
        return _local(Path(data_dir))
    last = CredentialStore(default_path()).last_server()
    return _remote(last or DEFAULT_SERVER, insecure=insecure)


def _remote(address: str, *, insecure: bool) -> Place:
    return Place(checked_server(address, insecure=insecure), CredentialStore(default_path()))


def _local(data_dir: Path) -> Place:
    """The embedded platform of a data folder: it wrote down where it listens."""
    root = data_dir.expanduser().absolute()
    try:
        content = json.loads((root / "run" / "address.json").read_text("utf-8"))
        server = str(content["url"])
    except FileNotFoundError:
        raise CommandFailed(f"No platform runs on {root}; start it with: opsjob up") from None
    except PermissionError:
        raise CommandFailed(f"{root} belongs to another user; use --server and log in.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandFailed(f"{root} is not the data folder of a platform.") from None
    return Place(
        checked_server(server, insecure=True),
        CredentialStore(root / "run" / "credentials.json"),
        first_admin(root),
        root,
    )


def first_admin(root: Path) -> FirstAdmin | None:
    """What the platform keeps until the first admin has changed the password."""
    try:
        content = json.loads((root / "first-admin.json").read_text("utf-8"))
        return FirstAdmin(str(content["username"]), str(content["password"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def checked_server(address: str, *, insecure: bool) -> str:
    """The address in one spelling; refused when it would leak credentials or means nothing."""
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise CommandFailed(f"{address!r} is not a server address.") from None
    if any(mark.isspace() or not mark.isprintable() for mark in address.strip()):
        raise CommandFailed("The server address contains spaces or control characters.")
    if parts.scheme not in ("http", "https") or not host:
        raise CommandFailed(f"{address!r} is not a server address; write https://name[:port].")
    if parts.username is not None or parts.password is not None:
        raise CommandFailed("The server address must not contain a name or password.")
    if parts.query or parts.fragment or parts.path.strip("/"):
        raise CommandFailed("The server address must end after the host and port.")
    if parts.scheme == "http" and not insecure and not _is_loopback(host):
        raise CommandFailed(
            "http:// would send the password readable over the network; use https:// or --insecure."
        )
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

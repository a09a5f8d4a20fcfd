"""The signer: a process of its own that reads rows, signs orders, and answers known users only."""

import asyncio
import contextlib
import os
import pwd
import socket
import struct
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import httpx
import uvloop

from libs.contracts.hosts import HostsClient
from libs.kit import logging
from libs.kit.auth import InternalTokens
from libs.kit.client import remote_transport
from libs.kit.clock import now
from libs.kit.db import Database
from libs.kit.errors import AppError
from libs.kit.logging import get_logger
from libs.kit.settings import Settings
from services.embedded.options import StartRefused
from services.embedded.refusing import with_usable_settings
from services.embedded.serving import stop_on_signals
from services.execution.app import signing
from services.execution.settings import SignerSettings
from services.execution.signatures.service import LENGTH, MAX_QUESTION, answers
from services.execution.signing.repository import TrustFolder, TrustMissing
from services.execution.signing.service import Signing

TITLE = "opsjob: signer"
DATABASE_CONNECTIONS = 2
LOOK_SECONDS = 5.0
"""How often the folder is looked at for another bundle, which is published then."""
_CREDENTIALS = struct.Struct("3i")

log = get_logger(__name__)


def run(settings: Settings, listener: socket.socket) -> int:
    """Signs until SIGTERM; for a process of its own."""
    logging.configure(settings.log_level)

    def body() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listener))

    return with_usable_settings(body)


def make_keys(settings: Settings) -> int:
    """The keys of a new installation; what is there already stays."""
    own = SignerSettings()
    trust_of(settings).create(now(), timedelta(days=own.certificate_days))
    return 0


def trust_of(settings: Settings) -> TrustFolder:
    """The folder of the signer's keys."""
    return TrustFolder(SignerSettings().folder or settings.data_dir / "trust")


def listen_for_users(path: Path) -> socket.socket:
    """A socket that everybody may knock at; who is answered is decided by the system's word."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o666)
    except OSError as error:
        raise StartRefused(f"{path} cannot be made: {error.strerror}.") from None
    listener.listen(64)
    return listener


def numbers_of(users: Iterable[str]) -> frozenset[int]:
    """User numbers of names or numbers, besides our own and root's. Raises StartRefused."""
    found = {os.geteuid(), 0}
    for user in users:
        try:
            found.add(int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid)
        except KeyError:
            raise StartRefused(f"There is no user {user} (OPSJOB_SIGNER_USERS).") from None
    return frozenset(found)


async def _serve(settings: Settings, listener: socket.socket) -> None:
    stop = stop_on_signals()
    own = SignerSettings()
    url = settings.database_url_of("execution")
    db = Database(url, name="signer", pool_size=DATABASE_CONNECTIONS)
    tokens = InternalTokens(settings.secret)
    async with httpx.AsyncClient(transport=remote_transport(settings)) as http:
        await db.open()
        try:
            desk = SignerDesk(signing(db, settings, http, tokens), numbers_of(own.users))
            server = await asyncio.start_unix_server(desk.serve, sock=listener)
            publishing = asyncio.create_task(
                _publish_for_ever(trust_of(settings), HostsClient(http, tokens, "signer"))
            )
            await stop.wait()
            publishing.cancel()
            server.close()
            desk.hang_up()
        finally:
            await db.close()


async def _publish_for_ever(folder: TrustFolder, hosts: HostsClient) -> None:
    """Every other bundle is told to hosts, which brings it to the agents."""
    published = ""
    while True:
        try:
            bundle = folder.bundle()
            if bundle != published:
                await hosts.publish_trust(bundle)
                published = bundle
        except (AppError, TrustMissing) as error:
            log.warning("The trust bundle is not published.", error=str(error))
        await asyncio.sleep(LOOK_SECONDS)


class SignerDesk:
    """One answer after the other on each connection, for the users who may ask."""

    def __init__(self, signing: Signing, users: frozenset[int]) -> None:
        self._signing = signing
        self._users = users
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends or asks for too much."""
        self._writers.add(writer)
        try:
            user = _user_of(writer)
            if user not in self._users:
                log.error("A user who may not ask the signer was turned away.", uid=user)
                return
            while True:
                size = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
                if size > MAX_QUESTION:
                    return
                question = await reader.readexactly(size)
                async for part in answers(self._signing, question):
                    writer.write(LENGTH.pack(len(part)) + part)
                    await writer.drain()
        except (OSError, EOFError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def hang_up(self) -> None:
        """End all connections."""
        for writer in list(self._writers):
            writer.close()


def _user_of(writer: asyncio.StreamWriter) -> int:
    """Who is on the other side, as the system says."""
    peer: socket.socket = writer.get_extra_info("socket")
    size = _CREDENTIALS.size
    _, uid, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(uid)

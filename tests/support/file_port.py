"""The files part of the agents' port alone, and the agent's transfer program run against it."""

import asyncio
import hashlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blake3 import blake3
from pydantic import SecretStr

from agent.errands import Errand
from agent.transfer_report import REASONS
from gateway.agents.admission import Lobby
from gateway.agents.bringing import Bringing
from gateway.agents.files import FileDesk, FileExchange
from libs.contracts.execution import CollectedFile
from libs.kit import clock
from libs.kit.artifacts import DiskStore, Drafts, FileTickets, Store, Ticket
from libs.kit.errors import AppError, NotFound
from libs.protocol.orders import FileItem, FileWork

SECRET = SecretStr("a secret of the platform with 32 characters")


PROGRAM = (
    *(sys.executable, "-I", "-S", "-c"),
    "import sys; sys.path[:] = sys.argv[1].split(':'); import agent.spawner; "
    "from agent.transfer import main; main(sys.argv[2], lambda: None)",
    ":".join(path or os.getcwd() for path in sys.path),
)
"""What a fork of the shim runs, and what the spawner has imported, in a new interpreter."""


class FakeLibrarian:
    """Execution as the gateway sees it; `refuses` is raised instead of an answer."""

    def __init__(self) -> None:
        self.entered: list[CollectedFile] = []
        self.refuses: AppError | None = None

    async def collected(self, file: CollectedFile) -> str:
        """Enters an archive once."""
        if self.refuses is not None:
            raise self.refuses
        known = [one for one in self.entered if one.task_id == file.task_id]
        if not file.is_new and not known:
            raise NotFound
        if not known:
            self.entered.append(file)
        return f"file-of-{file.task_id}"


@dataclass
class Cutter:
    """A relay in front of the port that breaks connections after so many bytes to the agent."""

    port: int
    after: list[int]
    """For the first connections, one after the other; later ones are left alone."""
    towards_server: bool = False
    connections: int = 0
    _server: asyncio.Server | None = None
    listens: int = 0

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.listens = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close."""
        if self._server is not None:
            self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limit = self.after[self.connections] if self.connections < len(self.after) else None
        self.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        up = self._pump(reader, back, limit if self.towards_server else None)
        down = self._pump(there, writer, None if self.towards_server else limit)
        tasks = [asyncio.create_task(up), asyncio.create_task(down)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if limit is None:
                await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            writer.transport.abort()
            back.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, limit: int | None
    ) -> None:
        left = limit
        while left is None or left > 0:
            piece = await source.read(64 * 1024 if left is None else min(left, 64 * 1024))
            if not piece:
                break
            target.write(piece)
            await target.drain()
            left = None if left is None else left - len(piece)
        if limit is None:
            target.write_eof()


@dataclass
class Done:
    """How a run of the program ended."""

    code: int
    stdout: str
    stderr: str
    progress: list[dict[str, Any]]

    @property
    def reason(self) -> str:
        """The word for the exit code."""
        return REASONS.get(str(self.code), "")


@dataclass
class FilePort:
    """A listening port with its store; `push` and `collect` run the real program."""

    folder: Path
    store: Store
    drafts: Drafts
    desk: FileDesk
    librarian: FakeLibrarian
    port: int
    tickets: FileTickets = field(default_factory=lambda: FileTickets(SECRET))
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    blake3: dict[str, str] = field(default_factory=dict)
    """By SHA-256: that of all content that was kept."""
    is_quick: bool = False
    """Whether errands say the BLAKE3 of their files."""

    def keep(self, content: bytes) -> str:
        """Put content into the store; its checksum."""
        name = f"draft-{next(self.numbers)}"
        with self.drafts.append_at(name, 0) as draft:
            draft.write(content)
        sha256 = hashlib.sha256(content).hexdigest()
        self.store.keep(self.drafts.path(name), sha256)
        self.drafts.discard(name)
        self.blake3[sha256] = blake3(content).hexdigest()
        return sha256

    def ticket(self, purpose: str = "fetch", **changes: Any) -> str:
        """A good ticket, but for the changes."""
        values: dict[str, Any] = {
            "purpose": purpose,
            "task_id": "task-1",
            "attempt": 1,
            "agent_id": "agent-1",
            "expires_at": int(clock.now().timestamp()) + 600,
            "max_bytes": 2**30,
            **changes,
        }
        return self.tickets.issue(Ticket(**values))

    def item(self, content: bytes, path: str, **changes: Any) -> FileItem:
        """An item of a push whose content is in the store."""
        sha256 = self.keep(content)
        rate = changes.pop("total", 0)
        ticket = self.ticket(sha256=sha256, step_id="step-1", bytes_per_second=rate)
        return FileItem(path, len(content), sha256, ticket, **changes)

    def errand(self, work: FileWork, action: str, **changes: Any) -> Errand:
        """The order as the agent writes it for the program."""
        values: dict[str, Any] = {
            "gateways": (f"http://127.0.0.1:{self.port}",),
            "ca_file": "",
            "state": str(self.folder / "agent-state"),
            "roots": (),
            "patience_seconds": 15.0,
            "blake3": self.blake3 if self.is_quick else {},
            **changes,
        }
        return Errand(action=action, work=work, **values)

    async def start(self, errand: Errand) -> tuple[asyncio.subprocess.Process, Path]:
        """The program, running."""
        order = self.folder / f"order-{next(self.numbers)}.json"
        order.write_text(errand.write())
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, str(order)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
        )
        return process, order

    async def run(self, errand: Errand) -> Done:
        """The program, from start to end."""
        process, order = await self.start(errand)
        async with asyncio.timeout(60):
            stdout, stderr = await process.communicate()
        progress = order.with_name(f"{order.name}.progress")
        shown = json.loads(progress.read_text()) if progress.exists() else []
        return Done(process.returncode or 0, stdout.decode(), stderr.decode(), shown)

    async def push(self, *items: FileItem, **changes: Any) -> Done:
        """Put files; words that the order does not know are those of the errand."""
        known = _own_words(changes)
        work = FileWork(target="/", items=items, **changes)
        return await self.run(self.errand(work, "push", **known))

    async def collect(self, *patterns: str, **changes: Any) -> Done:
        """Fetch files."""
        known = _own_words(changes)
        ticket = self.ticket("bring", max_bytes=known.pop("may_bring", 2**30))
        work = FileWork(target="/", patterns=patterns, ticket=ticket, **changes)
        return await self.run(self.errand(work, "collect", **known))


def _own_words(changes: dict[str, Any]) -> dict[str, Any]:
    """What a test says about the errand, taken out of what it says about the work."""
    words = ("gateways", "ca_file", "state", "patience_seconds", "may_bring", "blake3")
    known = {name: changes.pop(name) for name in words if name in changes}
    if "host_roots" in changes:
        known["roots"] = changes.pop("host_roots")
    return known


@asynccontextmanager
async def file_port(folder: Path, store: Store | None = None) -> AsyncIterator[FilePort]:
    """The port, listening."""
    store, drafts = store or DiskStore(folder / "blobs"), Drafts(folder / "drafts")
    librarian = FakeLibrarian()
    desk = FileDesk(store, Bringing(store, drafts, librarian), FileTickets(SECRET))
    (folder / "agent-state").mkdir(parents=True)
    async with asyncio.TaskGroup() as group:
        lobby = Lobby(10, 1000, clock.monotonic)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: FileExchange(desk, lobby=lobby, spawn=group.create_task), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        try:
            yield FilePort(folder, store, drafts, desk, librarian, port)
        finally:
            server.close()
            await asyncio.to_thread(desk.ferry.close)

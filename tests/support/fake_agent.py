"""One simulated agent: speaks the real protocol over a real socket, runs nothing."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from typing import cast
from uuid import uuid4

import msgspec

from libs.protocol.payload import session_statement
from libs.protocol.version import PROTOCOL_VERSION, SUBPROTOCOL
from tests.support.agent_journal import Journal, now
from tests.support.agent_line import Ended, Line
from tests.support.agent_work import Message, SimulatedTask, Work
from tests.support.envelopes import opened
from tests.support.identities import Identity

_json = msgspec.json.Encoder().encode
_parse = msgspec.json.Decoder(dict[str, object]).decode


class FakeAgent:
    """One simulated agent. With `work` it acts by itself, without it does only what you send.

    Its journal (`tasks`) survives `drop` and `close`: after the next `connect` it repeats what was
    not acknowledged, as a real agent does. `received` holds every message in order.
    """

    def __init__(
        self,
        host: str,
        port: int,
        identity: Identity,
        *,
        work: Work | None = None,
        boot_id: str | None = None,
        beats: bool = True,
        source: str | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.identity = identity
        self.work = work
        self.boot_id = boot_id or uuid4().hex
        self.beats = beats
        self.source = source
        self.journal = Journal(self)
        self.received: list[Message] = []
        self.keeps_received = True
        self.counts: Counter[str] = Counter()
        self.heartbeat_seconds = 0.0
        self.session_id = ""
        self.ended: Ended | None = None
        self._greets = False
        self.is_welcome = False
        self.line: Line | None = None
        self._waiters: list[tuple[str, asyncio.Future[Message]]] = []
        self._beating: asyncio.TimerHandle | None = None

    # ---- connection -----------------------------------------------------------------------

    @property
    def agent_id(self) -> str:
        """The id in the address and in every hello."""
        return self.identity.agent_id

    @property
    def tasks(self) -> dict[tuple[str, int], SimulatedTask]:
        """The journal by (task id, attempt)."""
        return self.journal.tasks

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open."""
        return self.line is not None and self.line.is_open

    async def connect(self, *, timeout: float = 10.0) -> Message:
        """Opens a session and answers the challenge; gives the welcome.

        Raises Refused when the HTTP upgrade is refused and Ended when the hello is.
        """
        self._greets = True
        welcome = self.arrival("welcome")
        try:
            await self.open()
            async with asyncio.timeout(timeout):
                return await welcome
        finally:
            self._greets = False
            welcome.cancel()

    async def open(
        self,
        path: str | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
        subprotocol: str | None = SUBPROTOCOL,
    ) -> None:
        """Opens the socket only; the challenge arrives, nothing answers it.

        `headers` replace those of the request; an empty value leaves one out.
        """
        self.ended = None
        self.is_welcome = False
        address = f"ws://{self.host}:{self.port}{path or f'/ws/agent/{self.agent_id}'}"
        line = Line(self, address, headers=headers, subprotocol=subprotocol)
        loop = asyncio.get_running_loop()
        local = (self.source, 0) if self.source else None
        self.line = line
        await loop.create_connection(lambda: line, self.host, self.port, local_addr=local)
        await line.opened

    async def close(self) -> None:
        """Says bye and waits until the socket is closed."""
        if self.is_connected:
            self.send({"type": "bye", "code": 1000, "reason": "done"})
        await self.wait_ended()

    async def drop(self) -> None:
        """Cuts the connection without a word."""
        if self.line is not None:
            self.line.abort()
        await self.wait_ended()

    async def wait_ended(self, *, timeout: float = 10.0) -> Ended:
        """Returns how the session ended, once it has."""
        if self.ended is None and self.line is not None:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self.line.gone)
        return self.ended or Ended(1006, "never connected")

    def hello(self, challenge: Message, **changes: object) -> Message:
        """A correct answer to a challenge, with fields replaced on demand."""
        identity = self.identity
        statement = session_statement(
            str(challenge["nonce"]),
            str(challenge["gateway_id"]),
            agent_id=identity.agent_id,
            identity_epoch=identity.identity_epoch,
            boot_id=self.boot_id,
        )
        states = {"granted": "granted", "running": "running", "exited": "exited"}
        if self.work is not None and self.work.is_claiming:
            states["offered"] = "granted"  # asked for: a grant may be under way
        open_tasks = [
            {"task_id": task.key[0], "attempt": task.key[1], "state": states[task.state]}
            for task in self.tasks.values()
            if task.state in states
        ]
        return {
            "type": "hello",
            "agent_id": identity.agent_id,
            "identity_epoch": identity.identity_epoch,
            "boot_id": self.boot_id,
            "protocol": PROTOCOL_VERSION,
            "agent_version": "0.0.0-simulated",
            "signature": identity.sign(statement),
            "hostname": f"host-{identity.agent_id[:12]}",
            "os_type": "linux",
            "os_version": "simulated",
            "arch": "x86_64",
            "cpu_count": 2,
            "memory_bytes": 2**31,
            "interpreters": ["shell", "python"],
            "concurrency": 10,
            "tasks": open_tasks,
        } | changes

    # ---- messages -------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Sends any message as it is, correct or not; `data` makes it a binary output frame."""
        data = message.get("data")
        if isinstance(data, bytes):
            head = _json({k: v for k, v in message.items() if k != "data"})
            self.send_raw(len(head).to_bytes(4, "big") + head + data)
        else:
            self.send_raw(_json(message).decode())

    def send_raw(self, frame: str | bytes) -> None:
        """Sends a text (str) or binary (bytes) frame with exactly this content."""
        if self.line is not None and self.line.is_open:
            self.line.send(frame)

    async def expect(self, kind: str, *, timeout: float = 10.0) -> Message:
        """The next message of this type that arrives from now on, or one not expected before.

        Raises Ended when the session ends first.
        """
        for message in self.received:
            if message["type"] == kind:
                self.received.remove(message)
                return message
        if self.ended is not None:
            raise self.ended
        async with asyncio.timeout(timeout):
            return await self.arrival(kind)

    def arrival(self, kind: str) -> asyncio.Future[Message]:
        """The next message of this type, counted from now."""
        waiter: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiters.append((kind, waiter))
        return waiter

    def beat(self, **changes: object) -> None:
        """Sends one heartbeat."""
        message: Message = {
            "type": "heartbeat",
            "at": now(),
            "running": 0,
            "queued": 0,
            "cpu_percent": 1.5,
            "memory_percent": 20.0,
            "disk_percent": 30.0,
            "disk_free_bytes": 10**10,
            "net_rx_bytes": 1,
            "net_tx_bytes": 1,
            "load1": 0.1,
        }
        self.send(message | changes)

    # ---- what the line tells --------------------------------------------------------------

    def on_message(self, data: bytes) -> None:
        """A text message of the gateway."""
        message = opened(_parse(data))
        kind = str(message["type"])
        self.counts[kind] += 1
        if kind == "challenge" and self._greets:
            self.send(self.hello(message))
            return
        if kind == "welcome":
            self._begin(message)
        elif kind == "tempo":
            self.heartbeat_seconds = float(cast(float, message["heartbeat_seconds"]))
        self.journal.act(message)
        for index, (wanted, waiter) in enumerate(self._waiters):
            if wanted == kind and not waiter.done():
                del self._waiters[index]
                waiter.set_result(message)
                return
        if self.keeps_received:
            self.received.append(message)

    def on_gone(self, line: Line, ended: Ended) -> None:
        """A socket is closed; one that was replaced already does not matter any more."""
        if line is not self.line:
            return
        self.ended = ended
        self.is_welcome = False
        self.journal.stop()
        if self._beating is not None:
            self._beating.cancel()
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(ended)
                waiter.exception()
        self._waiters.clear()

    def _begin(self, message: Message) -> None:
        self.heartbeat_seconds = float(cast(float, message["heartbeat_seconds"]))
        self.session_id = str(message["session_id"])
        self.is_welcome = True
        if self.beats:
            self._beat_after(self.heartbeat_seconds * random.random())
        self.journal.repeat_all()

    def _beat_after(self, seconds: float) -> None:
        self._beating = asyncio.get_running_loop().call_later(seconds, self._keep_beating)

    def _keep_beating(self) -> None:
        self.beat()
        self._beat_after(self.heartbeat_seconds)

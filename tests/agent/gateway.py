"""A small gateway for tests of the agent: the real protocol on a real socket, answers to choose."""

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agent.identity import Identity
from agent.keys import AgentKey
from agent.sealing import SealingKey
from agent.state import StateFolder, write_durably
from libs.protocol import messages as m
from libs.protocol.codec import MAX_MESSAGE_BYTES, decode, decode_output, encode
from libs.protocol.orders import Secret
from libs.protocol.payload import result_statement, session_statement
from libs.protocol.signed import Security, Trust
from libs.protocol.version import SUBPROTOCOL
from tests.agent.authority import Authority
from tests.agent.sealer import seal

AGENT_ID = "agent-1"
NOW = "2026-01-02T03:04:05Z"
LATER = "2099-01-01T00:00:00Z"

StreamKey = tuple[str, int, str]


@dataclass
class StoredStream:
    """One stream as a strict store keeps it: contiguous, and repeated chunks must be equal."""

    content: bytearray = field(default_factory=bytearray)
    gaps: list[tuple[int, int, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    seq: int = 0
    offset: int = 0
    repeated: int = 0

    def chunk(self, header: m.Output, payload: bytes) -> bool:
        """True if the floor moved; a chunk beyond the next one is left out."""
        if header.seq < self.seq:
            assert self.chunks[header.seq] == payload, "a repeated chunk differs"
            self.repeated += 1
            return False
        if header.seq > self.seq:
            return False
        assert header.offset == self.offset
        self.chunks.append(payload)
        self.content += payload
        self.seq, self.offset = self.seq + 1, self.offset + header.length
        return True

    def gap(self, gap: m.Gap) -> bool:
        """A stated hole takes its place in the sequence."""
        if gap.seq != self.seq:
            return False
        assert gap.offset == self.offset
        self.gaps.append((gap.offset, gap.length, gap.reason))
        self.chunks.append(b"")
        self.seq, self.offset = self.seq + 1, self.offset + gap.length
        return True


class Gateway:
    """Grants, stores and acknowledges unless a test switches that off."""

    def __init__(self, public_key: str) -> None:
        self._public_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        self.port = 0
        self.authority = Authority()
        self.bundle = self.authority.bundle()
        self.sealing_key = ""
        self.grants = True
        self.stores = True
        self.acks_results = True
        self.window_bytes = 1024 * 1024
        self.heartbeat_seconds = 10.0
        self.around_welcome: Callable[[], AbstractContextManager[object]] = nullcontext
        self.hellos: list[m.Hello] = []
        self.received: list[m.Message] = []
        self.streams: dict[StreamKey, StoredStream] = defaultdict(StoredStream)
        self.results: dict[tuple[str, int], dict[str, Any]] = {}
        self.result_count: dict[tuple[str, int], int] = defaultdict(int)
        self._sockets: set[ServerConnection] = set()

    async def serve(self, socket: ServerConnection) -> None:
        """One connection, from challenge to its end."""
        challenge = m.Challenge("nonce-nonce-nonce", "gateway-1", NOW)
        await socket.send(encode(challenge))
        hello = decode(await socket.recv())
        assert isinstance(hello, m.Hello)
        statement = session_statement(
            challenge.nonce,
            challenge.gateway_id,
            agent_id=hello.agent_id,
            identity_epoch=hello.identity_epoch,
            boot_id=hello.boot_id,
        )
        self._public_key.verify(base64.b64decode(hello.signature), statement)
        welcome = m.Welcome(self.heartbeat_seconds, NOW, self.window_bytes, "session-1")
        with self.around_welcome():
            await socket.send(encode(welcome))
        await socket.send(encode(Trust(self.bundle)))
        self.hellos.append(hello)
        self._sockets.add(socket)
        try:
            async for frame in socket:
                await self._receive(socket, frame)
        except ConnectionClosed:
            pass
        finally:
            self._sockets.discard(socket)

    async def _receive(self, socket: ServerConnection, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            await self._store(socket, *decode_output(frame))
            return
        message = decode(frame)
        self.received.append(message)
        if isinstance(message, m.Claim) and self.grants:
            grant = self.grant(message.task_id, message.attempt)
            await socket.send(self.authority.frame(grant, AGENT_ID))
        elif isinstance(message, m.Gap) and self.stores:
            stream = self.streams[message.task_id, message.attempt, message.stream]
            stream.gap(message)
            await self._ack(socket, message, stream)
        elif isinstance(message, m.Result):
            await self._take_result(socket, message)

    async def _store(self, socket: ServerConnection, header: m.Output, payload: bytes) -> None:
        if not self.stores:
            return
        stream = self.streams[header.task_id, header.attempt, header.stream]
        stream.chunk(header, payload)
        await self._ack(socket, header, stream)

    async def _ack(
        self, socket: ServerConnection, about: m.Output | m.Gap, stream: StoredStream
    ) -> None:
        ack = m.Ack(about.task_id, about.attempt, about.stream, stream.seq, stream.offset)
        await socket.send(encode(ack))

    async def _take_result(self, socket: ServerConnection, message: m.Result) -> None:
        statement = result_statement(message.payload)
        self._public_key.verify(base64.b64decode(message.signature), statement)
        key = (message.task_id, message.attempt)
        self.result_count[key] += 1
        self.results[key] = json.loads(message.payload)
        if self.acks_results:
            await socket.send(encode(m.ResultAck(*key)))

    def grant(self, task_id: str, attempt: int) -> m.Grant:
        """A grant for the boot of the last session."""
        return m.Grant(task_id, attempt, 7, self.hellos[-1].boot_id)

    async def send(self, message: m.Message) -> None:
        """To every connected agent; orders are signed for it."""
        await self.send_raw(self.authority.frame(message, AGENT_ID))

    async def send_raw(self, frame: str | bytes) -> None:
        """Something that need not be a message."""
        for socket in list(self._sockets):
            await socket.send(frame)

    async def drop(self) -> None:
        """Break every connection without a word."""
        for socket in list(self._sockets):
            socket.transport.abort()

    @property
    def is_connected(self) -> bool:
        """Whether an agent has a session now."""
        return bool(self._sockets)

    @property
    def refusals(self) -> list[str]:
        """Why the agent refused orders, as it told."""
        return [one.reason for one in self.of_type(Security)]

    def counts(self, reason: str) -> list[int]:
        """How often the agent refused something for this reason, by message."""
        return [one.count for one in self.of_type(Security) if one.reason == reason]

    def of_type(self, kind: type[m.Message]) -> list[Any]:
        """All messages of a type received so far."""
        return [message for message in self.received if isinstance(message, kind)]

    def seal(self, task_id: str, name: str, text: str, *, as_file: bool = False) -> Secret:
        """A secret for the first attempt of a task on this agent."""
        sealed = seal(text, self.sealing_key, task_id=task_id, name=name)
        return Secret(name, sealed, as_file)

    def output(self, task_id: str, stream: Literal["stdout", "stderr"] = "stdout") -> bytes:
        """What is stored of the first attempt."""
        return bytes(self.streams[task_id, 1, stream].content)

    def is_done(self, task_id: str) -> bool:
        """The result is here and all output that it counts."""
        result = self.results.get((task_id, 1))
        return result is not None and all(
            self.streams[task_id, 1, name].offset == total["bytes"]
            and self.streams[task_id, 1, name].seq == total["seq"]
            for name, total in result["streams"].items()
        )


def order(task_id: str, script: str, **changes: Any) -> m.Order:
    """An order with defaults."""
    values: Mapping[str, Any] = {
        "script_type": "shell",
        "args": (),
        "env": {},
        "timeout_seconds": 60,
        "max_output_bytes": 1024 * 1024 * 1024,
        **changes,
    }
    plain = m.Order(
        execution_id="execution-1",
        task_id=task_id,
        attempt=1,
        agent_id=AGENT_ID,
        host_name="host-1",
        script=script,
        script_sha256=hashlib.sha256(script.encode()).hexdigest(),
        script_type="shell",
        args=(),
        env={},
        run_as=None,
        cwd=None,
        timeout_seconds=60,
        not_after=LATER,
        max_output_bytes=0,
    )
    return replace(plain, **values)


@asynccontextmanager
async def gateway_for(state: StateFolder) -> AsyncIterator[Gateway]:
    """An enrolled state folder and the gateway that knows its key."""
    state.create()
    key, sealing = AgentKey.create(state.key), SealingKey.create(state.sealing_key)
    gateway = Gateway(key.public_text)
    gateway.sealing_key = sealing.public_text
    write_durably(state.trust, gateway.bundle.encode(), sync=False)
    async with serving(gateway):
        Identity(AGENT_ID, 1, "host-1", 1, (f"http://127.0.0.1:{gateway.port}",)).store(state)
        yield gateway


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncIterator[None]:
    """Listen, on the same port each time."""
    async with serve(
        gateway.serve,
        "127.0.0.1",
        gateway.port,
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
    ) as server:
        gateway.port = next(iter(server.sockets)).getsockname()[1]
        yield


def lines(path: Path) -> list[str]:
    """Lines of a file that may not exist yet."""
    return path.read_text().splitlines() if path.exists() else []

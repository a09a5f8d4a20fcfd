"""Asking the signer for signatures: in this process, or over its Unix socket."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from libs.kit.clock import monotonic
from libs.kit.errors import Unavailable
from libs.kit.logging import get_logger
from services.execution.signing.domain import Asked, Expected, SignedBatch

CONNECT_SECONDS: Final = 3.0
"""How long somebody who asks waits for a signer that is being started again."""
ANSWER_SECONDS: Final = 30.0
PART_BYTES: Final = 512 * 1024
MAX_PART: Final = 4 * 1024 * 1024
MAX_QUESTION: Final = 1024 * 1024
LENGTH: Final = struct.Struct(">I")
"""Every message is a length and that many bytes of msgpack."""

log = get_logger(__name__)


class Signer(Protocol):
    """Whoever signs. Every method raises Unavailable when nothing can be signed now."""

    async def expect(self, expected: Expected) -> None:
        """Look up already what the next orders will need; a hint, which may be left out."""

    async def orders(self, asked: Sequence[Asked]) -> SignedBatch:
        """The orders of attempts that are being offered."""

    async def grants(self, asked: Sequence[Asked]) -> SignedBatch:
        """Leave to start, for attempts that the database has granted."""

    async def cancels(self, asked: Sequence[Asked]) -> SignedBatch:
        """The order to stop, for attempts that somebody wants stopped."""


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    op: str
    tasks: list[tuple[str, int]] = []
    people: list[tuple[int, int]] = []
    agents: list[str] = []


class _Part(msgspec.Struct):
    frames: dict[str, bytes] = {}
    refused: dict[str, tuple[str, str]] = {}
    is_last: bool = False
    error: str = ""


_question = msgspec.msgpack.Decoder(_Question).decode
_part = msgspec.msgpack.Decoder(_Part).decode
_encode = msgspec.msgpack.Encoder().encode


async def answers(signer: Signer, question: bytes) -> AsyncIterator[bytes]:
    """What the signer says to one question, in parts; a question that is none gets an error."""
    try:
        asked = _question(question)
        if asked.op == "expect":
            await signer.expect(Expected(asked.people, asked.agents))
            batch = SignedBatch()
        else:
            do = {"orders": signer.orders, "grants": signer.grants, "cancels": signer.cancels}
            batch = await do[asked.op]([Asked(*task) for task in asked.tasks])
    except (msgspec.DecodeError, KeyError):
        yield _encode(_Part(is_last=True, error="malformed"))
    except Unavailable:
        yield _encode(_Part(is_last=True, error="unavailable"))
    else:
        *before, last = _parts(batch.frames)
        for frames in before:
            yield _encode(_Part(frames=frames))
        yield _encode(_Part(frames=last, refused=batch.refused, is_last=True))


def _parts(frames: Mapping[str, bytes]) -> Iterable[dict[str, bytes]]:
    """At least one, so that most answers are one message."""
    part: dict[str, bytes] = {}
    size = 0
    for task_id, frame in frames.items():
        part[task_id] = frame
        size += len(frame)
        if size >= PART_BYTES:
            yield part
            part, size = {}, 0
    yield part


class _Line:
    """One connection to the signer, for one question at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = asyncio.Lock()
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, question: bytes) -> SignedBatch:
        """The whole answer. Raises Unavailable; a question that got none can be asked again."""
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._ask(question)
            except (OSError, EOFError, TimeoutError, msgspec.DecodeError) as error:
                log.warning("The signer does not answer.", error=type(error).__name__)
                raise Unavailable from error
            finally:
                if self._ends is not None and self._ends[1].is_closing():
                    self._ends = None

    async def _ask(self, question: bytes) -> SignedBatch:
        try:
            return await self._exchange(question)
        except (OSError, EOFError):
            self._hang_up()  # it may have been started again since the last question
            return await self._exchange(question)
        except BaseException:
            self._hang_up()  # half an answer may wait on this connection
            raise

    async def _exchange(self, question: bytes) -> SignedBatch:
        reader, writer = self._ends or await self._connect()
        writer.write(LENGTH.pack(len(question)) + question)
        await writer.drain()
        batch = SignedBatch()
        while True:
            size = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
            if size > MAX_PART:
                raise OSError("too large")
            part = _part(await reader.readexactly(size))
            batch.frames.update(part.frames)
            batch.refused.update(part.refused)
            if part.error:
                raise Unavailable
            if part.is_last:
                return batch

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        deadline = monotonic() + CONNECT_SECONDS
        while True:
            try:
                self._ends = await asyncio.open_unix_connection(str(self._path))
                return self._ends
            except OSError:
                if monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Hang up and wait until that is done."""
        ends, self._ends = self._ends, None
        if ends is not None:
            ends[1].close()
            with contextlib.suppress(OSError):
                await ends[1].wait_closed()

    def _hang_up(self) -> None:
        if self._ends is not None:
            with contextlib.suppress(OSError):
                self._ends[1].close()
            self._ends = None


class RemoteSigner:
    """The signer's process, asked over its socket."""

    def __init__(self, path: Path) -> None:
        self._lines = {op: _Line(path) for op in ("expect", "orders", "grants", "cancels")}

    async def close(self) -> None:
        """Hang up; asking again connects again."""
        for line in self._lines.values():
            await line.close()

    async def expect(self, expected: Expected) -> None:
        """See `Signer`."""
        people, agents = list(expected.people), list(expected.agents)
        question = _Question("expect", people=people, agents=agents)
        await self._lines["expect"].ask(_encode(question))

    async def orders(self, asked: Sequence[Asked]) -> SignedBatch:
        """See `Signer`."""
        return await self._ask("orders", asked)

    async def grants(self, asked: Sequence[Asked]) -> SignedBatch:
        """See `Signer`."""
        return await self._ask("grants", asked)

    async def cancels(self, asked: Sequence[Asked]) -> SignedBatch:
        """See `Signer`."""
        return await self._ask("cancels", asked)

    async def _ask(self, op: str, asked: Sequence[Asked]) -> SignedBatch:
        if not asked:
            return SignedBatch()
        tasks = [(one.task_id, one.attempt) for one in asked]
        return await self._lines[op].ask(_encode(_Question(op, tasks)))


class NobodySigns:
    """Takes the place of a signer where none is configured: nothing is offered (S58)."""

    async def expect(self, expected: Expected) -> None:
        """Nothing is looked up."""

    async def orders(self, asked: Sequence[Asked]) -> SignedBatch:
        """Raises Unavailable."""
        log.error("There is no signer: set OPSJOB_SIGNER_SOCKET and run `opsjob serve signer`.")
        raise Unavailable

    grants = cancels = orders

"""One agent's session: challenge, proof, work, end.

Legal order: the gateway sends `challenge`; the agent answers `hello` and nothing else; the gateway
checks the signature and sends `welcome`; then claim, reject, started, progress, result, gap, output
and heartbeat in any order; `bye` from either side. The rule for everything else is short: the first
message that is malformed, unknown or out of place ends the session, and nothing of it is handled.
The codes are in `closing`.
"""

import secrets
from collections.abc import Callable, Coroutine, Sequence
from enum import IntEnum
from typing import Final, Protocol

from websockets.http11 import Request, Response

from gateway.agents.closing import (
    BYE,
    HANDSHAKE_TIMEOUT,
    NOT_ACTIVE,
    OTHER_VERSION,
    REFUSED_MESSAGE,
    TOO_MANY,
    TRY_LATER,
    UNAUTHENTICATED,
    Closing,
)
from gateway.agents.counting import ENDINGS, REFUSED
from gateway.agents.pace import WINDOW_SECONDS, Pace
from gateway.agents.packing import STREAM_OF, pack_hello, pack_message, pack_output
from gateway.agents.socket import AgentSocket
from gateway.agents.unwrapping import unwrapped
from gateway.agents.upgrade import agent_of, refusal
from libs.contracts.agents import LOGS
from libs.contracts.hosts import AgentIdentity, AgentState
from libs.kit import clock
from libs.kit.ed25519 import is_signed
from libs.kit.errors import AppError
from libs.protocol.codec import decode, decode_output, encode
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import (
    Bye,
    Challenge,
    Heartbeat,
    Hello,
    Message,
    Progress,
    Tempo,
    Welcome,
)
from libs.protocol.payload import session_statement
from libs.protocol.signed import Trust
from libs.protocol.version import OLDEST_VERSION, PROTOCOL_VERSION, SIGNED_SINCE

HEARTBEAT_SLACK: Final = 4
"""How many times more often than told an agent may send heartbeats before it is cut off."""


class Phase(IntEnum):
    """Where a session stands; it only moves forward."""

    NEW = 0
    CHALLENGED = 1
    PROVING = 2
    LIVE = 3
    ENDED = 4


class Desk(Protocol):
    """What a session needs from the gateway around it."""

    gateway_id: str
    messages_per_second: int
    window_bytes: int

    @property
    def bundle(self) -> str:
        """The present trust bundle; empty while there is none."""

    def let_in(self) -> None:
        """Raises Unavailable, with a time to wait, when no handshake fits in now."""

    def spawn(self, work: Coroutine[None, None, None]) -> object:
        """Runs the waiting part of a handshake."""

    async def identity(self, agent_id: str) -> AgentIdentity | None:
        """Who hosts says this agent is. Raises Unavailable."""

    async def admit(self, session: "Session") -> Closing | None:
        """Makes a proven session the one of its agent; or says why not."""

    def welcome(self, session: "Session") -> None:
        """The session is live: announces it and sets its heartbeat."""

    def put(self, stream: str, data: bytes, session: "Session") -> None:
        """Hands a message on; may pause the session."""

    def has_room(self, session: "Session") -> bool:
        """Whether a message that may be lost should be handed on now."""

    def heartbeat(self, session: "Session", beat: Heartbeat) -> None:
        """A sign of life with the host's load."""

    def left(self, session: "Session", *, was_live: bool) -> None:
        """The session ended."""

    def hint(self) -> float:
        """Seconds after which an agent should try again."""


class Session:
    """Speaks for one agent; a few hundred bytes besides its socket."""

    __slots__ = (
        "_beats",
        "_desk",
        "_nonce",
        "_pace",
        "_phase",
        "_socket",
        "_sooner",
        "agent_id",
        "began_at",
        "boot_id",
        "buffered",
        "heartbeat_seconds",
        "hello",
        "identity_epoch",
        "is_paused",
        "last_heard",
        "protocol",
        "session_id",
    )

    def __init__(self, desk: Desk, socket: AgentSocket, *, session_id: str) -> None:
        self._desk = desk
        self._socket = socket
        self._nonce = secrets.token_urlsafe(24)
        self._pace = Pace(clock.monotonic)
        self._phase = Phase.NEW
        self._beats = 0
        self._sooner = 0.0
        self.session_id = session_id
        self.agent_id = ""
        self.boot_id = ""
        self.identity_epoch = 0
        self.hello = b""
        self.protocol = 0
        self.heartbeat_seconds = 0.0
        self.buffered = 0
        self.is_paused = False
        self.began_at = self.last_heard = clock.monotonic()

    @property
    def is_live(self) -> bool:
        """Proven, welcomed, not ended."""
        return self._phase is Phase.LIVE

    @property
    def is_ended(self) -> bool:
        """Ended from either side."""
        return self._phase is Phase.ENDED

    # ---- what the socket tells ------------------------------------------------------------

    def on_request(self, request: Request) -> Response | None:
        """Checks the opening handshake and whether there is room."""
        try:
            self.agent_id = agent_of(request)
            self._desk.let_in()
        except AppError as error:
            ENDINGS.labels(error.code).inc()
            return refusal(error)
        return None

    def on_open(self) -> None:
        """Asks for the proof."""
        self._phase = Phase.CHALLENGED
        self._send(
            Challenge(nonce=self._nonce, gateway_id=self._desk.gateway_id, server_time=_now())
        )

    def on_text(self, text: str) -> None:
        """One text message, in whatever phase."""
        try:
            message = decode(text)
        except ProtocolError as error:
            self._refuse(error.reason)
            return
        if self._phase is Phase.LIVE:
            self._work(message)
        elif isinstance(message, Hello) and self._phase is Phase.CHALLENGED:
            self._greet(message)
        else:
            REFUSED.labels("before_welcome").inc()
            self.end(UNAUTHENTICATED)

    def on_binary(self, data: bytes) -> None:
        """A piece of output."""
        if self._phase is not Phase.LIVE:
            self._refuse("binary_before_welcome")
            return
        try:
            header, payload = decode_output(data)
        except ProtocolError as error:
            self._refuse(error.reason)
            return
        if self._is_within_pace():
            self._desk.put(LOGS, pack_output(header, payload, agent_id=self.agent_id), self)

    def on_control(self) -> bool:
        """A ping or pong counts as a sign of life, up to a limit."""
        self.last_heard = clock.monotonic()
        limit = max(100, int(self._desk.messages_per_second * WINDOW_SECONDS / 10))
        return self._pace.control(limit)

    def on_lost(self) -> None:
        """The connection is gone."""
        was_live = self._phase is Phase.LIVE
        if self._phase is not Phase.ENDED:
            ENDINGS.labels("connection_lost").inc()
        self._phase = Phase.ENDED
        self._desk.left(self, was_live=was_live)

    # ---- what the gateway may do ----------------------------------------------------------

    def forward(self, frames: Sequence[bytes]) -> int:
        """Sends frames as they are, at once; how many, for too much may wait for this agent."""
        if self.protocol < SIGNED_SINCE:
            frames = unwrapped(frames)
        return self._socket.send_texts(frames)

    def end(self, closing: Closing) -> None:
        """Says bye with a reason and closes; does nothing the second time."""
        if self._phase is Phase.ENDED:
            return
        was_live = self._phase is Phase.LIVE
        self._phase = Phase.ENDED
        ENDINGS.labels(closing.word).inc()
        if closing is not BYE:
            self._send(Bye(code=closing.code, reason=closing.reason))
        self._socket.close(closing)
        if was_live:
            self._desk.left(self, was_live=True)

    def cut(self, closing: Closing) -> None:
        """Ends without waiting for the other side, which is gone."""
        self.end(closing)
        self._socket.abort()

    def expire(self) -> None:
        """Time for the handshake is up."""
        if self._phase is Phase.NEW:
            self._phase = Phase.ENDED
            self._socket.abort()
        else:
            self.end(HANDSHAKE_TIMEOUT)

    def set_tempo(self, seconds: float) -> None:
        """Asks for other pauses between heartbeats.

        A longer one counts at once. A shorter one counts from the next heartbeat on, for the agent
        may hear of it late, and nobody may be less patient than it was told to be slow.
        """
        if self._socket.send_text(encode(Tempo(seconds)).encode()):
            self._sooner = seconds if seconds < self.heartbeat_seconds else 0.0
            self.heartbeat_seconds = max(seconds, self.heartbeat_seconds)
            self._beats = max(self._beats, _most_beats(seconds))

    def probe(self, on_pong: Callable[[], None]) -> None:
        """Asks the agent for a sign of life right now."""
        self._socket.ping(on_pong)

    def pause(self) -> None:
        """Reads nothing more until `resume`."""
        self.is_paused = True
        self._socket.pause_reading()

    def resume(self) -> None:
        """Goes on reading; silence while we did not listen is not held against the agent."""
        self.is_paused = False
        self.last_heard = clock.monotonic()
        self._socket.resume_reading()

    # ---- the handshake --------------------------------------------------------------------

    def _greet(self, hello: Hello) -> None:
        if not OLDEST_VERSION <= hello.protocol <= PROTOCOL_VERSION:
            self.end(OTHER_VERSION)
        elif hello.agent_id != self.agent_id:
            self.end(UNAUTHENTICATED)
        else:
            self._phase = Phase.PROVING
            self._desk.spawn(self._prove(hello))

    async def _prove(self, hello: Hello) -> None:
        try:
            identity = await self._desk.identity(self.agent_id)
        except AppError:
            self.end(TRY_LATER.because(f"retry_after={self._desk.hint():.1f}"))
            return
        closing = self._judge(hello, identity)
        if closing is None and self._phase is Phase.PROVING:
            self.boot_id = hello.boot_id
            self.protocol = hello.protocol
            self.identity_epoch = hello.identity_epoch
            self.hello = pack_hello(hello)
            closing = await self._desk.admit(self)
        if closing is not None:
            self.end(closing)
        elif self._phase is Phase.PROVING:
            self._welcome()

    def _judge(self, hello: Hello, identity: AgentIdentity | None) -> Closing | None:
        """Nothing about an identity shows before the key is proven."""
        if identity is None or hello.identity_epoch != identity.identity_epoch:
            return UNAUTHENTICATED
        statement = session_statement(
            self._nonce,
            self._desk.gateway_id,
            agent_id=self.agent_id,
            identity_epoch=hello.identity_epoch,
            boot_id=hello.boot_id,
        )
        if not is_signed(identity.public_key, hello.signature, statement):
            return UNAUTHENTICATED
        return None if identity.status is AgentState.ACTIVE else NOT_ACTIVE

    def _welcome(self) -> None:
        self._phase = Phase.LIVE
        self._nonce = ""
        self.last_heard = clock.monotonic()
        self._desk.welcome(self)
        self._beats = _most_beats(self.heartbeat_seconds)
        self._send(
            Welcome(
                heartbeat_seconds=self.heartbeat_seconds,
                server_time=_now(),
                window_bytes=self._desk.window_bytes,
                session_id=self.session_id,
            )
        )
        if self._desk.bundle and self.protocol >= SIGNED_SINCE:
            self._send(Trust(self._desk.bundle))

    # ---- the work -------------------------------------------------------------------------

    def _work(self, message: Message) -> None:
        kind = type(message)
        if kind is Heartbeat:
            self._beat(message)
        elif kind is Bye:
            self.end(BYE)
        elif kind not in STREAM_OF:
            self._refuse("out_of_place")
        elif self._is_within_pace() and (kind is not Progress or self._desk.has_room(self)):
            data = pack_message(
                message,
                agent_id=self.agent_id,
                boot_id=self.boot_id,
                session_id=self.session_id,
            )
            self._desk.put(STREAM_OF[kind], data, self)

    def _beat(self, message: Message) -> None:
        assert isinstance(message, Heartbeat)
        if not self._is_within_pace():
            return
        if not self._pace.heartbeat(self._beats):
            self.end(TOO_MANY)
            return
        self.heartbeat_seconds, self._sooner = self._sooner or self.heartbeat_seconds, 0.0
        self._desk.heartbeat(self, message)

    def _is_within_pace(self) -> bool:
        self.last_heard = clock.monotonic()
        if self._pace.message(int(self._desk.messages_per_second * WINDOW_SECONDS)):
            return True
        self.end(TOO_MANY)
        return False

    def _refuse(self, reason: str) -> None:
        REFUSED.labels(reason).inc()
        self.end(REFUSED_MESSAGE.because(reason))

    def _send(self, message: Message) -> None:
        self._socket.send_text(encode(message).encode())


def _most_beats(pause: float) -> int:
    """How many heartbeats within a window are no attack."""
    return int(WINDOW_SECONDS / pause * HEARTBEAT_SLACK) + 20


def _now() -> str:
    return clock.now().isoformat(timespec="milliseconds")

"""From Redis to agents: frames are forwarded as they are, or dropped if the agent is not here.

Whoever sent a frame repeats it until an answer comes, so dropping loses nothing.
"""

import msgspec

from gateway.agents.closing import TOO_SLOW, Closing
from gateway.agents.counting import DOWNLINK_DROPPED, DOWNLINK_FRAMES
from gateway.agents.roster import Roster
from gateway.agents.tail import Fields
from libs.contracts.agents import FIELD_BATCH, FIELD_MARK
from libs.kit.bus import StreamMark
from libs.kit.logging import get_logger

log = get_logger(__name__)

_FIELD = FIELD_BATCH.encode()
_MARK = FIELD_MARK.encode()


class _Order(msgspec.Struct):
    """Either a frame for `to`, or the wish to end the session of `close`."""

    to: str = ""
    frame: bytes = b""
    close: str = ""
    code: int = 1000
    reason: str = ""


_decode = msgspec.msgpack.Decoder(list[_Order]).decode


class Downlink:
    """The handler of this gateway's own stream."""

    def __init__(self, roster: Roster, *, stream: str = "", mark: StreamMark | None = None) -> None:
        self._roster = roster
        self._stream = stream
        self._mark = mark

    def deliver(self, fields: Fields) -> None:
        """Carries out one entry of the stream; one that nobody can read is counted and left."""
        batch = fields.get(_FIELD, b"")
        if self._mark and not self._mark.fits(fields.get(_MARK, b""), self._stream, "", batch):
            DOWNLINK_DROPPED.labels("forged").inc()
            log.error("An entry that none of us made was dropped.", stream=self._stream)
            return
        try:
            orders = _decode(batch)
        except (msgspec.DecodeError, UnicodeDecodeError):
            DOWNLINK_DROPPED.labels("unreadable").inc()
            log.error("An entry of this gateway's stream is unreadable.")
            return
        frames: dict[str, list[bytes]] = {}
        for order in orders:
            if order.close:
                self._forward(frames)
                frames = {}
                self._close(order)
            else:
                frames.setdefault(order.to, []).append(order.frame)
        self._forward(frames)

    def _forward(self, frames: dict[str, list[bytes]]) -> None:
        """What an entry has for one agent goes out in one write, in its order."""
        for agent_id, of_agent in frames.items():
            session = self._roster.find(agent_id)
            if session is None:
                DOWNLINK_DROPPED.labels("not_connected").inc(len(of_agent))
                continue
            sent = session.forward(of_agent)
            DOWNLINK_FRAMES.inc(sent)
            if sent < len(of_agent):
                DOWNLINK_DROPPED.labels("too_slow").inc(len(of_agent) - sent)
                session.end(TOO_SLOW)

    def _close(self, order: _Order) -> None:
        session = self._roster.find(order.close)
        if session is not None:
            code = order.code if 3000 <= order.code <= 4999 else 1000
            session.end(Closing(code, "closed_by_platform").because(order.reason))

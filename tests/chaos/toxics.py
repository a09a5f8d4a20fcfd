"""What a bad line does to the messages of one direction, decided by a seed."""

import random
from collections import deque
from dataclasses import dataclass, field

from tests.chaos.frames import Frame

GREETINGS = frozenset({"challenge", "hello", "welcome", "bye"})
REMEMBERED = 200


@dataclass(frozen=True)
class Toxics:
    """Probabilities between 0 and 1 for each message after the greeting; all off by default."""

    duplicate: float = 0.0
    drop: float = 0.0
    window: int = 1
    """Messages are shuffled within so many."""
    replay: float = 0.0
    """An old message of the same agent and direction, also of an earlier session, comes again."""
    spoil: float = 0.0
    """One byte is another: the receiver must refuse it or see that a checksum differs."""
    cut: float = 0.0
    """The line breaks in the middle of this message."""
    slice_bytes: int = 0
    """The bytes arrive in pieces of at most so many; 0 leaves them whole."""

    bytes_per_second: int = 0
    """How much passes in a second; 0 is no limit."""

    @property
    def is_quiet(self) -> bool:
        """Whether every message passes as it is."""
        return self == QUIET


QUIET = Toxics()


class Cut(Exception):
    """The line breaks after these last bytes."""

    def __init__(self, rest: bytes) -> None:
        super().__init__("cut")
        self.rest = rest


@dataclass
class Mangler:
    """Applies toxics to one direction of one agent's line; `deeds` tells what it did."""

    rng: random.Random
    toxics: Toxics = QUIET
    old: deque[Frame] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    held: list[Frame] = field(default_factory=list)
    deeds: list[tuple[str, Frame]] = field(default_factory=list)

    def take(self, frame: Frame) -> list[bytes]:
        """What goes on instead of this frame; raises Cut."""
        toxics = self.toxics
        if not frame.is_message or frame.head().get("type") in GREETINGS:
            return [*self.release(), frame.raw]
        self.old.append(frame)
        if toxics.is_quiet:
            return [*self.release(), frame.raw]
        self._cut(frame)
        self.held += self._changed(frame)
        if toxics.replay and self.rng.random() < toxics.replay:
            again = self.rng.choice(self.old)
            self.deeds.append(("replay", again))
            self.held.append(again)
        if len(self.held) >= toxics.window:
            return self.release()
        return []

    def release(self) -> list[bytes]:
        """Everything that was held back, shuffled if there are toxics that say so."""
        held, self.held = self.held, []
        if self.toxics.window > 1 and len(held) > 1:
            self.rng.shuffle(held)
            self.deeds.append(("shuffle", held[0]))
        return [frame.raw for frame in held]

    def _changed(self, frame: Frame) -> list[Frame]:
        dice = self.rng.random
        if dice() < self.toxics.drop:
            self.deeds.append(("drop", frame))
            return []
        if frame.payload and dice() < self.toxics.spoil:
            self.deeds.append(("spoil", frame))
            frame = self._spoiled(frame)
        if dice() < self.toxics.duplicate:
            self.deeds.append(("duplicate", frame))
            return [frame, frame]
        return [frame]

    def _spoiled(self, frame: Frame) -> Frame:
        place = self.rng.randrange(len(frame.payload))
        other = (frame.payload[place] + self.rng.randrange(1, 256)) % 256
        payload = frame.payload[:place] + bytes([other]) + frame.payload[place + 1 :]
        return frame.with_payload(payload)

    def _cut(self, frame: Frame) -> None:
        if self.rng.random() < self.toxics.cut:
            self.deeds.append(("cut", frame))
            raise Cut(frame.raw[: self.rng.randrange(len(frame.raw))])

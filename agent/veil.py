"""A capture that masks secrets first; only tasks with secrets pay for it."""

from __future__ import annotations

from agent.capture import Capture
from agent.masking import Mask, MaskedStream
from agent.records import StreamEnd

RELEASE_SECONDS = 1.0
"""After a pause of this length the first few bytes of what might become a secret are shown."""


class MaskedCapture(Capture):
    """Everything behind it, disk, hashes and sizes included, is about the masked bytes."""

    def __init__(self, folder: str, mask: Mask, *, spool_bytes: int, output_bytes: int) -> None:
        super().__init__(folder, spool_bytes=spool_bytes, output_bytes=output_bytes)
        self._masked = [MaskedStream(mask), MaskedStream(mask)]
        self._heard = [0.0, 0.0]

    def add(self, stream: int, content: bytes, now: float) -> bool:
        """Take bytes; True if a chunk became readable for the agent."""
        self._heard[stream] = now
        shown = self._masked[stream].feed(content)
        return bool(shown) and super().add(stream, shown, now)

    def due(self) -> float | None:
        """When pending or held bytes must leave; None if none wait."""
        waiting = [self._heard[s] + RELEASE_SECONDS for s in (0, 1) if self._masked[s].can_release]
        flush = super().due()
        return min(waiting if flush is None else [*waiting, flush], default=None)

    def flush_due(self, now: float) -> bool:
        """Cut what has waited long enough; True if a chunk became readable."""
        done = False
        for stream, masked in enumerate(self._masked):
            if masked.can_release and now - self._heard[stream] >= RELEASE_SECONDS:
                done |= super().add(stream, masked.release(), now)
        return super().flush_due(now) or done

    def finish(self, now: float) -> list[StreamEnd]:
        """Decide and flush everything, close the files; the totals of stdout and stderr."""
        for stream, masked in enumerate(self._masked):
            shown = masked.finish()
            if shown:
                super().add(stream, shown, now)
        return super().finish(now)

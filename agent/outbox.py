"""Chooses what is sent next: fair between tasks, within the windows, results after their output."""

from __future__ import annotations

from collections import deque

from agent.attempts import Attempt
from agent.flow import MAX_STALL_SECONDS, STALL_SECONDS, Piece
from libs.protocol.messages import Result

_AGENT_WINDOWS = 4
"""How many task windows may be in flight from this agent altogether."""


class Outbox:
    """Attempts that may have something to send; each gets one message per turn."""

    def __init__(self) -> None:
        self._turns: deque[Attempt] = deque()
        self._blocked: list[Attempt] = []
        self._in_flight: dict[str, Attempt] = {}
        self._moved_at = self._renewed_at = -MAX_STALL_SECONDS
        self.window_bytes = 1024 * 1024

    def due(self, attempt: Attempt) -> None:
        """This attempt may have something new to send."""
        if not attempt.is_due:
            attempt.is_due = True
            self._turns.append(attempt)

    def hold(self, attempt: Attempt) -> None:
        """What this attempt has to send waits until it is due again."""
        if attempt.is_due:
            attempt.is_due = False
            self._turns.remove(attempt)

    def acknowledged(self, attempt: Attempt) -> None:
        """A floor moved: there may be room, also for those that waited for the common window."""
        self._note(attempt)
        self.due(attempt)
        blocked, self._blocked = self._blocked, []
        for other in blocked:
            self.due(other)

    def floor_moved(self, now: float) -> None:
        """The first floor that moves after all stood still says that somebody stores again.

        What was paused ever longer then waits as long as at first; at most once a minute, so that
        a platform that stores a little now and then is not sent everything again and again.
        """
        silence, self._moved_at = now - self._moved_at, now
        if silence < STALL_SECONDS or now - self._renewed_at < MAX_STALL_SECONDS:
            return
        if [one for one in self._in_flight.values() if one.flow.wait_anew(now)]:
            self._renewed_at = now

    def forget(self, attempt: Attempt) -> None:
        """The attempt is settled."""
        self._in_flight.pop(attempt.entry.name, None)

    def next(self, now: float) -> Piece | Result | None:
        """The next message; None until something becomes due."""
        while self._turns:
            attempt = self._turns.popleft()
            attempt.is_due = False
            message = self._message(attempt, now)
            if message is not None:
                self.due(attempt)
                return message
        return None

    def _message(self, attempt: Attempt, now: float) -> Piece | Result | None:
        total = self.window_bytes * _AGENT_WINDOWS
        common = total - sum(other.flow.in_flight for other in self._in_flight.values())
        own = self.window_bytes - attempt.flow.in_flight
        if common <= 0:
            self._blocked.append(attempt)
        elif own > 0:
            piece = attempt.flow.next(min(own, common), now)
            self._note(attempt)
            if piece is not None:
                return piece
        return attempt.take_result(now)

    def _note(self, attempt: Attempt) -> None:
        if attempt.flow.in_flight:
            self._in_flight[attempt.entry.name] = attempt
        else:
            self._in_flight.pop(attempt.entry.name, None)

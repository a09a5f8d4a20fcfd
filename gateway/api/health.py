"""Whether the platform is alive and ready, as its parts say themselves."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.types import ASGIApp

from gateway.api.asking import ask
from libs.kit import clock
from libs.kit.errors import AppError

_ASK_SECONDS: Final = 3.0
_BELIEVED_SECONDS: Final = 0.5
"""Anybody may ask about health, so the answer is shared by all who ask at the same time."""


class _Report(msgspec.Struct):
    """A service's readiness answer: its parts with a word for each."""

    content: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class Health:
    """`services` is ok or unavailable by name; `degraded` are helpers that work goes on without."""

    services: Mapping[str, str]
    degraded: tuple[str, ...] = ()
    asked_at: float = field(default=0.0)

    @property
    def ready(self) -> bool:
        """Whether requests can be served at all."""
        return all(verdict == "ok" for verdict in self.services.values())

    @property
    def status(self) -> str:
        """One word: ok, degraded or unavailable."""
        if not self.ready:
            return "unavailable"
        return "degraded" if self.degraded else "ok"

    def content(self) -> dict[str, object]:
        """What an answer carries."""
        return {
            "status": self.status,
            "services": dict(self.services),
            "degraded": list(self.degraded),
        }


class HealthCheck:
    """Asks all upstreams at once, at most twice a second however many ask."""

    def __init__(self, upstreams: Mapping[str, ASGIApp]) -> None:
        self._upstreams = upstreams
        self._latest: Health | None = None
        self._lock = asyncio.Lock()

    async def look(self) -> Health:
        """The state of the platform, at most half a second old."""
        async with self._lock:
            latest = self._latest
            if latest is not None and clock.monotonic() - latest.asked_at < _BELIEVED_SECONDS:
                return latest
            self._latest = await self._ask_all()
            return self._latest

    async def _ask_all(self) -> Health:
        names = sorted(self._upstreams)
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        degraded = {part for _, parts in answers for part in parts}
        services = {
            name: "ok" if ready else "unavailable"
            for name, (ready, _) in zip(names, answers, strict=True)
        }
        return Health(services, tuple(sorted(degraded)), clock.monotonic())

    async def _ask(self, name: str) -> tuple[bool, list[str]]:
        """Whether the service is ready, and which of its helpers are away."""
        try:
            answer = await ask(self._upstreams[name], "/health/ready", seconds=_ASK_SECONDS)
        except AppError:
            return False, []
        if answer.status != 200:
            return False, []
        return True, _helpers_away(answer.body)


def _helpers_away(body: bytes) -> list[str]:
    """The parts that a ready service reports as away; it works on without them."""
    try:
        report = msgspec.json.decode(body, type=_Report)
    except msgspec.DecodeError:
        return []
    return [part for part, verdict in report.content.items() if verdict != "ok"]

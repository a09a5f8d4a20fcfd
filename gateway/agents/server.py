"""The agent gateway as one object: everything wired, one port, orderly start and stop."""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Coroutine, Iterable
from typing import Final, Protocol

from websockets.server import ServerProtocol

from gateway.agents.admission import Admission, Lobby, PeerRates
from gateway.agents.closing import RESTARTING
from gateway.agents.counting import UNPROVEN
from gateway.agents.desk import FrontDesk
from gateway.agents.door import AGENT_PREFIX, Door, Serve
from gateway.agents.downlink import Downlink
from gateway.agents.enrolment import Enrolment, Registrar
from gateway.agents.files import OPENINGS, FileDesk, FileExchange
from gateway.agents.health import Health
from gateway.agents.identity import Identities, Registry
from gateway.agents.presence import Presence
from gateway.agents.revocation import FACTS_STREAM, Revocation
from gateway.agents.roster import Roster
from gateway.agents.session import Session
from gateway.agents.settings import AgentGatewaySettings
from gateway.agents.socket import AgentSocket
from gateway.agents.tail import Fields, Tail
from gateway.agents.trust import Keeper, TrustDesk
from gateway.agents.uplink import Uplink
from gateway.agents.web import Routes, WebExchange
from libs.contracts.agents import gateway_key
from libs.kit import clock
from libs.kit.bus import StreamMark
from libs.kit.errors import AppError
from libs.kit.ids import new_id
from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis, blocking
from libs.protocol.codec import MAX_MESSAGE_BYTES
from libs.protocol.version import SUBPROTOCOL

log = get_logger(__name__)

SWEEP_SECONDS: Final = 0.5
MARK_SECONDS: Final = 600
"""How long the mark by which an emptied Redis is recognised lives without renewal."""
BACKLOG: Final = 4_096
REDIS_SECONDS: Final = 1.0
"""How long a start waits for Redis; after that agents are told to come again."""

_quiet = logging.getLogger("opsjob.websockets")
_quiet.setLevel(logging.ERROR)


class Hosts(Registrar, Registry, Keeper, Protocol):
    """The questions that the gateway asks of hosts; HostsClient answers them."""

    async def report_clone(self, agent_id: str, boot_ids: list[str], evidence: str) -> None:
        """Puts an identity that two living machines hold into quarantine."""


class AgentGateway:
    """Call `run` once; agents are served until it is cancelled or `stop` was called.

    `redis` is shared for short commands; a second connection is made for blocking reads.
    Without `files` no agent can fetch or bring any. With `mark` only marked entries count.
    """

    def __init__(
        self,
        settings: AgentGatewaySettings,
        *,
        redis: Redis,
        hosts: Hosts,
        files: FileDesk | None = None,
        mark: StreamMark | None = None,
    ) -> None:
        self.gateway_id = settings.gateway_id or f"gw{secrets.token_hex(8)}"
        self.port = settings.port
        """The port in use; another than in the settings if that was 0."""
        self.is_serving = asyncio.Event()
        """Set once agents can connect."""
        self._settings = settings
        self._redis = redis
        self._blocking = blocking(redis)
        self._stopping = asyncio.Event()
        self._errands: set[asyncio.Task[None]] = set()
        self._tasks: asyncio.TaskGroup | None = None
        self.roster = Roster()
        self._lobby = Lobby(
            settings.handshake_seconds, settings.max_unauthenticated, clock.monotonic
        )
        self.uplink = Uplink(redis, self.gateway_id, settings, mark)
        self.presence = Presence(
            self.uplink, self.roster, gateway_id=self.gateway_id, settings=settings
        )
        self._identities = Identities(
            hosts, calls=settings.identity_calls, batch=settings.identity_batch
        )
        self.revocation = Revocation(
            self.roster,
            self._identities,
            seconds=settings.reconcile_seconds,
            spawn=self._spawn,
        )
        self._hosts = hosts
        self._trust = TrustDesk(hosts, self.roster, seconds=settings.reconcile_seconds)
        self.roster.on_clone = self._report_clone
        self._desk = self._make_desk()
        self._tail = self._make_tail(mark)
        self._files = files
        if files is not None:
            files.identities = self._identities
        self._others = self._make_others()
        self._routes = self._make_routes(hosts)
        self.uplink.on_return = self.presence.announce_all

    def _make_tail(self, mark: StreamMark | None) -> Tail:
        stream = gateway_key(self.gateway_id)
        downlink = Downlink(self.roster, stream=stream, mark=mark)
        return Tail(self._blocking, {stream: downlink.deliver, FACTS_STREAM: self._heed})

    def _make_desk(self) -> FrontDesk:
        return FrontDesk(
            gateway_id=self.gateway_id,
            settings=self._settings,
            lobby=self._lobby,
            roster=self.roster,
            identities=self._identities,
            presence=self.presence,
            revocation=self.revocation,
            uplink=self.uplink,
            trust=self._trust,
            spawn=self._spawn,
        )

    def _heed(self, fields: Fields) -> None:
        self.revocation.heed(fields)
        self._trust.heed(fields)

    def _report_clone(self, agent_id: str, boot_ids: list[str], evidence: str) -> None:
        """Hosts decides, and its fact ends what is still connected anywhere."""

        async def report() -> None:
            try:
                await self._hosts.report_clone(agent_id, boot_ids, evidence)
            except AppError as error:
                log.error("A clone could not be reported.", agent_id=agent_id, error=error.code)

        self._spawn(report())

    # ---- life -----------------------------------------------------------------------------

    async def run(self, listener: socket.socket | None = None) -> None:
        """Serves until `stop`, then says bye to everybody and delivers what is left.

        A `listener` that is bound already is used instead of host and port of the settings.
        """
        async with asyncio.TaskGroup() as group:
            self._tasks = group
            loops = [
                group.create_task(work)
                for work in (
                    self.uplink.run(),
                    self._tail.run(),
                    self._identities.run(),
                    self.revocation.run(),
                    self._trust.run(),
                    self._sweep_for_ever(),
                    self._mark_for_ever(),
                )
            ]
            await self._meet_redis()
            server = await self._listen(listener)
            try:
                await self._stopping.wait()
                await self._say_bye(server)
            finally:
                server.close()
                if self._files is not None:
                    await asyncio.to_thread(self._files.ferry.close)
                await _end(loops)
                await self._end_errands()
                await self._blocking.aclose()

    def stop(self) -> None:
        """Lets `run` come to its orderly end."""
        self._stopping.set()

    async def _meet_redis(self) -> None:
        """Gives Redis a moment, so that the first agents are not sent away for nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REDIS_SECONDS):
                await self.uplink.met_redis.wait()
                await self._tail.is_following.wait()

    async def _listen(self, listener: socket.socket | None) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if listener is not None:
            server = await loop.create_server(self._open_door, sock=listener, backlog=BACKLOG)
        else:
            server = await loop.create_server(
                self._open_door, self._settings.host, self._settings.port, backlog=BACKLOG
            )
        self.port = server.sockets[0].getsockname()[1]
        self.is_serving.set()
        log.info("Agent gateway listens.", port=self.port, gateway_id=self.gateway_id)
        return server

    async def _say_bye(self, server: asyncio.Server) -> None:
        """Every agent hears when to come back, spread so that they do not come together."""
        self._desk.is_open = False
        server.close()
        for number, session in enumerate(self.roster):
            session.end(RESTARTING.because(f"retry_after={self._desk.hint():.1f}"))
            if number % 200 == 199:
                await asyncio.sleep(0)
        try:
            async with asyncio.timeout(self._settings.stop_seconds):
                await self.uplink.drained()
                await self._redis.delete(gateway_key(self.gateway_id))
        except TROUBLE:
            log.warning("Stopped before everything reached Redis; agents repeat it.")

    # ---- connections ----------------------------------------------------------------------

    def _open_door(self) -> Door:
        return Door(self._lobby, others=self._others, web=self._serve_web)

    def _make_others(self) -> dict[bytes, Serve]:
        others: dict[bytes, Serve] = {AGENT_PREFIX: self._serve_agent}
        if self._files is not None:
            others |= dict.fromkeys(OPENINGS, self._serve_files)
        return others

    def _serve_agent(self, door: Door) -> AgentSocket:
        protocol = ServerProtocol(
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
            max_size=MAX_MESSAGE_BYTES,
            logger=_quiet,
        )
        wire = AgentSocket(protocol, write_limit=self._settings.downlink_buffer_bytes)
        session = Session(self._desk, wire, session_id=new_id())
        wire.listen(session)
        self._lobby.hand_over(door, session)
        return wire

    def _serve_files(self, door: Door) -> FileExchange:
        assert self._files is not None
        exchange = FileExchange(self._files, lobby=self._lobby, spawn=self._spawn)
        self._lobby.hand_over(door, exchange)
        return exchange

    def _serve_web(self, door: Door) -> WebExchange:
        exchange = WebExchange(self._routes, lobby=self._lobby, spawn=self._spawn)
        self._lobby.hand_over(door, exchange)
        return exchange

    def _make_routes(self, hosts: Hosts) -> Routes:
        settings = self._settings
        health = Health(self._status)
        enrolment = Enrolment(
            hosts,
            everybody=Admission(
                settings.enrolments_per_second, settings.enrolment_burst, clock.monotonic
            ),
            peers=PeerRates(
                settings.enrolments_per_peer, settings.enrolment_burst_per_peer, clock.monotonic
            ),
        )
        return {
            "/api/agents/register": {"POST": enrolment.register},
            "/health": {"GET": health.ready},
            "/health/live": {"GET": health.live},
            "/health/ready": {"GET": health.ready},
            "/metrics": {"GET": health.metrics},
        }

    @property
    def is_ready(self) -> bool:
        """Whether agents can connect and are heard and reached through Redis."""
        return self.is_serving.is_set() and self._has_redis and self._desk.is_open

    @property
    def _has_redis(self) -> bool:
        return self.uplink.is_healthy and self._tail.is_following.is_set()

    def _status(self) -> tuple[bool, dict[str, object]]:
        return self.is_ready, {
            "redis": "up" if self._has_redis else "down",
            "sessions": len(self.roster),
            "gateway_id": self.gateway_id,
        }

    def _spawn(self, work: Coroutine[None, None, None]) -> object:
        assert self._tasks is not None
        errand = self._tasks.create_task(work)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        return errand

    async def _end_errands(self) -> None:
        """What agents and programs asked for ends soon by itself, or is ended."""
        if self._errands:
            await asyncio.wait(self._errands, timeout=self._settings.stop_seconds)
        await _end(self._errands)

    # ---- the regular things ---------------------------------------------------------------

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._lobby.sweep()
            self.presence.sweep()
            UNPROVEN.set(len(self._lobby))

    async def _mark_for_ever(self) -> None:
        """Renews a mark in Redis; once it is missing, Redis was emptied behind our back."""
        mark, seen = f"{gateway_key(self.gateway_id)}:mark", False
        while True:
            try:
                before = await self._redis.set(mark, "1", ex=MARK_SECONDS, get=True)
                await self._redis.expire(gateway_key(self.gateway_id), MARK_SECONDS)
            except TROUBLE:
                pass
            else:
                if seen and before is None:
                    log.warning("Redis was emptied; announcing all agents again.")
                    self._tail.start_over()
                    self.presence.announce_all()
                seen = True
            await asyncio.sleep(2.0)


async def _end(loops: Iterable[asyncio.Task[None]]) -> None:
    """Cancels until it works: on Python 3.11 a wait that just came true swallows a cancellation."""
    pending = set(loops)
    while pending:
        for loop in pending:
            loop.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)

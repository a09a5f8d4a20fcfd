"""The running agent: puts session, tasks, spawner and link together on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import signal
import socket
import time
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass

from agent import __version__
from agent.admission import HostRules, Refused
from agent.checks import Checks, Verdict
from agent.companions import Companion
from agent.errands import TransferRules
from agent.faults import fault
from agent.guard import Guard
from agent.host import LoadMeter, memory_bytes
from agent.identity import Identity, boot_id, os_type, os_version
from agent.interpreters import DEFAULT_PATH, available
from agent.ledger import Entry, Key, Ledger
from agent.link import Link
from agent.orders import Orders
from agent.pokes import Pokes
from agent.records import CancelRequest
from agent.session import Action, Check, Repeat, Send, Session, Start, Stop
from agent.signatures import Signer
from agent.state import StateFolder
from agent.tasks import Companions, Granted, Names, Tasks
from agent.work import Launch
from libs.protocol.codec import encode, encode_output
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import (
    Ack,
    Cancel,
    Challenge,
    Grant,
    Heartbeat,
    Hello,
    JournalledTask,
    Message,
    Offer,
    Order,
    Output,
    Reject,
    Result,
    ResultAck,
    Tempo,
    Want,
    Welcome,
)
from libs.protocol.moments import instant, moment
from libs.protocol.payload import session_statement
from libs.protocol.signed import Signed, Trust
from libs.protocol.version import PROTOCOL_VERSION

_logger = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_INSIST_SECONDS = 0.5
_BEAT_JITTER = 0.2


@dataclass(frozen=True)
class Options:
    """What the command line decides; 0 means twice the processors, at least 4."""

    concurrency: int = 0
    spool_bytes: int = 64 * 1024 * 1024
    cgroups: str = "auto"
    file_roots: tuple[str, ...] = ()
    policy: str = ""

    @property
    def slots(self) -> int:
        """How many scripts may run at the same time."""
        return self.concurrency or max(4, 2 * (os.cpu_count() or 1))


class Agent:
    """One agent process; the link calls it, and it calls the parts."""

    def __init__(self, state: StateFolder, identity: Identity, lock: int, options: Options) -> None:
        self._state = state
        self._identity = identity
        self._signer = Signer(state.key, state.sealing_key, state.trust)
        self._spawner = Companion(
            "agent.spawner", [state.root, str(lock), options.cgroups], descriptors=(lock,)
        )
        self._ledger = Ledger(state)
        self._boot_id = boot_id()
        names = Names(identity.agent_id, self._boot_id)
        self._tasks = Tasks(state, self._ledger, Companions(self._spawner, self._signer), names)
        self._session = Session(self._boot_id, options.slots, self._ledger.knows)
        self._guard = Guard(state, options.policy)
        rules = HostRules(
            *(identity.agent_id, state.work, dict(os.environ)),
            spool_bytes=options.spool_bytes,
            transfers=TransferRules(
                identity.gateways, identity.ca_file, state.root, options.file_roots
            ),
            guard=self._guard,
        )
        self._orders = Orders(
            *(identity.agent_id, self._signer, self._ledger, self._carry_out, self.say),
            self._server_time,
            self._guard,
        )
        self._checks = Checks(rules, self._signer, self._checked)
        self._link = Link(identity, self)
        self._pokes = Pokes(state)
        self._meter = LoadMeter(state.root)
        self._launches: dict[Key, Launch] = {}
        self._urgent: deque[Message] = deque()
        self._is_open = False
        self._beat_seconds = 10.0
        self._beat_at = 0.0
        self._told_locked = False
        self._server_offset = time.time() - _uptime()
        self._tasks.say = self.say
        self._tasks.gave_slot_back = self._slot_is_free
        self._signer.answered = self._signer_answered

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._session.running |= self._tasks.adopt()
        loop.add_reader(self._pokes.fileno(), self._look)
        await _until_first(
            self._stop_after(stop),
            self._spawner.run(),
            self._signer.run(),
            self._tasks.run(),
            self._link.run(),
            self._tick(),
        )
        self._pokes.close()
        self._ledger.close()

    async def _stop_after(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await self._link.say_goodbye()

    def _look(self) -> None:
        for name in self._pokes.take():
            self._tasks.look(name)
        self._link.pump()

    def _signer_answered(self) -> None:
        self._tasks.work()
        self._link.pump()

    def turn_ends(self) -> None:
        """Everything that came from the gateway together was handled, and answered."""
        self._tasks.work()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            now, wall = time.monotonic(), time.time()
            self._tasks.tick(now, wall)
            self._act(self._session.tick(now, self._server_time()))
            for key in [key for key in self._launches if not self._session.waits(key)]:
                del self._launches[key]  # refused, cancelled or late: nobody will start it
            self._guard.look()
            is_news = self._guard.is_locked != self._told_locked
            if self._is_open and (is_news or now >= self._beat_at):
                self._beat(now, wall)
            self._tell_refusals(now)
            self._link.wake()

    def _server_time(self) -> float:
        """Seconds since 1970 by the platform's clock, whatever this host's clock is set to."""
        return _uptime() + self._server_offset

    def _beat(self, now: float, wall: float) -> None:
        spread = random.uniform(1 - _BEAT_JITTER, 1 + _BEAT_JITTER)  # noqa: S311 - spreads load
        self._beat_at = now + self._beat_seconds * spread
        load = self._meter.look()
        running, queued = len(self._session.running), self._session.queued
        self._told_locked = locked = self._guard.is_locked
        self.say(Heartbeat(moment(wall), running, queued, **vars(load), maintenance=locked))

    async def hello(self, challenge: Challenge) -> Hello:
        """Sign the challenge and tell what this host is and what it still holds."""
        identity = self._identity
        statement = session_statement(
            challenge.nonce,
            challenge.gateway_id,
            agent_id=identity.agent_id,
            identity_epoch=identity.identity_epoch,
            boot_id=self._boot_id,
        )
        return Hello(
            agent_id=identity.agent_id,
            identity_epoch=identity.identity_epoch,
            boot_id=self._boot_id,
            protocol=PROTOCOL_VERSION,
            agent_version=__version__,
            signature=await self._signer.sign(statement),
            hostname=socket.gethostname()[:255],
            os_type=os_type(),
            os_version=os_version(),
            arch=os.uname().machine,
            cpu_count=os.cpu_count() or 1,
            memory_bytes=memory_bytes(),
            interpreters=available(os.environ.get("PATH") or DEFAULT_PATH),  # type: ignore[arg-type]
            concurrency=self._session.concurrency,
            tasks=self._tasks_here(),
        )

    def _tasks_here(self) -> tuple[JournalledTask, ...]:
        """Every attempt that a later report may speak of: what is not listed counts as lost."""
        journalled = self._tasks.journalled()
        listed = {(task.task_id, task.attempt) for task in journalled}
        other = [key for key in self._session.started_or_may if key not in listed]
        return (*journalled, *(JournalledTask(*key, "granted") for key in other))

    def opened(self, welcome: Welcome) -> None:
        """A session is open: say again what the last one may have lost."""
        now = time.monotonic()
        self._is_open = True
        self._beat_seconds, self._beat_at = welcome.heartbeat_seconds, now
        self._server_offset = instant(welcome.server_time) - _uptime()
        self._tasks.outbox.window_bytes = welcome.window_bytes
        self._tasks.opened()
        self._act(self._session.opened(now))
        self._tell_refusals(now)

    def closed(self) -> None:
        """The session is over; unsent messages are worthless to the next one."""
        self._is_open = False
        self._urgent.clear()

    def say(self, message: Message) -> None:
        """Send a message before any output, if there is a session."""
        if self._is_open:
            self._urgent.append(message)
            self._link.wake()

    def next_frame(self) -> str | bytes | None:
        """Urgent messages first, then output and results in fair turns."""
        if self._urgent:
            return encode(self._urgent.popleft())
        message = self._tasks.outbox.next(time.monotonic())
        if message is None or isinstance(message, Result):
            return encode(message) if message else None
        if isinstance(message.message, Output):
            return encode_output(message.message, message.content)
        return encode(message.message)

    def receive(self, message: Message) -> None:
        """Messages about output and results go to the tasks, all others to the session."""
        now = time.monotonic()
        if isinstance(message, (Signed, Trust, Offer, Grant, Cancel)):
            self._orders.receive(message)
            return
        if isinstance(message, Tempo):
            self._beat_seconds = message.heartbeat_seconds
            self._beat_at = min(self._beat_at, now + self._beat_seconds)
            return
        if not isinstance(message, (Ack, Want, ResultAck)):
            self._carry_out(message)
            return
        attempt = self._tasks.find(message.task_id, message.attempt)
        if attempt is None:
            return
        if isinstance(message, Ack):
            if attempt.flow.ack(message, now):
                self._tasks.outbox.floor_moved(now)
            self._tasks.outbox.acknowledged(attempt)
        elif isinstance(message, Want):
            attempt.flow.want(message)
            self._tasks.outbox.due(attempt)
        elif attempt.result is not None:
            fault("result.acked")
            attempt.acked_at = now
        self._link.wake()

    def _carry_out(self, message: Message) -> None:
        """Something that was signed where it has to be."""
        self._act(self._session.receive(message, time.monotonic()))

    def unreadable(self, error: ProtocolError) -> None:
        """A frame that is no message."""
        self._orders.unreadable(error)

    def _tell_refusals(self, now: float) -> None:
        if self._is_open:
            for refusal in self._orders.refusals.take(now):
                self.say(refusal)

    def _act(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self.say(action.message)
            elif isinstance(action, Check):
                self._check(action.order)
            elif isinstance(action, Start):
                self._start(action)
            elif isinstance(action, Stop):
                self._tasks.stop(action.key, CancelRequest(action.reason, action.grace_seconds))
            elif isinstance(action, Repeat):
                self._tasks.repeat(action.key)

    def _check(self, order: Order) -> None:
        fault("journal.received")
        self._checks.begin(order)

    def _checked(self, order: Order, verdict: Verdict) -> None:
        key = (order.task_id, order.attempt)
        refusal = None
        if isinstance(verdict, Refused):
            refusal = (verdict.reason, verdict.detail)
        else:
            self._launches[key] = verdict
        self._act(self._session.checked(key, refusal, time.monotonic()))

    def _start(self, start: Start) -> None:
        order = start.order
        key = (order.task_id, order.attempt)
        launch = self._launches.pop(key)
        refusal = self._guard.why_not_start()
        if refusal is not None:  # it waited for its turn when the lock was set
            self.say(Reject(*key, *refusal))
            self._slot_is_free(key)
            return
        entry = Entry(
            order.task_id,
            order.attempt,
            "granted",
            execution_id=order.execution_id,
            epoch=start.epoch,
            boot_id=self._boot_id,
            mark=launch.mark,
        )
        self._tasks.grant(Granted(entry, launch))

    def _slot_is_free(self, key: Key) -> None:
        self._act(self._session.ended(key, time.monotonic()))


async def _until_first(*parts: Coroutine[object, object, object]) -> None:
    """Run all until one ends; cancel the others and pass on its error."""
    running = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            part.result()
    finally:
        left = set(running)
        while left:  # before Python 3.12 `wait_for` forgets a cancellation that meets its result
            for part in left:
                part.cancel()
            _, left = await asyncio.wait(left, timeout=_INSIST_SECONDS)
        for part in running:
            with contextlib.suppress(asyncio.CancelledError):
                part.result()


def run_agent(state: StateFolder, identity: Identity, lock: int, options: Options) -> None:
    """Run until told to stop; `lock` is the hold on the state folder."""

    async def build_and_run() -> None:
        await Agent(state, identity, lock, options).run()  # events of Python 3.9 need the loop

    gc.collect()
    gc.freeze()  # what was imported lives for ever: no collection need look through it
    asyncio.run(build_and_run())


def _uptime() -> float:
    """Seconds since the machine started, also those that it slept; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)

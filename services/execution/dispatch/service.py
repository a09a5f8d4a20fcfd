"""Brings tasks to agents: offers what waits, repeats what nobody answered, asks to stop."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from libs.contracts.audit import audit
from libs.kit.clock import monotonic, now
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.faults import fault
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from libs.kit.redis import TROUBLE
from services.execution.changes.service import Changes
from services.execution.dispatch.domain import Caps, Hearing, Slots, WaitCode, Waiter, why_waiting
from services.execution.dispatch.repository import (
    PAGE,
    DispatchRepository,
    Scope,
    Stopping,
    Waiting,
)
from services.execution.domain import WAITING
from services.execution.downlink.service import Downlink
from services.execution.flow.service import Flow
from services.execution.incidents.service import Incident, note
from services.execution.settings import ExecutionSettings
from services.execution.signatures.service import Signer
from services.execution.signing.domain import FORGED, SENTENCES, Asked, Expected, SignedBatch

REFUSALS = frozenset(map(str, SENTENCES))
"""What the signer refused, other than orders that cannot be written."""
SWEEP_LIMIT = 2_000
FIRST_PAGE = 100
"""So many of an execution's tasks are offered first; the others in larger pages."""
EXPECTED_SECONDS = 0.1
"""How old an answer may be about which gateways hold agents, who may have moved since."""
ROUNDS_TO_SIGNER = 2
"""Rounds of the loop in which others get as far as asking the signer: one to wake, one to ask."""
EXPECTED_HOSTS = 500

Ask = Callable[[Iterable[tuple[int, int]]], Coroutine[None, None, None]]
"""Asks whether people may still run something, each with a host."""

log = get_logger(__name__)
sweeps = counter("opsjob_dispatch_sweeps_total", "Looks at everything that waits or is late.")


class Dispatcher:
    """The loop that offers and stops tasks; the database alone tells it what is to be done.

    A wake-up only says where to look first. Whatever a wake-up missed is found by the sweep, so
    neither Redis nor a crash between commit and send can leave a task behind (R26).
    """

    def __init__(
        self,
        db: Database,
        downlink: Downlink,
        changes: Changes,
        settings: ExecutionSettings,
        flow: Flow,
        signer: Signer,
        ask: Ask,
    ) -> None:
        self._db = db
        self._signer = signer
        self._ask = ask
        self._asking: set[asyncio.Task[None]] = set()
        self._marked: list[Waiting] = []
        self._expected: tuple[float, Mapping[str, str]] = (float("-inf"), {})
        """When which gateways were found to hold the agents that are expected next."""
        self._flow = flow
        self._downlink = downlink
        self._changes = changes
        self._settings = settings
        self._executions: set[str] = set()
        self._agents: set[str] = set()
        self._blocked: set[str] = set()
        self._caps = Caps(
            settings.tasks_per_host, settings.tasks_per_user, settings.tasks_per_execution
        )
        self._bell = asyncio.Event()
        self._hearing = Hearing(settings.failover_seconds, at=monotonic(), wall=now())

    def expect(self, user_id: int, hosts: Iterable[tuple[int, str | None]]) -> None:
        """Have asked already, here and in the signer, about somebody who is about to run on hosts,
        and which gateways hold the agents of these.

        What they say takes as long as storing the execution does, and is needed right after it.
        Nothing depends on it: whoever finds no answer asks again. Hosts come with their agents.
        """
        some = list(islice(hosts, EXPECTED_HOSTS))
        people = [(user_id, host_id) for host_id, _ in some]
        expected = Expected(people, [agent_id for _, agent_id in some if agent_id])
        finding = self._find(expected.agents)
        for asking in (self._ask(people), self._signer.expect(expected), finding):
            task = asyncio.create_task(self._guarded(asking))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _find(self, agents: Collection[str]) -> None:
        at = monotonic()
        self._expected = at, await self._downlink.gateways(agents)

    def mark_new(
        self, tx: Transaction, rows: Sequence[dict[str, Any]], agents: Collection[str]
    ) -> Sequence[Waiting]:
        """Note in the rows of new tasks which of them can be offered to these agents at once.

        One commit instead of two lies then between a request and its offers. What is returned goes
        to `offer_new` after the commit; if that is forgotten, the sweep finds it.
        """
        return DispatchRepository(tx).mark_rows(rows, agents, self._caps)

    async def offer_new(self, marked: Sequence[Waiting]) -> None:
        """Offer soon what `mark_new` has noted; returns when the signer is at it, if it is free."""
        self._marked += marked
        self._bell.set()
        for _ in range(ROUNDS_TO_SIGNER):
            await asyncio.sleep(0)

    def wake(self, *, execution_id: str | None = None, agent_ids: Iterable[str] = ()) -> None:
        """Look at these soon; agents are looked at as if all their offers had been lost."""
        if execution_id:
            self._executions.add(execution_id)
        self._agents.update(agent_ids)
        self._bell.set()

    async def run(self) -> None:
        """Dispatch until cancelled."""
        next_sweep = monotonic()
        while True:
            if monotonic() >= next_sweep:
                next_sweep = monotonic() + self._settings.sweep_seconds
                await self._guarded(self._sweep())
            try:
                async with asyncio.timeout(max(0.0, next_sweep - monotonic())):
                    await self._bell.wait()
            except TimeoutError:
                continue
            self._bell.clear()
            await self._guarded(self._answer())

    async def tick(self) -> None:
        """Sweeper: look at executions whose time for it has come; the database alone says which.

        Any number of replicas may do so at once: `Flow.advance` locks the execution's row first.
        """
        due = await self._due()
        if due:
            await self._advance(due)
            self._changes.tell(due)
            for execution_id in due:
                self.wake(execution_id=execution_id)

    @reads
    def _due(self, tx: Transaction) -> Sequence[str]:
        return self._flow.due(tx)

    @writes
    def _advance(self, tx: Transaction, execution_ids: Sequence[str]) -> None:
        for execution_id in sorted(execution_ids):
            self._flow.advance(tx, execution_id)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except (*TROUBLE, Unavailable) as error:
            log.warning("Dispatch has to wait.", error=type(error).__name__)

    async def _answer(self) -> None:
        if marked := self._marked:
            self._marked = []
            await self._offer_marked(marked)
        executions, self._executions = tuple(self._executions), set()
        agents, self._agents = tuple(self._agents), set()
        stale = now() - timedelta(seconds=self._settings.reoffer_seconds)
        for some in _slices(executions):
            await self._offer(Scope(execution_ids=some), stale)
            await self._stop(Scope(execution_ids=some))
        for some in _slices(agents):
            await self._offer(Scope(agent_ids=some), now())
            await self._stop(Scope(agent_ids=some))

    async def _offer_marked(self, marked: Sequence[Waiting]) -> None:
        """Offer page by page; while one is being sent, the signer has the next already.

        The first page is small, so that agents have something to do at once.
        """
        starts = [0, *range(FIRST_PAGE, len(marked), PAGE)]
        pages = [marked[at:end] for at, end in zip(starts, [*starts[1:], None], strict=True)]
        signing = asyncio.create_task(self._looked_up(pages[0]))
        try:
            for page, following in zip(pages, [*pages[1:], ()], strict=True):
                gateways, signed = await signing
                if following:
                    signing = asyncio.create_task(self._looked_up(following))
                await self._send([t for t in page if t.agent_id in gateways], gateways, signed)
                if absent := [task for task in page if task.agent_id not in gateways]:
                    await self._unmark(absent)
        finally:
            signing.cancel()
            await asyncio.gather(signing, return_exceptions=True)

    async def _looked_up(self, tasks: Sequence[Waiting]) -> tuple[Mapping[str, str], SignedBatch]:
        """Which gateways hold the agents of these tasks, and the orders for those."""
        at, expected = self._expected
        if monotonic() - at > EXPECTED_SECONDS:
            expected = {}
        agents = {task.agent_id for task in tasks}
        gateways = {each: expected[each] for each in agents & expected.keys()}
        if missing := agents - gateways.keys():
            gateways |= await self._downlink.gateways(missing)
        return gateways, await self._signed([t for t in tasks if t.agent_id in gateways])

    async def _sweep(self) -> None:
        may_lose = self._hearing.look(
            at=monotonic(), wall=now(), is_reachable=await self._downlink.is_reachable()
        )
        self._changes.tell(await self._end_overdue(may_lose=may_lose))
        sweeps.inc()
        await self._offer(Scope(), now() - timedelta(seconds=self._settings.reoffer_seconds))
        await self._stop(Scope())

    async def _offer(self, scope: Scope, stale: datetime) -> None:
        after = (0, "")
        while page := await self._waiting(scope, after, stale):
            after = (page[-1].priority, page[-1].id)
            gateways = await self._downlink.gateways(task.agent_id for task in page)
            reachable = [task for task in page if task.agent_id in gateways]
            if not reachable:
                continue
            others = tuple(self._blocked | self._executions)
            offered = await self._mark(reachable, Scope(others, tuple(gateways)), stale)
            self._note_blocked(reachable, offered)
            await self._bring(offered, gateways)

    async def _bring(self, offered: Sequence[Waiting], gateways: Mapping[str, str]) -> None:
        """Send the orders of marked tasks."""
        await self._send(offered, gateways, await self._signed(offered))

    async def _signed(self, offered: Sequence[Waiting]) -> SignedBatch:
        fault("offer.after_mark")
        return await self._signer.orders([Asked(task.id, task.attempt) for task in offered])

    async def _send(
        self, offered: Sequence[Waiting], gateways: Mapping[str, str], signed: SignedBatch
    ) -> None:
        frames: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for task in offered:
            if frame := signed.frames.get(task.id):
                frames[gateways[task.agent_id]].append((task.agent_id, frame))
        await self._downlink.send(frames)
        if signed.ended:
            await self._reject(signed.ended)
        touched = {task.execution_id for task in offered}
        self._changes.tell(touched, going_on=() if signed.ended else touched)

    @writes
    def _reject(self, tx: Transaction, refused: Mapping[str, tuple[str, str]]) -> None:
        """End tasks for which no order is written or signed; their code says why."""
        forged = Counter(code for code, _ in refused.values() if code in FORGED)
        some = {code: task_id for task_id, (code, _) in refused.items()}
        note(
            tx,
            [
                Incident("", f"order_{code}", SENTENCES[code], task_id=some[code], count=count)
                for code, count in forged.items()
            ],
        )
        for task_id, (code, sentence) in refused.items():
            if code in REFUSALS:
                audit(
                    tx,
                    "order.refused",
                    kind="task",
                    id=task_id,
                    outcome="denied",
                    detail=f"{code}: {sentence}",
                )
        self._flow.settle(tx, DispatchRepository(tx).reject(refused))

    async def why_waiting(self, task_ids: Sequence[str]) -> dict[str, WaitCode]:
        """Why those of these tasks that have not started wait; others are missing."""
        waiters, slots = await self._waiters(task_ids)
        agents = {task.agent_id for task in waiters if task.status in WAITING}
        try:
            online = set(await self._downlink.gateways(agents))
        except TROUBLE:
            online = agents  # nobody knows; say what the rows say
        busy = timedelta(seconds=self._settings.reoffer_seconds)
        reasons = {
            task.id: why_waiting(
                task, is_online=task.agent_id in online, slots=slots, now=now(), busy_after=busy
            )
            for task in waiters
        }
        return {task_id: code for task_id, code in reasons.items() if code is not None}

    @reads
    def _waiters(self, tx: Transaction, task_ids: Sequence[str]) -> tuple[list[Waiter], Slots]:
        dispatch = DispatchRepository(tx)
        waiters = dispatch.waiters(task_ids)
        return waiters, dispatch.limits(waiters, self._caps)

    async def _stop(self, scope: Scope) -> None:
        for pages in (self._stopping, self._forced):
            after = ""
            while page := await pages(scope, after):
                after = page[-1].id
                asked = [Asked(task.id, task.attempt) for task in page]
                frames = (await self._signer.cancels(asked)).frames
                await self._downlink.send_to_agents(
                    [(task.agent_id, frames[task.id]) for task in page if task.id in frames]
                )

    @reads
    def _waiting(
        self, tx: Transaction, scope: Scope, after: tuple[int, str], stale: datetime
    ) -> Sequence[Waiting]:
        return DispatchRepository(tx).waiting(scope, after=after, reoffer_before=stale)

    @reads
    def _stopping(self, tx: Transaction, scope: Scope, after: str) -> Sequence[Stopping]:
        return DispatchRepository(tx).stopping(scope, after=after)

    @reads
    def _forced(self, tx: Transaction, scope: Scope, after: str) -> Sequence[Stopping]:
        return DispatchRepository(tx).forced(scope, after=after)

    @writes
    def _mark(
        self, tx: Transaction, tasks: Sequence[Waiting], others: Scope, stale: datetime
    ) -> list[Waiting]:
        """Mark what fits. More urgent ones of others, on the same hosts, come before these: room
        may have been made since these were read."""
        dispatch = DispatchRepository(tx)
        urgent: list[Waiting] = []
        if others.execution_ids and (self._caps.per_host or self._caps.per_user):
            before = replace(others, before=max(task.priority for task in tasks))
            known = {task.id for task in tasks}
            found = dispatch.waiting(before, after=(0, ""), reoffer_before=stale)
            urgent = [task for task in found if task.is_fresh and task.id not in known]
        return dispatch.mark_offered([*urgent, *tasks], self._caps)

    @writes
    def _unmark(self, tx: Transaction, tasks: Sequence[Waiting]) -> None:
        DispatchRepository(tx).unmark(tasks)

    def _note_blocked(self, wanted: Sequence[Waiting], offered: Sequence[Waiting]) -> None:
        done = {task.id for task in offered}
        self._blocked.update(task.execution_id for task in wanted if task.id not in done)

    def freed(self) -> None:
        """Look again at what limits kept back; to be called when tasks have ended."""
        if self._blocked:
            self._executions |= self._blocked
            self._blocked.clear()
            self._bell.set()

    @writes
    def _end_overdue(self, tx: Transaction, *, may_lose: bool) -> set[str]:
        dispatch = DispatchRepository(tx)
        fault("sweep.before_write")
        ended = dispatch.expire(limit=SWEEP_LIMIT)
        if may_lose:
            silent = tx.now - timedelta(seconds=self._settings.lost_seconds)
            ended |= dispatch.lose(silent_since=silent, limit=SWEEP_LIMIT)
            ended |= dispatch.overrun(silence=tx.now - silent, limit=SWEEP_LIMIT)
        self._flow.settle(tx, ended)
        return ended


def _slices(ids: tuple[str, ...], size: int = 500) -> Iterable[tuple[str, ...]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))

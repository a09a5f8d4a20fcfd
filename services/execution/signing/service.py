"""Signs orders, after everything about them was looked up once more."""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from libs.contracts.hosts import AgentState, HostsClient
from libs.contracts.trust import CANCEL, GRANT, RUN, signed_frame
from libs.kit.clock import monotonic, now
from libs.kit.db import Database, Transaction, reads
from libs.kit.errors import AppError, Unavailable
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from services.execution.access.service import Actors
from services.execution.consents.domain import Evidence
from services.execution.consents.repository import ConsentRepository
from services.execution.consents.service import Clearances, Ordered
from services.execution.models import Step
from services.execution.orders.service import Orders, Sheets
from services.execution.settings import SignerSettings
from services.execution.signing.domain import (
    Asked,
    Expected,
    Pace,
    Refusal,
    Signable,
    SignedBatch,
    SigningKey,
    cancel_payload,
    grant_payload,
    is_script_intact,
    order_of,
    run_payload,
    why_not_cancel,
    why_not_grant,
    why_not_run,
)
from services.execution.signing.repository import (
    Counters,
    DecisionLog,
    SigningRepository,
    TrustFolder,
    TrustMissing,
)
from services.execution.transfers.service import Found, Transfers

STANDING_SECONDS: Final = 3.0
"""How long an answer about a person or an agent is believed; T_revoke is 5 s."""
STANDINGS_KEPT: Final = 20_000
AGENTS_AT_ONCE: Final = 500
ASK_ROUNDS: Final = 5
RENEW_SECONDS: Final = 3600.0
_NEVER: Final = (float("-inf"), False)

log = get_logger(__name__)
signed_total = counter("opsjob_signed_total", "Orders that were signed.", ["purpose"])
unsigned_total = counter("opsjob_unsigned_total", "Orders that were not signed.", ["why"])


class Standing:
    """Whether people may still run a step on a host, and whether agents are still the ones."""

    def __init__(self, actors: Actors, hosts: HostsClient) -> None:
        self._actors = actors
        self._hosts = hosts
        self._agents: dict[str, tuple[float, bool]] = {}
        self._turn = asyncio.Lock()
        """Who expects and who checks right after it ask once, together."""

    async def expect(self, expected: Expected) -> None:
        """Ask about those who come next, while other work is done. Raises Unavailable."""
        async with self._turn:
            agents = {one for one in expected.agents if not self._is_known(one)}
            await asyncio.gather(
                self._ask_agents(sorted(agents)), self._actors.ask(expected.people)
            )

    async def check(
        self, tasks: Sequence[Signable], steps: Mapping[str, Step], referring: Collection[str] = ()
    ) -> Mapping[str, bool]:
        """By task, whether its person may run it now. Raises Unavailable.

        `referring` are the steps that are given secrets which lie elsewhere.

        All is judged in one go right after the last answer: an answer that grew old while orders
        were written must not read as a refusal.
        """
        async with self._turn:
            for _ in range(ASK_ROUNDS):
                agents = {t.agent_id for t in tasks if not self._is_known(t.agent_id)}
                found = {
                    t.id: self._may(t, steps[t.step_id], refers=t.step_id in referring)
                    for t in tasks
                }
                unknown = {(t.user_id, t.host_id) for t in tasks if found[t.id] is None}
                if not unknown and not agents:
                    return {task_id: bool(may) for task_id, may in found.items()}
                await asyncio.gather(self._ask_agents(sorted(agents)), self._actors.ask(unknown))
        raise Unavailable

    def _may(self, task: Signable, step: Step, *, refers: bool) -> bool | None:
        user, host = task.user_id, task.host_id
        return self._actors.may(user, host, step.kind, step.run_as, refers=refers)

    def _is_known(self, agent_id: str) -> bool:
        return self._agents.get(agent_id, _NEVER)[0] >= monotonic() - STANDING_SECONDS

    def is_active(self, agent_id: str) -> bool:
        """Whether this agent may get orders; after `check`."""
        return self._agents[agent_id][1]

    async def _ask_agents(self, wanted: Sequence[str]) -> None:
        if len(self._agents) > STANDINGS_KEPT:
            self._agents = {one: said for one, said in self._agents.items() if self._is_known(one)}
        for start in range(0, len(wanted), AGENTS_AT_ONCE):
            some = list(wanted[start : start + AGENTS_AT_ONCE])
            at = monotonic()  # an answer is as old as its question
            found = await self._hosts.agent_identities(some)
            for agent_id in some:
                who = found.get(agent_id)
                is_active = who is not None and who.status is AgentState.ACTIVE
                self._agents[agent_id] = (at, is_active)


class _Keys:
    """The key that may sign now; looked up again when the folder changes."""

    def __init__(self, folder: TrustFolder, life: timedelta) -> None:
        self._folder = folder
        self._life = life
        self._stamp = -1
        self._key: SigningKey | None = None
        self._checked_at = float("-inf")
        self._log: DecisionLog | None = None
        self._counters: Counters | None = None

    def current(self) -> SigningKey:
        """Raises Unavailable when there is none."""
        try:
            stamp = self._folder.bundle_file.stat().st_mtime_ns
            if stamp != self._stamp or monotonic() - self._checked_at > RENEW_SECONDS:
                self._folder.renew(now(), self._life)
                self._key = self._folder.signing_key(now())
                self._stamp = self._folder.bundle_file.stat().st_mtime_ns
                self._checked_at = monotonic()
        except (OSError, TrustMissing) as error:
            self._key = None
            log.error("Nothing can be signed.", error=str(error))
            raise Unavailable from error
        assert self._key is not None
        return self._key

    def note(self, entry: dict[str, object]) -> None:
        """Write a decision down before anybody learns of it. Raises Unavailable."""
        try:
            self._log = self._log or DecisionLog(self._folder.log)
            self._log.add(entry)
        except OSError as error:
            log.error("Decisions cannot be logged, so nothing is signed.", error=str(error))
            raise Unavailable from error

    def count(self) -> int:
        """The next number of a control order."""
        self._counters = self._counters or Counters(self._folder.counter)
        return self._counters.next(now())


def _ordered(task: Signable, step: Step) -> Ordered:
    return Ordered(task.execution_id, task.host_id, task.agent_id, step.kind, step.script_type)


Prepared = tuple[dict[str, Signable], Mapping[str, Step], Sheets, Found, Mapping[str, Evidence]]


class Signing:
    """Signs what the rows say, never what somebody says. One object holds the key."""

    def __init__(
        self,
        db: Database,
        orders: Orders,
        transfers: Transfers,
        standing: Standing,
        clearances: Clearances,
        folder: TrustFolder,
        settings: SignerSettings,
    ) -> None:
        self._clearances = clearances
        self._db = db
        self._orders = orders
        self._transfers = transfers
        self._standing = standing
        self._settings = settings
        self._keys = _Keys(folder, timedelta(days=settings.certificate_days))
        self._pace = Pace(settings.tasks_per_minute)

    async def expect(self, expected: Expected) -> None:
        """See `Signer`."""
        await self._standing.expect(expected)

    async def orders(self, asked: Sequence[Asked]) -> SignedBatch:
        """Orders for what is being offered, each written from its rows and checked once more."""
        batch = SignedBatch()
        tasks, steps, sheets, files, evidence = await self._prepare(asked)
        referring = sheets.referring
        await self._orders.fetch(sheets)
        at = now()
        good = self._among(asked, tasks, batch, lambda t, one: why_not_run(t, one, at))
        clearance = await self._clearances.of(evidence, (task.host_id for task in good))
        may = await self._standing.check(good, steps, referring)
        intact = {step.id: is_script_intact(step) for step in steps.values()}
        room, at = self._pace.room(monotonic()), now()
        payloads: dict[str, bytes] = {}
        for task in good:
            step = steps[task.step_id]
            left = room - len(payloads)
            is_sound = intact[step.id]
            why = self._why_not(task, may=may[task.id], is_intact=is_sound, room=left)
            if why is not None:
                batch.refuse(task.id, why)
                continue
            try:
                filled = sheets.fill(task)
                moving = self._transfers.order(task, step, sheets, files)
            except AppError as error:
                batch.refused[task.id] = (error.code, error.message)
                continue
            objection = clearance.objection(_ordered(task, step), filled)
            if objection is not None:
                batch.refuse(task.id, Refusal(str(objection)))
                continue
            payloads[task.id] = run_payload(task, order_of(task, step, filled, moving), at)
        self._pace.took(len(payloads), monotonic())
        return self._signed(RUN, payloads, batch)

    async def grants(self, asked: Sequence[Asked]) -> SignedBatch:
        """Leave to start for what the database has granted; the row says to which boot."""
        batch = SignedBatch()
        good = self._among(asked, await self._rows(asked), batch, why_not_grant)
        at = now()
        return self._signed(GRANT, {t.id: grant_payload(t, at) for t in good}, batch)

    async def cancels(self, asked: Sequence[Asked]) -> SignedBatch:
        """Orders to stop, each with a number above all before it."""
        batch = SignedBatch()
        rows = await self._rows(asked)
        good = self._among(asked, rows, batch, lambda t, one: why_not_cancel(t, one, now()))
        payloads = {t.id: cancel_payload(t, now(), self._keys.count()) for t in good}
        return self._signed(CANCEL, payloads, batch)

    def _why_not(self, task: Signable, *, may: bool, is_intact: bool, room: int) -> Refusal | None:
        most = self._settings.hosts_per_execution
        if not is_intact:
            return Refusal.SCRIPT_CHANGED
        if not may:
            return Refusal.ACTOR
        if not self._standing.is_active(task.agent_id):
            return Refusal.AGENT
        if most and task.task_total > most:
            return Refusal.TOO_MANY_HOSTS
        return Refusal.RATE if room <= 0 else None

    def _among(
        self,
        asked: Sequence[Asked],
        tasks: Mapping[str, Signable],
        batch: SignedBatch,
        judge: Callable[[Signable | None, Asked], Refusal | None],
    ) -> list[Signable]:
        """Those whose rows allow it; the others are refused."""
        good: list[Signable] = []
        for one in asked:
            task = tasks.get(one.task_id)
            why = judge(task, one)
            if why is not None:
                batch.refuse(one.task_id, why)
            elif task is not None:
                good.append(task)
        return good

    def _signed(
        self, purpose: str, payloads: Mapping[str, bytes], batch: SignedBatch
    ) -> SignedBatch:
        """Sign, and write down what was decided before anybody gets it."""
        key = self._keys.current()
        for task_id, payload in payloads.items():
            batch.frames[task_id] = signed_frame(key.private, key.kid, purpose, payload)
        hashes = {task: hashlib.sha256(p).hexdigest()[:32] for task, p in payloads.items()}
        refused = {task: code for task, (code, _) in batch.refused.items()}
        entry = {"at": now().isoformat(), "purpose": purpose, "kid": key.kid}
        self._keys.note({**entry, "signed": hashes, "refused": refused})
        signed_total.labels(purpose).inc(len(payloads))
        for code in refused.values():
            unsigned_total.labels(code).inc()
        return batch

    @reads
    def _prepare(self, tx: Transaction, asked: Sequence[Asked]) -> Prepared:
        repository = SigningRepository(tx)
        tasks = repository.tasks(asked)
        steps = repository.steps({task.step_id for task in tasks.values()})
        sheets = self._orders.load(tx, list(tasks.values()), steps)
        evidence = ConsentRepository(tx).evidence({task.execution_id for task in tasks.values()})
        return tasks, steps, sheets, self._transfers.load(tx, steps), evidence

    @reads
    def _rows(self, tx: Transaction, asked: Sequence[Asked]) -> dict[str, Signable]:
        return SigningRepository(tx).tasks(asked)

"""All granted attempts of this agent: starts them, adopts them after a restart, ends them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from dataclasses import dataclass, replace
from typing import Callable

from agent.attempts import Attempt, checked_ends, payload_of, payload_without_end
from agent.companions import Companion
from agent.faults import fault
from agent.flow import Flow
from agent.ledger import Entry, Key, Ledger
from agent.outbox import Outbox
from agent.records import CancelRequest, read_exit, read_started
from agent.signatures import Signer
from agent.state import SpareFolders, StateFolder, is_held
from agent.tree import sweep
from agent.work import Launch
from libs.protocol.messages import JournalledTask, Message, Outcome, Reject, Result
from libs.protocol.payload import (
    ProcessTotals,
    ResultPayload,
    read_payload,
    result_statement,
    write_payload,
)

_logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 5.0
_KEEP_OUTPUT_SECONDS = 86_400.0
"""How long output is offered after its result was acknowledged."""


@dataclass(frozen=True)
class Granted:
    """An order that was checked, claimed and granted."""

    entry: Entry
    launch: Launch


@dataclass(frozen=True)
class _End:
    """An attempt whose tree, known by its mark, must be swept before its result is signed."""

    attempt: Attempt
    payload: ResultPayload
    mark: str


@dataclass(frozen=True)
class Names:
    """Who we are, on which boot."""

    agent_id: str
    boot_id: str


@dataclass(frozen=True)
class Companions:
    """The processes that start and sign."""

    spawner: Companion
    signer: Signer


class Tasks:
    """Keeps the attempts that are not settled.

    `say` sends a message if there is a connection; `gave_slot_back` is told of every end.
    """

    def __init__(
        self, state: StateFolder, ledger: Ledger, companions: Companions, names: Names
    ) -> None:
        self._state = state
        self._spare = SpareFolders(state)
        self._ledger = ledger
        self._companions = companions
        self._names = names
        self._attempts: dict[str, Attempt] = {}
        self._starting: list[Granted] = []
        self._sweeping: list[_End] = []
        self._signed: list[tuple[Attempt, Entry]] = []
        self._early_cancels: dict[Key, CancelRequest] = {}
        self._work = asyncio.Event()
        self._failure: Exception | None = None
        self.outbox = Outbox()
        self.say: Callable[[Message], None] = lambda message: None
        self.gave_slot_back: Callable[[Key], None] = lambda key: None

    def journalled(self) -> tuple[JournalledTask, ...]:
        """What `hello` tells: every attempt whose result is not settled."""
        return tuple(
            JournalledTask(entry.task_id, entry.attempt, entry.state)  # type: ignore[arg-type]
            for entry in self._ledger.open.values()
        )

    def adopt(self) -> set[Key]:
        """Take over what an earlier agent process left; the keys that still run."""
        running = set()
        for entry in list(self._ledger.open.values()):
            if entry.state == "damaged":
                continue
            attempt = self._remember(entry, is_new=False)
            attempt.is_launched = True
            attempt.started = read_started(attempt.folder)
            if entry.payload:
                self._resume_result(attempt)
            elif not self._has_ended(attempt):
                self._ledger.running(entry.key)
                running.add(entry.key)
        self._remove_strangers()
        return running

    def _remember(self, entry: Entry, *, is_new: bool) -> Attempt:
        folder = self._state.task(entry.name)
        flow = Flow(entry.key, entry.execution_id, folder, is_new=is_new)
        attempt = Attempt(entry, folder, flow)
        self._attempts[entry.name] = attempt
        self.outbox.due(attempt)
        return attempt

    def _resume_result(self, attempt: Attempt) -> None:
        entry = attempt.entry
        streams = read_payload(entry.payload).streams
        attempt.flow.finish({"stdout": streams.stdout.bytes, "stderr": streams.stderr.bytes})
        attempt.is_ended = True
        attempt.result = _result(entry)

    def _remove_strangers(self) -> None:
        """Folders of settled attempts that a crash left behind."""
        for name in os.listdir(self._state.tasks):
            task_id, _, attempt = name.rpartition(".")
            key = (task_id, int(attempt)) if attempt.isdigit() else ("", 0)
            if key not in self._ledger.open and self._ledger.knows(key):
                self._spare.give(self._state.task(name))

    def grant(self, granted: Granted) -> None:
        """Start this at the end of the turn, with whatever else is granted in it."""
        self._starting.append(granted)

    def work(self) -> None:
        """The end of a turn: what came together in it is written together."""
        if self._starting:
            self._guarded(self._start_granted)
        if self._signed:
            self._guarded(self._tell_ends)

    def _guarded(self, step: Callable[[], None]) -> None:
        """What a step raises, a journal that cannot be written above all, ends the agent."""
        try:
            step()
        except Exception as error:
            self._failure = error
            self._work.set()

    async def run(self) -> None:
        """End what dead shims left behind before their results are signed, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            if self._failure is not None:
                raise self._failure
            batch, self._sweeping = self._sweeping, []
            for end in batch:
                self._sign(end.attempt, await _swept(end))

    def _start_granted(self) -> None:
        batch, self._starting = self._starting, []
        accepted = {entry.key for entry in self._ledger.start([one.entry for one in batch])}
        for granted in batch:
            if granted.entry.key in accepted:
                self._launch(granted)
            else:
                self.say(Reject(*granted.entry.key, "limits_exceeded", "no room for the journal"))
                self.gave_slot_back(granted.entry.key)

    def _launch(self, granted: Granted) -> None:
        fault("journal.starting")
        attempt = self._remember(granted.entry, is_new=True)
        attempt.cancel = self._early_cancels.pop(attempt.key, None)
        attempt.launch = self._companions.spawner.tell(
            granted.launch.packed(),
            lambda failure: self._guarded(lambda: self._launched(attempt, failure)),
        )
        fault("journal.launched")

    def _launched(self, attempt: Attempt, failure: str) -> None:
        """A shim has the script, or its folder's lock will tell that none has; or it failed."""
        if attempt.is_launched:
            return
        attempt.is_launched = True
        if failure:
            _logger.error("A task could not be launched.", extra={"reason": failure})
            self._end_without_record(attempt, "failed_to_start", "launch_failed")
        elif attempt.cancel is not None:
            attempt.stop(attempt.cancel)

    def look(self, name: str) -> None:
        """A shim poked: its start, its end or new output can be read."""
        attempt = self._attempts.get(name)
        if attempt is None:
            return
        if not attempt.is_launched:
            self._companions.spawner.forget(attempt.launch)
            self._launched(attempt, "")
        if not attempt.is_ended and not self._take_exit(attempt) and attempt.started is None:
            self._take_start(attempt)
        if attempt.is_ended and attempt.result is None:
            self.outbox.hold(attempt)  # what is left goes with the result, or at the next tick
        else:
            self.outbox.due(attempt)

    def _take_start(self, attempt: Attempt) -> None:
        attempt.started = read_started(attempt.folder)
        message = attempt.started_message()
        if message is not None:
            fault("journal.started")
            self._ledger.running(attempt.key)
            self.say(message)
            if attempt.cancel is not None:
                attempt.wake_shim()

    def _has_ended(self, attempt: Attempt) -> bool:
        """Whether there is an exit record, or no shim that could still write one."""
        if self._take_exit(attempt):
            return True
        if is_held(attempt.folder):
            return False
        if self._take_exit(attempt):
            return True
        if attempt.entry.boot_id != self._names.boot_id:
            self._end_without_record(attempt, "lost", "host_rebooted")
        elif attempt.started is None:
            self._end_without_record(attempt, "lost", "start_unknown")
        else:
            self._end_without_record(attempt, "lost", "shim_lost")
        return True

    def _take_exit(self, attempt: Attempt) -> bool:
        record = attempt.flow.exit_record() or read_exit(attempt.folder)
        if record is None:
            return False
        if attempt.entry.boot_id != self._names.boot_id:
            record = checked_ends(record, attempt.folder)
        self._end(attempt, payload_of(attempt.entry, self._names.agent_id, record))
        return True

    def _end_without_record(self, attempt: Attempt, outcome: Outcome, reason: str) -> None:
        payload = payload_without_end(
            attempt.entry, self._names.agent_id, outcome, reason=reason, attempt=attempt
        )
        is_same_boot = attempt.entry.boot_id == self._names.boot_id
        self._end(attempt, payload, attempt.entry.mark if is_same_boot else "")

    def _end(self, attempt: Attempt, payload: ResultPayload, mark: str = "") -> None:
        streams = payload.streams
        attempt.flow.finish({"stdout": streams.stdout.bytes, "stderr": streams.stderr.bytes})
        attempt.is_ended = True
        self._tell_progress(attempt)
        if mark:
            self._sweeping.append(_End(attempt, payload, mark))
            self._work.set()
        else:
            self._sign(attempt, payload)

    def _tell_progress(self, attempt: Attempt) -> None:
        news = attempt.progress()
        if news is not None:
            self.say(news)

    def _sign(self, attempt: Attempt, payload: ResultPayload) -> None:
        text = write_payload(payload)

        def signed(signature: str) -> None:
            entry = replace(attempt.entry, state="exited", payload=text, signature=signature)
            self._signed.append((attempt, entry))

        self._companions.signer.sign_then(result_statement(text), signed)

    def _tell_ends(self) -> None:
        """Journal signed results with one wait for the disk, then send them."""
        signed, self._signed = self._signed, []
        fault("journal.ended")
        self._ledger.exited([entry for _, entry in signed])
        fault("journal.exited")
        for attempt, entry in signed:
            attempt.entry, attempt.result = entry, _result(entry)
            self.outbox.due(attempt)
            self.gave_slot_back(attempt.key)

    def find(self, task_id: str, attempt: int) -> Attempt | None:
        """An attempt that is not settled."""
        return self._attempts.get(f"{task_id}.{attempt}")

    def stop(self, key: Key, request: CancelRequest) -> None:
        """End the process tree of an attempt that runs."""
        attempt = self.find(*key)
        if attempt is None:
            self._early_cancels[key] = request
            return
        if attempt.is_ended:
            return
        if attempt.is_launched:
            attempt.stop(request)
        else:
            attempt.cancel = request

    def repeat(self, key: Key) -> None:
        """The gateway offers what the journal knows: say what became of it."""
        attempt = self.find(*key)
        if attempt is not None:
            self._settle(attempt, time.monotonic(), time.time())
        entry = self._ledger.open.get(key)
        if entry is not None and entry.state == "damaged":
            self.say(Reject(*key, "damaged", "the journal was damaged"))
        elif entry is None:
            self.say(Reject(*key, "already_ran", ""))
        elif attempt is not None:  # else it is journalled and about to be launched
            message = attempt.started_message()
            if message is not None:
                self.say(message)
            attempt.result_at = 0.0
            self.outbox.due(attempt)

    def opened(self) -> None:
        """A new session: everything in flight was lost with the old one."""
        for attempt in self._attempts.values():
            message = attempt.started_message()
            if message is not None and not attempt.is_ended:
                self.say(message)
            attempt.send_again()
            self.outbox.due(attempt)

    def _settle(self, attempt: Attempt, now: float, wall: float) -> None:
        """Forget an attempt once its result and all its output are stored elsewhere."""
        if attempt.acked_at is None:
            return
        if attempt.flow.is_complete or now - attempt.acked_at > _KEEP_OUTPUT_SECONDS:
            self._ledger.settled(attempt.key, now=wall)
            attempt.flow.close()
            self.outbox.forget(attempt)
            del self._attempts[attempt.entry.name]
            self._spare.give(attempt.folder)

    def tick(self, now: float, wall: float) -> None:
        """Once a second: ends without a poke, dead shims, floors that stand still, what is over.

        Nobody waits for the host to forget a task, so it is done here, for several at once.
        """
        self._companions.spawner.probe()
        for attempt in list(self._attempts.values()):
            if not attempt.is_ended and attempt.is_launched:
                if attempt.started is None:
                    self._take_start(attempt)
                if attempt.cancel is not None:
                    attempt.wake_shim()
                self._has_ended(attempt)
                self._tell_progress(attempt)
            attempt.flow.check_stall(now)
            self._settle(attempt, now, wall)
            self.outbox.due(attempt)


def _result(entry: Entry) -> Result:
    return Result(entry.execution_id, entry.task_id, entry.attempt, entry.payload, entry.signature)


async def _swept(end: _End) -> ResultPayload:
    """End what a dead shim left behind before saying that the task is over."""
    tree = await asyncio.to_thread(sweep, end.mark, _SWEEP_SECONDS)
    totals = ProcessTotals(len(tree.found), len(tree.signalled), tree.left)
    return replace(end.payload, processes=totals)

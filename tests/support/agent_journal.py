"""What a simulated agent does by itself with its tasks, by the rules of the protocol."""

import asyncio
import functools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, cast

import msgspec

from libs.protocol.payload import result_statement
from tests.support.agent_work import Message, SimulatedTask, Work, about, total
from tests.support.identities import Identity

CLAIM_SECONDS = 2.0
RESULT_SECONDS = 3.0
OUTPUT_SECONDS = 5.0

_json = msgspec.json.Encoder().encode


def now() -> str:
    """The moment as the protocol writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Speaker(Protocol):
    """The agent that a journal belongs to."""

    identity: Identity
    boot_id: str
    work: Work | None
    counts: Counter[str]
    is_welcome: bool

    @property
    def agent_id(self) -> str:
        """Its id."""

    def send(self, message: Message) -> None:
        """Sends a message now, if connected."""


class Journal:
    """Tasks by (task id, attempt); survives the connection, so that nothing starts twice."""

    def __init__(self, agent: Speaker) -> None:
        self._agent = agent
        self.tasks: dict[tuple[str, int], SimulatedTask] = {}
        self._held: list[Message] = []
        self._timers: dict[object, asyncio.TimerHandle] = {}

    def act(self, message: Message) -> None:
        """Does what an agent does when it gets this message."""
        act = _ACTS.get(str(message["type"]))
        if act is not None:
            act(self, message)

    def repeat_all(self) -> None:
        """After a reconnect: everything that was never answered."""
        for task in self.tasks.values():
            self._repeat(task)

    def stop(self) -> None:
        """The connection is gone; scripts go on, but nothing is said until the next one."""
        for name in [name for name in self._timers if not _is_run(name)]:
            self._cancel(name)
        self._held.clear()

    def _repeat(self, task: SimulatedTask) -> None:
        if task.state == "offered":
            self._claim(task)
        for header, data in list(task.chunks.values()):
            self._say(header | {"data": data})
        if task.result is not None and task.state == "exited":
            self._report(task)

    def _on_offer(self, message: Message) -> None:
        order = cast(Message, message["order"])
        key = (str(order["task_id"]), cast(int, order["attempt"]))
        task = self.tasks.get(key)
        if task is None:
            task = self.tasks[key] = SimulatedTask(order)
        work = self._agent.work
        if work is None or not work.is_claiming or task.state != "offered":
            return
        if work.reject is not None:
            self._say(about(task, "reject", reason=work.reject, detail="simulated"))
            task.state = "rejected"
            return
        self._claim(task)

    def _claim(self, task: SimulatedTask) -> None:
        if task.state != "offered":
            return
        self._say(about(task, "claim"))
        self._later(("claim", task.key), CLAIM_SECONDS, functools.partial(self._claim, task))

    def _on_grant(self, message: Message) -> None:
        task = self._task_of(message)
        if task is None or task.state != "offered" or message["boot_id"] != self._agent.boot_id:
            return
        self._cancel(("claim", task.key))
        task.state = "granted"
        task.epoch = cast(int, message["epoch"])
        if self._agent.work is not None:
            self._start(task, self._agent.work)

    def _start(self, task: SimulatedTask, work: Work) -> None:
        task.state = "running"
        task.starts += 1
        at = task.order["started_at"] = now()
        if work.tells_start:
            self._say(about(task, "started", epoch=task.epoch, pid=4242, started_at=at))
        if work.is_finishing:
            self._later(("run", task.key), work.seconds, lambda: self.finish(task))

    def finish(self, task: SimulatedTask) -> None:
        """Prints what `work` says and reports the end."""
        work = self._agent.work or Work()
        for stream, chunks in (("stdout", work.stdout), ("stderr", work.stderr)):
            self._print(task, stream, chunks)
        task.state = "exited"
        task.result = self._result(task, work)
        self._report(task)

    def _print(self, task: SimulatedTask, stream: str, chunks: Sequence[bytes]) -> None:
        offset = 0
        for seq, data in enumerate(chunks):
            header = about(
                task,
                "output",
                execution_id=task.order["execution_id"],
                stream=stream,
                seq=seq,
                offset=offset,
                length=len(data),
            )
            task.chunks[stream, seq] = (header, data)
            offset += len(data)
            self._say(header | {"data": data})
        if chunks:
            self._later(
                ("output", task.key), OUTPUT_SECONDS, functools.partial(self._print_again, task)
            )

    def _print_again(self, task: SimulatedTask) -> None:
        if task.chunks:
            for header, data in list(task.chunks.values()):
                self._say(header | {"data": data})
            again = functools.partial(self._print_again, task)
            self._later(("output", task.key), OUTPUT_SECONDS, again)

    def _result(self, task: SimulatedTask, work: Work) -> Message:
        payload = {
            "task_id": task.key[0],
            "attempt": task.key[1],
            "epoch": task.epoch,
            "agent_id": self._agent.agent_id,
            "outcome": work.outcome,
            "exit_code": work.exit_code,
            "signal": None,
            "reason": "",
            "duration_ms": int(work.seconds * 1000) + 1,
            "started_at": task.order.get("started_at"),
            "ended_at": now(),
            "streams": {"stdout": total(work.stdout), "stderr": total(work.stderr)},
            "processes": {"found": 0, "signalled": 0, "left": 0},
        }
        text = _json(payload).decode()
        return about(
            task,
            "result",
            execution_id=task.order["execution_id"],
            payload=text,
            signature=self._agent.identity.sign(result_statement(text)),
        )

    def _report(self, task: SimulatedTask) -> None:
        if task.state == "exited" and task.result is not None:
            self._say(task.result)
            again = functools.partial(self._report, task)
            self._later(("result", task.key), RESULT_SECONDS, again)

    def _on_result_ack(self, message: Message) -> None:
        task = self._task_of(message)
        if task is not None:
            task.state = "done"
            self._cancel(("result", task.key))

    def _on_refuse(self, message: Message) -> None:
        task = self._task_of(message)
        if task is not None and task.state == "offered":
            task.state = "refused"
            self._cancel(("claim", task.key))

    def _on_ack(self, message: Message) -> None:
        task = self._task_of(message)
        if task is None:
            return
        stream, floor = str(message["stream"]), cast(int, message["seq"])
        for key in [key for key in task.chunks if key[0] == stream and key[1] < floor]:
            del task.chunks[key]
        if not task.chunks:
            self._cancel(("output", task.key))

    def _on_want(self, message: Message) -> None:
        task = self._task_of(message)
        if task is None:
            return
        stream, first = str(message["stream"]), cast(int, message["seq"])
        for (of, seq), (header, data) in sorted(task.chunks.items(), key=lambda item: item[0]):
            if of == stream and seq >= first:
                self._say(header | {"data": data})

    def _on_cancel(self, message: Message) -> None:
        task = self._task_of(message)
        if task is None or task.state != "running":
            return
        self._cancel(("run", task.key))
        task.state = "exited"
        task.result = self._result(task, Work(stdout=(), outcome="cancelled", exit_code=None))
        self._report(task)

    def _task_of(self, message: Message) -> SimulatedTask | None:
        return self.tasks.get((str(message["task_id"]), cast(int, message["attempt"])))

    def _say(self, message: Message) -> None:
        """Sends a task message through the faults of `work`; without a session it stays unsaid."""
        if not self._agent.is_welcome:
            return
        work = self._agent.work or Work()
        if work.loses is not None and work.loses(message):
            return
        self._agent.counts[f"sent_{message['type']}"] += 1
        if work.copies == 1 and work.window == 1:
            self._agent.send(message)
            return
        self._held += [message] * work.copies
        if len(self._held) >= work.window:
            held, self._held = self._held, []
            random.shuffle(held)
            for item in held:
                self._agent.send(item)
        else:
            self._later("held", 0.05, self._release)

    def _release(self) -> None:
        held, self._held = self._held, []
        for item in held:
            self._agent.send(item)

    def _later(self, name: object, seconds: float, do: Callable[[], None]) -> None:
        self._cancel(name)
        if seconds <= 0:
            do()
        else:
            self._timers[name] = asyncio.get_running_loop().call_later(seconds, do)

    def _cancel(self, name: object) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _is_run(name: object) -> bool:
    return isinstance(name, tuple) and name[0] == "run"


_ACTS: dict[str, Callable[[Journal, Message], None]] = {
    "offer": Journal._on_offer,
    "grant": Journal._on_grant,
    "refuse": Journal._on_refuse,
    "ack": Journal._on_ack,
    "want": Journal._on_want,
    "result_ack": Journal._on_result_ack,
    "cancel": Journal._on_cancel,
}

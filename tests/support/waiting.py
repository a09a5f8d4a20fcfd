"""Waits for something to become true, without sleeping a guessed time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar, overload

from libs.kit import clock

T = TypeVar("T")

POLL_SECONDS = 0.02
DEFAULT_TIMEOUT_SECONDS = 10.0


@overload
async def eventually(
    probe: Callable[[], Awaitable[T]], *, timeout: float = ..., message: str = ...
) -> T: ...
@overload
async def eventually(probe: Callable[[], T], *, timeout: float = ..., message: str = ...) -> T: ...
async def eventually(
    probe: Callable[[], T | Awaitable[T]],
    *,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    message: str = "",
) -> T:
    """Asks `probe` (plain or async) every 20 ms until it answers something true; gives that.

    A probe that raises AssertionError counts as "not yet", so asserts may be used inside.
    After `timeout` seconds the test fails, naming the probe, its last answer and `message`.
    """
    last = _Last()
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = probe()
            value: T = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
            last.answer = repr(value)
        except AssertionError as err:
            last.answer = f"AssertionError: {err}"
        if time.monotonic() >= deadline:
            raise last.failure(probe, timeout, message)
        await asyncio.sleep(POLL_SECONDS)


def eventually_sync(
    probe: Callable[[], T],
    *,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    message: str = "",
) -> T:
    """The same for tests without a loop: they start processes and look at them from outside."""
    last = _Last()
    deadline = time.monotonic() + timeout
    while True:
        try:
            value = probe()
            if value:
                return value
            last.answer = repr(value)
        except AssertionError as err:
            last.answer = f"AssertionError: {err}"
        if time.monotonic() >= deadline:
            raise last.failure(probe, timeout, message)
        time.sleep(POLL_SECONDS)


class _Last:
    """Remembers the newest answer, so that a failure can tell what was there instead."""

    def __init__(self) -> None:
        self.answer = "no answer"

    def failure(self, probe: Callable[..., object], timeout: float, message: str) -> AssertionError:
        name = getattr(probe, "__qualname__", repr(probe))
        code = getattr(probe, "__code__", None)
        where = f" at {code.co_filename}:{code.co_firstlineno}" if code else ""
        why = f"{message}: " if message else ""
        return AssertionError(
            f"{why}not true after {timeout:g} s: {name}{where}; last answer {self.answer[:2000]}"
        )


class _Later(clock.Clock):
    def __init__(self, before: clock.Clock, by: timedelta) -> None:
        self._before = before
        self._by = by

    def now(self) -> datetime:
        return self._before.now() + self._by

    def monotonic(self) -> float:
        return self._before.monotonic() + self._by.total_seconds()


@contextmanager
def later(*, seconds: float) -> Iterator[None]:
    """In this process it is so many seconds later than it is, and goes on from there."""
    before = clock.use(clock.Clock())
    clock.use(_Later(before, timedelta(seconds=seconds)))
    try:
        yield
    finally:
        clock.use(before)

"""What hurts a platform leaves nothing behind when it is told to stop."""

import asyncio
import threading

import pytest

from tests.chaos.world import to_its_end


async def test_what_a_cancelled_fault_began_is_over_before_healing_begins() -> None:
    began, may_end, over = threading.Event(), threading.Event(), threading.Event()

    def hurt() -> None:
        began.set()
        may_end.wait(30)
        over.set()

    fault = asyncio.create_task(to_its_end(hurt))
    await asyncio.to_thread(began.wait)
    fault.cancel()
    for _ in range(5):
        await asyncio.sleep(0)  # until it has heard
    assert not fault.done()

    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await fault
    assert over.is_set()

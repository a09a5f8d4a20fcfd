"""Threads for what may take minutes, such as sending a large file to a bucket."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_THREADS: Final = ThreadPoolExecutor(8, thread_name_prefix="store")


async def aside(call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of a blocking question to a store; the threads of other work stay free.

    What has begun goes on when the caller is cancelled.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, partial(call, *args, **kwargs))

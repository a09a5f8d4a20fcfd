"""Reads an event stream and goes on where it was when the connection breaks."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx

from services.cli.api import JSON, Api, Params
from services.cli.failure import CommandFailed

LONGEST_LINE_BYTES = 8_000_000
GIVE_UP_SECONDS = 120.0  # without contact; the execution goes on without the reader
_LONGEST_PAUSE_SECONDS = 5.0

Connect = Callable[[str], AbstractContextManager[httpx.Response]]


@dataclass(frozen=True)
class ServerEvent:
    """One event: its name, its JSON data, and the id to resume after it."""

    name: str
    data: Mapping[str, JSON]
    event_id: str


def follow(
    api: Api, path: str, params: Params | None = None, *, last_event_id: str = ""
) -> Iterator[ServerEvent]:
    """Every event until `end`, exactly once, across restarts of the platform."""

    def connect(after: str) -> AbstractContextManager[httpx.Response]:
        return api.stream(path, last_event_id=after, params=params or {})

    return resume(connect, last_event_id=last_event_id)


def resume(connect: Connect, *, last_event_id: str = "") -> Iterator[ServerEvent]:
    """`follow` over any way to open the stream."""
    contact, pause = time.monotonic(), 0.2
    while True:
        try:
            with connect(last_event_id) as answer:
                for event in parse(answer.iter_raw()):
                    contact, pause = time.monotonic(), 0.2
                    last_event_id = event.event_id or last_event_id
                    yield event
                    if event.name == "end":
                        return
        except httpx.HTTPError:
            pass
        except CommandFailed as failure:
            if failure.status not in (401, 429, 502, 503, 504):
                raise
        if time.monotonic() - contact > GIVE_UP_SECONDS:
            raise CommandFailed("The connection is lost; the execution goes on without it.")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def parse(pieces: Iterator[bytes]) -> Iterator[ServerEvent]:
    """Events out of bytes. Only line feeds end a line: text may hold other separators."""
    name, event_id, data = "message", "", list[str]()
    for line in _lines(pieces):
        if line == "":
            if data:
                yield ServerEvent(name, _mapping("\n".join(data)), event_id)
            name, event_id, data = "message", "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data.append(value)


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
        if len(rest) > LONGEST_LINE_BYTES:
            raise CommandFailed("The server sent an event that is too large.")


def _mapping(text: str) -> Mapping[str, JSON]:
    try:
        content = json.loads(text)
    except ValueError:
        raise CommandFailed("The server sent an event that is not JSON.") from None
    return content if isinstance(content, dict) else {}

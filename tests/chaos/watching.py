"""Reads an execution's output as a person does: live with resumption, and afterwards in pages."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from tests.chaos.history import RECORDS, Client

StreamKey = tuple[str, int, str]
"""Task, attempt, stream."""
RETRY_SECONDS = 0.3


@dataclass
class Collected:
    """Streams put together; `faults` are holes and repetitions that nobody announced."""

    streams: dict[StreamKey, bytes] = field(default_factory=lambda: defaultdict(bytes))
    gaps: dict[StreamKey, int] = field(default_factory=lambda: defaultdict(int))
    given_up: set[str] = field(default_factory=set)
    """Tasks of which the platform says that output never arrived."""
    lossy: set[StreamKey] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    resumed: int = 0
    is_ended: bool = False
    _sizes: dict[StreamKey, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, chunk: dict[str, object]) -> None:
        """One piece or one gap."""
        key = (str(chunk["task_id"]), int(str(chunk["attempt"])), str(chunk["stream"]))
        offset, missing = int(str(chunk["offset"])), int(str(chunk.get("gap_bytes") or 0))
        if missing or chunk.get("reason"):
            self.gaps[key] += missing
            if chunk.get("reason") == "never_arrived":
                self.given_up.add(key[0])
            self._sizes[key] = max(self._sizes[key], offset + missing)
            return
        text = str(chunk["text"]).encode()
        if chunk.get("lossy"):
            self.lossy.add(key)
        elif key not in self.lossy and offset != self._sizes[key]:
            self.faults.append(f"{key}: at {self._sizes[key]} comes {offset}")
        self.streams[key] += text
        self._sizes[key] = offset + len(text)


async def stored(client: Client, execution_id: str) -> Collected:
    """Everything that is kept of an execution's output."""
    found, position = Collected(), 0
    while True:
        answer = await client.ask(
            "GET", f"{RECORDS}/{execution_id}/logs/", params={"position": position}
        )
        assert answer.status_code == 200, answer.text
        content = answer.json()["content"]
        for chunk in content["chunks"]:
            found.take(chunk)
        if not content["chunks"] or content["next_position"] == position:
            return found
        position = content["next_position"]


async def live(client: Client, execution_id: str, into: Collected | None = None) -> Collected:
    """Follow the log stream to its end, coming back with the last id whenever it breaks."""
    found, last_id = into if into is not None else Collected(), ""
    while not found.is_ended:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last_id}
        try:
            path = f"/api/realtime/sse/logs/{execution_id}/"
            async with client.http.stream(
                "GET", path, headers={k: v for k, v in headers.items() if v}, timeout=20
            ) as answer:
                if answer.status_code == 401:
                    await client.log_in()
                if answer.status_code == 200:
                    async for event_id, name, data in _events(answer):
                        last_id = event_id or last_id
                        if name == "log":
                            found.take(data)
                        elif name == "gap":
                            found.take({**data, "gap_bytes": data["length"]})
                        elif name == "end":
                            found.is_ended = True
                            return found
        except httpx.HTTPError:
            found.resumed += 1
        await asyncio.sleep(RETRY_SECONDS)
    return found


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, str, dict[str, object]]]:
    event_id = name = ""
    async for line in answer.aiter_lines():
        field_name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field_name == "id":
            event_id = value
        elif field_name == "event":
            name = value
        elif field_name == "data":
            yield event_id, name, json.loads(value)

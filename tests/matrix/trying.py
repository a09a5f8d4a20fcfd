"""Turns an example request into a real one for one caller."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from libs.kit import clock
from tests.matrix.asking import Answer
from tests.matrix.examples import Entry
from tests.matrix.platform import PASSWORD, Headers
from tests.matrix.routes import Row
from tests.matrix.world import World

_PARAMETER = re.compile(r"\{(\w+)\}")
MISSING = {
    "approval": "01900000-0000-7000-8000-000000000000",
    "session": "01900000-0000-7000-8000-000000000000",
    "agent": f"ag{'0' * 32}",
    "execution": "01900000-0000-7000-8000-000000000000",
    "ended": "01900000-0000-7000-8000-000000000000",
    "file": "01900000-0000-7000-8000-000000000000",
    "upload": "01900000-0000-7000-8000-000000000000",
}
"""Ids that nothing has, in the form that the kind of thing wants; others are numbers."""
_NO_NUMBER = "2000000001"


@dataclass(frozen=True)
class Try:
    """A request, ready to be sent."""

    method: str
    path: str
    query: str
    body: object

    async def send(self, world: World, headers: Headers) -> Answer:
        """What the platform answers."""
        sent = dict(headers)
        if isinstance(self.body, bytes):
            sent["content-type"] = "application/octet-stream"
        return await world.platform.ask(
            self.method, self.path, headers=sent, query=self.query, body=self.body
        )


async def prepared(world: World, row: Row, entry: Entry, *, fresh: bool = False) -> Try:
    """The example request; with `fresh` on objects that were made for it alone."""
    ids = dict(world.ids)
    if fresh:
        for thing in dict.fromkeys(entry.things.values()):
            if thing not in ("step", "task", "user of admin") and not thing.startswith("="):
                ids[thing] = await world.make(thing)
        if "execution" in entry.things.values():
            ids |= await world.parts_of(ids["execution"])
    return made(world, row, entry, ids)


def missing(world: World, row: Row, entry: Entry) -> Try:
    """The same request for an object that does not exist."""
    first = next(iter(entry.things.values()))
    gone = {**world.ids, first: MISSING.get(first, _NO_NUMBER)}
    return made(world, row, entry, gone)


def made(world: World, row: Row, entry: Entry, ids: Mapping[str, str]) -> Try:
    """The request with these objects in it."""

    def of_path(found: re.Match[str]) -> str:
        thing = entry.things.get(found[1], "")
        return thing[1:] if thing.startswith("=") else ids.get(thing, "1")

    path = _PARAMETER.sub(of_path, row.path) + "/"
    query = _PARAMETER.sub(lambda found: ids[found[1]], entry.query)
    return Try(row.method, path, query, _filled(entry.body, world, ids))


def _filled(value: object, world: World, ids: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_filled(one, world, ids) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, world, ids) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    if value == "@password":
        return PASSWORD
    if value == "@next month":
        return (clock.now() + timedelta(days=30)).isoformat()
    if value.startswith("#"):
        return world.name(value[1:])
    if value.startswith("@"):
        found = ids[value[1:]]
        return int(found) if found.isdecimal() else found
    return value

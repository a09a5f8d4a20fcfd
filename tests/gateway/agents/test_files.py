"""The files part of the agents' port: who may fetch and bring what, by raw requests."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.agents.bringing import Bringing
from gateway.agents.files import FileDesk
from libs.contracts.hosts import AgentState
from libs.kit.artifacts import DiskStore, Drafts, FileTickets
from libs.kit.redis import Redis
from tests.gateway.agents.fake_hosts import FakeHosts
from tests.gateway.agents.raw import RawConnection
from tests.gateway.agents.rig import rig
from tests.support.agents import Identity
from tests.support.file_port import SECRET, FakeLibrarian, FilePort, file_port
from tests.support.waiting import eventually

CONTENT = os.urandom(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
COLLECTED = "/api/agents/files/collected"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[FilePort]:
    async with file_port(tmp_path) as made:
        yield made


async def ask(port: int, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """One request with bare bytes; status, headers and body of the answer."""
    wire = RawConnection(port)
    await wire.open()
    wire.write(f"{head}\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    answer = await wire.everything()
    await wire.close()
    top, _, content = answer.partition(b"\r\n\r\n")
    lines = top.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, content


def fetch(ticket: str, sha256: str = SHA, *more: str) -> str:
    return "\r\n".join(
        [f"GET /api/agents/files/{sha256} HTTP/1.1", f"authorization: Ticket {ticket}", *more]
    )


async def test_content_is_sent_whole_and_in_part(port: FilePort) -> None:
    port.keep(CONTENT)
    ticket = port.ticket(sha256=SHA)

    whole = await ask(port.port, fetch(ticket))
    part = await ask(port.port, fetch(ticket, SHA, "range: bytes=100000-"))
    middle = await ask(port.port, fetch(ticket, SHA, "range: bytes=10-19"))

    assert (whole[0], whole[2]) == (200, CONTENT)
    assert (part[0], part[2]) == (206, CONTENT[100_000:])
    assert part[1]["content-range"] == f"bytes 100000-299999/{len(CONTENT)}"
    assert (middle[0], middle[2]) == (206, CONTENT[10:20])


async def test_a_range_beyond_the_end_is_refused(port: FilePort) -> None:
    port.keep(CONTENT)

    status, _, body = await ask(
        port.port, fetch(port.ticket(sha256=SHA), SHA, f"range: bytes={len(CONTENT)}-")
    )

    assert status == 416
    assert json.loads(body)["content"]["error"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sha256": "0" * 64}, 403),
        ({"purpose": "bring", "sha256": SHA}, 403),
        ({"sha256": SHA, "expires_at": 1}, 401),
    ],
)
async def test_a_ticket_opens_its_own_content_only(
    port: FilePort, changes: dict[str, Any], status: int
) -> None:
    """S19: by content hash in the ticket, and nothing else."""
    port.keep(CONTENT)

    answer = await ask(port.port, fetch(port.ticket(**changes)))

    assert answer[0] == status
    assert CONTENT[:100] not in answer[2]


async def test_without_a_ticket_in_the_header_nothing_opens(port: FilePort) -> None:
    port.keep(CONTENT)
    ticket = port.ticket(sha256=SHA)

    bare = await ask(port.port, f"GET /api/agents/files/{SHA} HTTP/1.1")
    query = await ask(port.port, f"GET /api/agents/files/{SHA}?ticket={ticket} HTTP/1.1")
    other = await ask(
        port.port, f"GET /api/agents/files/{SHA} HTTP/1.1\r\nauthorization: Bearer {ticket}"
    )

    assert [bare[0], query[0], other[0]] == [401, 401, 401]


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/x", "A" * 64, "", "a/b", "x" * 64])
async def test_only_checksums_are_addresses(port: FilePort, path: str) -> None:
    """B103: nothing in a path reaches the disk."""
    ticket = port.ticket(sha256=path)

    status, _, _ = await ask(
        port.port, f"GET /api/agents/files/{path} HTTP/1.1\r\nauthorization: Ticket {ticket}"
    )

    assert status == 404


def piece(ticket: str, begin: int, end: int) -> str:
    return (
        f"PUT {COLLECTED} HTTP/1.1\r\nauthorization: Ticket {ticket}\r\n"
        f"content-range: bytes {begin}-{end - 1}/*"
    )


async def finish(port: FilePort, ticket: str, sha256: str = SHA, size: int = len(CONTENT)) -> int:
    body = json.dumps({"sha256": sha256, "size": size, "files": 1}).encode()
    head = f"POST {COLLECTED} HTTP/1.1\r\nauthorization: Ticket {ticket}"
    status, _, _ = await ask(port.port, head, body)
    return status


async def test_pieces_must_follow_each_other(port: FilePort) -> None:
    """B105: wrong offset, overlap, beyond the end; the refusal says where to go on."""
    ticket = port.ticket("bring")
    assert (await ask(port.port, piece(ticket, 0, 1000), CONTENT[:1000]))[0] == 200

    for begin in (0, 999, 1001):
        status, _, body = await ask(port.port, piece(ticket, begin, begin + 10), b"x" * 10)
        assert status == 409
        assert json.loads(body)["content"]["details"] == {"offset": 1000}
    assert (await ask(port.port, piece(ticket, 1000, len(CONTENT)), CONTENT[1000:]))[0] == 200
    assert await finish(port, ticket) == 201
    assert port.store.size_of(SHA) == len(CONTENT)


async def test_a_wrong_checksum_is_refused_and_nothing_kept(port: FilePort) -> None:
    ticket = port.ticket("bring")
    await ask(port.port, piece(ticket, 0, len(CONTENT)), CONTENT)

    assert await finish(port, ticket, sha256="0" * 64) == 422
    assert port.store.size_of(SHA) is None
    assert port.librarian.entered == []
    assert port.drafts.offset_of("collected.task-1.1") == 0


async def test_the_end_may_be_told_twice(port: FilePort) -> None:
    ticket = port.ticket("bring")
    await ask(port.port, piece(ticket, 0, len(CONTENT)), CONTENT)

    assert [await finish(port, ticket), await finish(port, ticket)] == [201, 201]
    assert len(port.librarian.entered) == 1


async def test_content_of_others_cannot_be_claimed(port: FilePort) -> None:
    """An agent that knows a checksum has not brought the content."""
    port.keep(CONTENT)

    assert await finish(port, port.ticket("bring", task_id="task-2")) == 404
    assert port.librarian.entered == []


async def test_a_piece_beyond_the_ticket_is_refused_before_it_is_read(port: FilePort) -> None:
    ticket = port.ticket("bring", max_bytes=100)

    status, _, _ = await ask(port.port, piece(ticket, 0, len(CONTENT)), CONTENT)

    assert status == 413


async def test_many_slow_readers_do_not_keep_a_quick_one_waiting(port: FilePort) -> None:
    """Threads of the ferry give everybody a turn; a reader that stands still costs none."""
    large = os.urandom(8_000_000)
    sha256 = port.keep(large)
    ticket = port.ticket(sha256=sha256)
    slow = [RawConnection(port.port) for _ in range(20)]
    for wire in slow:
        await wire.open()
        wire.write(f"{fetch(ticket, sha256)}\r\nhost: x\r\n\r\n".encode())
        await wire.some()

    async with asyncio.timeout(10):
        _, _, body = await ask(port.port, fetch(ticket, sha256))

    assert body == large
    for wire in slow:
        await wire.close()
    await eventually(lambda: port.desk.open == 0)


async def test_an_agent_that_was_disabled_gets_nothing(
    redis: Redis, hosts: FakeHosts, tmp_path: Path
) -> None:
    store, drafts = DiskStore(tmp_path / "blobs"), Drafts(tmp_path / "drafts")
    desk = FileDesk(store, Bringing(store, drafts, FakeLibrarian()), FileTickets(SECRET))
    async with file_port(tmp_path / "other") as helper, rig(redis, hosts, files=desk) as gate:
        agent = hosts.know(Identity.fresh())
        with drafts.append_at("one", 0) as draft:
            draft.write(CONTENT)
        store.keep(drafts.path("one"), SHA)
        ticket = helper.ticket(sha256=SHA, agent_id=agent.agent_id)

        before = await ask(gate.port, fetch(ticket))
        hosts.know(agent, AgentState.DISABLED)
        after = await ask(gate.port, fetch(ticket))
        stranger = await ask(gate.port, fetch(helper.ticket(sha256=SHA, agent_id="agent-9")))
        hosts.is_up = False
        unknown = await ask(gate.port, fetch(ticket))

    assert (before[0], before[2]) == (200, CONTENT)
    assert [after[0], stranger[0], unknown[0]] == [403, 403, 503]

"""Nothing starts or ends without an order of the platform, made for this agent, now, once."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.protocol import messages as m
from libs.protocol.codec import encode
from libs.protocol.signed import Trust
from tests.agent.authority import Authority, payload_of
from tests.agent.conftest import AgentProcess
from tests.agent.gateway import AGENT_ID, order
from tests.support.waiting import eventually

NOW = 1_800_000_000.0


def offer(tmp_path: Path, task_id: str = "t1", **changes: Any) -> m.Offer:
    """An order that would leave a file behind."""
    return m.Offer(order(task_id, f"touch {tmp_path}/{task_id}", **changes))


def names(folder: Path) -> list[str]:
    """The files that scripts left."""
    return [path.name for path in folder.iterdir()]


def root_of(bundle: str) -> object:
    """The root key that a bundle names."""
    return json.loads(bundle)["root"]


def trust_file(agent: AgentProcess, content: str | None) -> Path:
    """The agent's trust file, with another content or none."""
    path = Path(agent.state.trust)
    path.unlink()
    if content is not None:
        path.write_text(content)
    return path


async def refused(agent: AgentProcess, reason: str) -> None:
    """Wait until the agent tells why it refused something."""
    await eventually(lambda: reason in agent.gateway.refusals, timeout=20)


async def still_works(agent: AgentProcess, tmp_path: Path) -> None:
    """A good order after the bad ones runs, and they have started nothing."""
    await agent.run("good", f"touch {tmp_path}/good")
    assert names(tmp_path) == ["good"]


# ---- what a gateway or Redis could try --------------------------------------------------------


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """Where scripts leave files."""
    folder = tmp_path / "ground"
    folder.mkdir()
    return folder


async def test_s6_an_unsigned_order_starts_nothing(agent: AgentProcess, ground: Path) -> None:
    await agent.gateway.send_raw(encode(offer(ground)))

    await refused(agent, "unsigned_order")
    assert agent.gateway.of_type(m.Claim) == []
    await still_works(agent, ground)


async def test_s6_a_grant_without_a_signature_starts_nothing(
    agent: AgentProcess, ground: Path
) -> None:
    agent.gateway.grants = False
    await agent.gateway.send(offer(ground))
    await eventually(lambda: agent.gateway.of_type(m.Claim))
    await agent.gateway.send_raw(encode(agent.gateway.grant("t1", 1)))

    await refused(agent, "unsigned_order")
    agent.gateway.grants = True
    await agent.run("good", "true")
    assert not (ground / "t1").exists()


async def test_an_unsigned_cancel_ends_nothing(agent: AgentProcess, ground: Path) -> None:
    go_on = ground / "go"
    await agent.offer("t1", f"while [ ! -e {go_on} ]; do sleep 0.01; done; echo done")
    await eventually(lambda: agent.gateway.of_type(m.Started))
    await agent.gateway.send_raw(encode(m.Cancel("t1", 1, "evil", 0)))

    await refused(agent, "unsigned_order")
    go_on.touch()
    assert (await agent.result_of("t1"))["outcome"] == "exited"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agent_id": "agent-2"}, "order_invalid"),
        ({"expires": "2020-01-01T00:00:00Z"}, "order_expired"),
        ({"not_before": "2098-01-01T00:00:00Z"}, "order_not_yet_valid"),
        ({"purpose": "config"}, "order_invalid"),
        ({"purpose": "task.grant"}, "order_invalid"),
        ({"unknown": 1}, "order_invalid"),
        ({"task_id": "t2"}, "order_invalid"),
        ({"attempt": 2}, "order_invalid"),
    ],
)
async def test_s6_a_signed_order_that_does_not_fit_starts_nothing(
    agent: AgentProcess, ground: Path, changes: dict[str, object], reason: str
) -> None:
    frame = agent.gateway.authority.frame(offer(ground), AGENT_ID, **changes)
    await agent.gateway.send_raw(frame)

    await refused(agent, reason)
    await still_works(agent, ground)


async def test_s6_an_order_for_another_agent_starts_nothing(
    agent: AgentProcess, ground: Path
) -> None:
    other = m.Offer(replace(offer(ground).order, agent_id="agent-2"))
    await agent.gateway.send_raw(agent.gateway.authority.frame(other, "agent-2"))

    await refused(agent, "order_for_other_agent")
    await still_works(agent, ground)


@pytest.mark.parametrize("purpose", ["task.grant", "task.cancel", "config", "control"])
async def test_s6_a_signature_for_one_purpose_serves_no_other(
    agent: AgentProcess, ground: Path, purpose: str
) -> None:
    _, payload = payload_of(offer(ground), AGENT_ID)
    signed = agent.gateway.authority.signed(purpose, json.dumps(payload), label="task.run")
    await agent.gateway.send_raw(signed)

    await refused(agent, "bad_signature")
    await still_works(agent, ground)


async def test_a_purpose_that_nobody_knows_is_refused(agent: AgentProcess, ground: Path) -> None:
    _, payload = payload_of(offer(ground), AGENT_ID)
    frame = agent.gateway.authority.signed("config", json.dumps(payload))
    await agent.gateway.send_raw(frame)

    await refused(agent, "purpose_unknown")
    await still_works(agent, ground)


async def test_b97_a_key_that_nobody_certified_starts_nothing(
    agent: AgentProcess, ground: Path
) -> None:
    await agent.gateway.send_raw(Authority().frame(offer(ground), AGENT_ID))

    await refused(agent, "key_unknown")
    await still_works(agent, ground)


async def test_b97_a_bundle_of_another_root_is_not_believed(
    agent: AgentProcess, ground: Path
) -> None:
    evil = Authority()
    await agent.gateway.send(Trust(evil.bundle(number=99)))
    await agent.gateway.send_raw(evil.frame(offer(ground), AGENT_ID))

    await refused(agent, "root_changed")
    await refused(agent, "key_unknown")
    await still_works(agent, ground)


async def test_a_revoked_key_counts_for_nothing_and_no_older_list_brings_it_back(
    agent: AgentProcess, ground: Path
) -> None:
    old = agent.gateway.authority
    new = Authority(root=old.root)
    both = json.loads(new.bundle(number=2, kids=[old.kid]))
    both["certificates"] += json.loads(old.bundle())["certificates"]
    await agent.gateway.send(Trust(json.dumps(both)))
    await agent.gateway.send_raw(old.frame(offer(ground), AGENT_ID))
    await refused(agent, "key_revoked")

    await agent.gateway.send(Trust(old.bundle(number=1)))
    await refused(agent, "bundle_outdated")
    await agent.kill()
    agent.gateway.bundle = old.bundle(number=1)
    await agent.start()
    agent.gateway.received.clear()
    await agent.gateway.send_raw(old.frame(offer(ground), AGENT_ID))

    await refused(agent, "key_revoked")
    agent.gateway.authority = new
    await still_works(agent, ground)


async def test_an_agent_of_before_believes_the_first_root_that_its_session_brings(
    idle_agent: AgentProcess, ground: Path
) -> None:
    trust = trust_file(idle_agent, None)
    await idle_agent.start()

    await idle_agent.run("t1", "true")

    believed = await asyncio.to_thread(trust.read_text)
    assert root_of(believed) == root_of(idle_agent.gateway.bundle)
    await idle_agent.gateway.send(Trust(Authority().bundle(number=9)))
    await refused(idle_agent, "root_changed")


async def test_a_damaged_trust_file_is_not_replaced_by_whoever_comes_first(
    idle_agent: AgentProcess, ground: Path
) -> None:
    trust_file(idle_agent, "{")
    await idle_agent.start()

    await idle_agent.gateway.send(offer(ground))

    await refused(idle_agent, "trust_damaged")
    assert names(ground) == []


async def test_a_replayed_cancel_does_nothing_also_after_a_restart(
    agent: AgentProcess, ground: Path
) -> None:
    cancel = m.Cancel("none", 1, "cancelled", 0)
    frame = agent.gateway.authority.frame(cancel, AGENT_ID, counter=1_000_000)
    await agent.gateway.send_raw(frame)
    await eventually(lambda: agent.gateway.of_type(m.Reject))
    await agent.gateway.send_raw(frame)
    await refused(agent, "counter_replayed")

    await agent.kill()
    agent.gateway.received.clear()
    await agent.start()
    await agent.gateway.send_raw(frame)
    await refused(agent, "counter_replayed")
    lower = agent.gateway.authority.frame(cancel, AGENT_ID, counter=999_999)
    await agent.gateway.send_raw(lower)
    await eventually(lambda: sum(agent.gateway.counts("counter_replayed")) >= 2, timeout=20)


async def test_a_replayed_order_and_grant_start_nothing_twice(
    agent: AgentProcess, ground: Path
) -> None:
    frame = agent.gateway.authority.frame(m.Offer(order("t1", f"echo >> {ground}/ran")), AGENT_ID)
    await agent.gateway.send_raw(frame)
    await eventually(lambda: agent.gateway.is_done("t1"))
    grant = agent.gateway.authority.frame(agent.gateway.grant("t1", 1), AGENT_ID)
    for replay in (frame, grant, frame, grant):
        await agent.gateway.send_raw(replay)

    await agent.run("good", "true")
    assert (ground / "ran").read_text() == "\n"


async def test_what_was_refused_while_nobody_listened_is_told_later(
    agent: AgentProcess, ground: Path
) -> None:
    for _ in range(50):
        await agent.gateway.send_raw(encode(offer(ground)))
    await agent.gateway.drop()
    await agent.sessions(2)

    await eventually(lambda: sum(agent.gateway.counts("unsigned_order")) >= 1, timeout=20)
    await still_works(agent, ground)

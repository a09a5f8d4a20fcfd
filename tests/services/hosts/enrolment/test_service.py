"""Enrolment: a token works once, every refusal is the same, a proof is needed (S1, S2, S59)."""

import asyncio
import base64
import json
import ssl
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func, select

from libs.contracts.hosts import EnrolAnswer, EnrolRequest
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from libs.kit.errors import Invalid
from services.hosts.agents.service import Agents
from services.hosts.domain import token_hash
from services.hosts.enrolment.domain import Gateway
from services.hosts.enrolment.schemas import TokenQuery, TokenState
from services.hosts.enrolment.service import Enrolment, state_of
from services.hosts.errors import (
    EnrolmentRefused,
    EnrolmentTokenNotFound,
    EnrolmentTokenSpent,
    GatewayCertificateUnreadable,
    HostNotFound,
)
from services.hosts.models import Agent, EnrolmentToken, Host
from services.hosts.repository import Totals
from services.hosts.schemas import HostQuery
from services.hosts.service import Hosts
from tests.agent.authority import Authority as Signers
from tests.services.hosts.conftest import enrol, facts, make_host
from tests.support.certificates import Authority
from tests.support.doors import ADMIN
from tests.support.identities import enrol_request


async def token_for(enrolment: Enrolment, host_id: int | None = None, seconds: int = 600) -> str:
    return (await enrolment.issue(host_id, ttl_seconds=seconds, by=ADMIN)).token


async def test_secrets_can_be_sealed_to_an_agent_that_sent_a_key(
    enrolment: Enrolment, hosts: Hosts
) -> None:
    key = base64.b64encode(X25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    with_key, without = await make_host(hosts, 1), await make_host(hosts, 2)
    for host, sealing_key in ((with_key, key), (without, None)):
        token = await token_for(enrolment, host.id)
        asked = enrol_request(token, Ed25519PrivateKey.generate(), sealing_key=sealing_key)
        await enrolment.enrol(asked)

    targets = await hosts.targets([with_key.id, without.id], ADMIN)

    assert [target.sealing_key for target in targets] == [key, None]


def request(token: str, hostname: str = "web") -> EnrolRequest:
    return enrol_request(token, Ed25519PrivateKey.generate(), hostname=hostname)


async def agents_in(db: Database) -> int:
    return await db.read(lambda tx: tx.scalar(select(func.count()).select_from(Agent)) or 0)


async def test_a_token_of_a_host_gives_it_an_identity(
    enrolment: Enrolment, hosts: Hosts, agents: Agents, db: Database
) -> None:
    host = await make_host(hosts)
    asked = request(await token_for(enrolment, host.id))

    answer = await enrolment.enrol(asked)

    identity = await agents.identity(answer.agent_id)
    shown = await hosts.one(host.id, ADMIN)
    assert (answer.host_id, answer.host_name, answer.identity_epoch) == (host.id, "host-1", 1)
    assert len(answer.agent_id) == 32
    assert identity is not None
    assert (identity.public_key, identity.status) == (asked.public_key, "active")
    assert (shown.agent_id, shown.agent_status, shown.os_type) == (
        answer.agent_id, "offline", "linux",
    )  # fmt: skip
    assert shown.ip_address == "10.0.0.1"
    assert await facts(db) == ["host_registered", "agent_enrolled"]


async def test_a_free_token_makes_a_host_named_after_the_machine(
    enrolment: Enrolment, hosts: Hosts
) -> None:
    answers = [await enrol(enrolment, hostname="Web") for _ in range(3)]

    assert [answer.host_name for answer in answers] == ["Web", "Web-2", "Web-3"]
    page = await hosts.page(HostQuery(), ADMIN)
    assert {row.ip_address for row in page.rows} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("", "host"),
        ("..", "host"),
        ("-rf", "rf"),
        ("a b\u202ec", "a-b-c"),
        ("x" * 200, "x" * 100),
        ("<script>", "script"),
        ("\u0434\u043e\u043c", "\u0434\u043e\u043c"),
    ],
)
async def test_a_machine_cannot_choose_a_bad_name(
    enrolment: Enrolment, hostname: str, name: str
) -> None:
    assert (await enrol(enrolment, hostname=hostname)).host_name == name


async def test_of_fifty_enrolments_with_one_token_exactly_one_succeeds(
    enrolment: Enrolment, db: Database
) -> None:
    token = await token_for(enrolment)

    answers = await asyncio.gather(
        *(enrolment.enrol(request(token)) for _ in range(50)), return_exceptions=True
    )

    assert sum(isinstance(answer, EnrolAnswer) for answer in answers) == 1
    assert sum(isinstance(answer, EnrolmentRefused) for answer in answers) == 49
    assert await agents_in(db) == 1
    assert await db.read(lambda tx: tx.scalar(select(func.count()).select_from(Host))) == 1


async def test_every_bad_token_gets_the_same_answer(
    enrolment: Enrolment, hosts: Hosts, db: Database, time: StandingClock
) -> None:
    """B042."""
    host = await make_host(hosts)
    used = await token_for(enrolment)
    await enrolment.enrol(request(used))
    expired = await token_for(enrolment, seconds=60)
    time.advance(timedelta(seconds=61))
    revoked = await enrolment.issue(None, ttl_seconds=600, by=ADMIN)
    await enrolment.revoke(revoked.id)
    of_gone_host = await token_for(enrolment, host.id)
    await hosts.retire(host.id, ADMIN)
    good = await token_for(enrolment)
    before = await agents_in(db)

    bad = [used, expired, revoked.token, of_gone_host, good[:-1], good.swapcase(), "x" * 256]
    answers = set()
    for token in bad:
        with pytest.raises(EnrolmentRefused) as caught:
            await enrolment.enrol(request(token))
        answers.add((caught.value.code, caught.value.message, str(caught.value.details)))
    wrong_key = request(good).model_copy(update={"public_key": request(good).public_key})
    with pytest.raises(EnrolmentRefused) as caught:
        await enrolment.enrol(wrong_key)
    answers.add((caught.value.code, caught.value.message, str(caught.value.details)))

    assert len(answers) == 1
    assert await agents_in(db) == before
    await enrolment.enrol(request(good))


async def test_a_bad_proof_does_not_spend_the_token(enrolment: Enrolment) -> None:
    token = await token_for(enrolment)
    with pytest.raises(EnrolmentRefused):
        await enrolment.enrol(request(token).model_copy(update={"machine_id": "other"}))

    await enrolment.enrol(request(token))


@pytest.mark.parametrize("address", ["", "0.0.0.0", "1.2.3.4:22", "fe80::1%eth0", "$(reboot)"])
async def test_an_address_that_is_none_is_a_mistake_of_the_sender(
    enrolment: Enrolment, address: str
) -> None:
    asked = request(await token_for(enrolment)).model_copy(update={"ip_address": address})

    with pytest.raises(Invalid):
        await enrolment.enrol(asked)


async def test_enrolling_again_gives_a_new_identity_and_ends_the_old_one(
    enrolment: Enrolment, hosts: Hosts, agents: Agents, db: Database
) -> None:
    host = await make_host(hosts)
    first = await enrol(enrolment, host.id)

    second = await enrol(enrolment, host.id)

    old = await agents.identity(first.agent_id)
    assert second.agent_id != first.agent_id
    assert old is not None
    assert (old.status, old.identity_epoch) == ("retired", 2)
    assert (await hosts.one(host.id, ADMIN)).agent_id == second.agent_id
    assert (await facts(db))[-2:] == ["agent_retired", "agent_enrolled"]


async def test_a_deleted_hosts_name_gives_no_way_back(enrolment: Enrolment, hosts: Hosts) -> None:
    """S2: the same machine name after a deletion is a new host with a new identity."""
    first = await enrol(enrolment, hostname="web")
    await hosts.retire(first.host_id, ADMIN)

    second = await enrol(enrolment, hostname="web")

    assert second.host_name == "web"
    assert (second.host_id, second.agent_id) != (first.host_id, first.agent_id)


# ---- tokens ------------------------------------------------------------------------------------


async def test_a_token_is_stored_as_a_hash_only(enrolment: Enrolment, db: Database) -> None:
    token = await token_for(enrolment)

    stored = await db.read(lambda tx: tx.scalars(select(EnrolmentToken)).one())

    assert len(token) >= 43
    assert stored.token_hash == token_hash(token)
    assert token not in str(vars(stored))


async def test_a_token_needs_a_host_that_exists(enrolment: Enrolment) -> None:
    with pytest.raises(HostNotFound):
        await token_for(enrolment, 4711)


async def test_tokens_are_listed_by_what_became_of_them(
    enrolment: Enrolment, hosts: Hosts, time: StandingClock
) -> None:
    host = await make_host(hosts)
    await token_for(enrolment, seconds=60)
    time.advance(timedelta(seconds=61))
    await enrolment.enrol(request(await token_for(enrolment)))
    revoked = await enrolment.issue(host.id, ttl_seconds=600, by=Principal(9, "eve"))
    await enrolment.revoke(revoked.id)
    await token_for(enrolment)

    total, tokens = await enrolment.page(TokenQuery())
    by_state = {state: await enrolment.page(TokenQuery(state=state)) for state in TokenState}
    _, of_host = await enrolment.page(TokenQuery(host_id=host.id))

    assert total == 4
    states = [state_of(token, time.now()) for token in tokens]
    assert states == ["open", "revoked", "used", "expired"]
    for state, (count, found) in by_state.items():
        assert (count, [state_of(token, time.now()) for token in found]) == (1, [state])
    assert [(token.id, token.created_by) for token in of_host] == [(revoked.id, "eve")]


async def test_a_token_is_revoked_once(enrolment: Enrolment) -> None:
    issued = await enrolment.issue(None, ttl_seconds=600, by=ADMIN)
    await enrolment.revoke(issued.id)

    with pytest.raises(EnrolmentTokenSpent):
        await enrolment.revoke(issued.id)
    with pytest.raises(EnrolmentTokenNotFound):
        await enrolment.revoke(4711)


async def test_old_tokens_are_forgotten(enrolment: Enrolment, time: StandingClock) -> None:
    await token_for(enrolment)
    time.advance(timedelta(days=31))
    await token_for(enrolment)

    total, _ = await enrolment.page(TokenQuery())

    assert total == 1


async def test_s64_a_token_comes_with_what_its_line_pins(
    db: Database, totals: Totals, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    shown = authority.file("gateway.test")
    enrolment = Enrolment(
        db, totals=totals, gateway=Gateway("https://gateway.test:8001", authority.ca_file)
    )
    bare = await enrolment.issue(None, ttl_seconds=60, by=ADMIN)
    keys = Signers()
    await enrolment.publish_trust(keys.bundle())

    pinned = await enrolment.issue(None, ttl_seconds=60, by=ADMIN)

    der = ssl.PEM_cert_to_DER_cert(authority.ca_file.read_text())
    assert bare.root_fingerprint is None
    assert pinned.gateway_url == "https://gateway.test:8001"
    assert pinned.gateway_fingerprint == f"sha256:{sha256(der).hexdigest()}"
    root = base64.b64decode(json.loads(keys.bundle())["root"])
    assert pinned.root_fingerprint == f"sha256:{sha256(root).hexdigest()}"

    authority.ca_file.write_bytes(shown.read_bytes())  # renewed: read anew for each line
    renewed = await enrolment.issue(None, ttl_seconds=60, by=ADMIN)
    assert renewed.gateway_fingerprint != pinned.gateway_fingerprint


@pytest.mark.parametrize(
    "content", [None, "", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"]
)
async def test_s64_without_the_certificate_that_settings_name_no_token_is_issued(
    db: Database, totals: Totals, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "gateway.pem"
    if content is not None:
        file.write_text(content)
    enrolment = Enrolment(db, totals=totals, gateway=Gateway(None, file))

    with pytest.raises(GatewayCertificateUnreadable):
        await enrolment.issue(None, ttl_seconds=60, by=ADMIN)

    assert (await enrolment.page(TokenQuery()))[0] == 0

"""Approvals: the consent of others to exactly one content, once each, in time."""

import asyncio
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest

from libs.contracts.approvals import ApprovalInfo, ApprovalRequest, ApprovalState
from libs.contracts.auth import AuthClient
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.errors import AppError, Conflict, Invalid, NotFound
from libs.kit.ids import new_id
from tests.support.doors import ADMIN, Door, error_of, person

APPROVALS = "/api/permissions/approvals"
HASH = "ab" * 32
PASSWORD = "correct horse battery"
CONTENT = '{"script":"echo \u00e9"}'
CONTENT_HASH = sha256(CONTENT.encode()).hexdigest()


@pytest.fixture
async def people(door: Door) -> list[Principal]:
    """Ann, who asks, and bob, cid, dee."""
    found = []
    for name in ("root", "ann", "bob", "cid", "dee"):
        body = {"username": name, "password": PASSWORD}
        made = await door.content("POST", "/api/auth/users", status=201, json=body)
        assert isinstance(made["id"], int)
        found.append(person(user_id=made["id"]))
    return found[1:]


def client(door: Door) -> AuthClient:
    return AuthClient(door.runtime.http, door.runtime.internal_tokens, "execution")


async def asked(door: Door, people: list[Principal], **more: object) -> ApprovalInfo:
    whole: dict[str, object] = {
        "subject_kind": "plan",
        "subject_id": "12",
        "subject_name": "Restart all",
        "subject_hash": HASH,
        "requester_id": people[0].id,
        "requester_name": "ann",
        "approver_ids": [one.id for one in people],
        "expires_in_seconds": 600,
    }
    return await client(door).request_approval(ApprovalRequest.model_validate(whole | more))


async def say(
    door: Door, approval: ApprovalInfo, by: Principal, *, approve: bool = True, **more: object
) -> httpx.Response:
    body = {"approve": approve, "subject_hash": HASH} | more
    return await door.request("POST", f"{APPROVALS}/{approval.id}/decide", by=by, json=body)


async def test_one_yes_is_enough_unless_a_quorum_says_more(
    door: Door, people: list[Principal]
) -> None:
    _, bob, cid, dee = people
    approval = await asked(door, people, quorum=2)
    assert not approval.allows("plan", "12", HASH)

    first = await say(door, approval, bob, comment="fine")
    assert first.json()["content"]["state"] == "open"
    second = await say(door, approval, cid)
    assert second.json()["content"]["state"] == "approved"
    late = await say(door, approval, dee)
    assert error_of(late, 409) == "approval_closed"

    stands = await client(door).approval(approval.id)
    assert [(vote.user_id, vote.comment) for vote in stands.votes] == [
        (bob.id, "fine"),
        (cid.id, ""),
    ]
    assert stands.allows("plan", "12", HASH)
    assert not stands.allows("plan", "12", "cd" * 32)
    assert not stands.allows("plan", "13", HASH)


async def test_one_no_closes_it(door: Door, people: list[Principal]) -> None:
    approval = await asked(door, people, quorum=2)
    await say(door, approval, people[1])

    refused = await say(door, approval, people[2], approve=False)

    assert refused.json()["content"]["state"] == "declined"
    assert not (await client(door).approval(approval.id)).allows("plan", "12", HASH)


async def test_the_requester_never_approves(door: Door, people: list[Principal]) -> None:
    ann = people[0]
    approval = await asked(door, people)

    assert error_of(await say(door, approval, ann), 403) == "approval_not_yours"
    with pytest.raises(Invalid) as caught:
        await asked(door, people, approver_ids=[ann.id])
    assert caught.value.code == "too_few_approvers"
    with pytest.raises(Invalid):
        await asked(door, people, quorum=4)


async def test_nobody_else_decides_or_even_sees_it(door: Door, people: list[Principal]) -> None:
    _, bob, cid, _ = people
    approval = await asked(door, people, approver_ids=[bob.id])

    assert error_of(await say(door, approval, cid), 404) == "approval_not_found"
    assert error_of(await say(door, approval, ADMIN), 403) == "approval_not_yours"
    hidden = await door.request("GET", f"{APPROVALS}/{approval.id}", by=cid)
    assert error_of(hidden, 404) == "approval_not_found"
    for who, count in ((people[0], 1), (bob, 1), (cid, 0), (ADMIN, 1)):
        assert (await door.content("GET", APPROVALS, by=who))["total"] == count


async def test_everybody_decides_once_also_at_the_same_moment(
    door: Door, people: list[Principal]
) -> None:
    bob = people[1]
    approval = await asked(door, people, quorum=2)

    answers = await asyncio.gather(*(say(door, approval, bob) for _ in range(20)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [409] * 19
    assert len((await client(door).approval(approval.id)).votes) == 1


async def test_a_yes_needs_a_fresh_proof_and_a_no_does_not(
    door: Door, people: list[Principal]
) -> None:
    approval = await asked(door, people)
    came_long_ago = person(user_id=people[1].id, proved_until=0)

    assert error_of(await say(door, approval, came_long_ago), 403) == "step_up_required"
    assert (await client(door).approval(approval.id)).votes == []
    refused = await say(door, approval, came_long_ago, approve=False)

    assert refused.json()["content"]["state"] == "declined"


async def test_time_over_is_over(door: Door, people: list[Principal], time: StandingClock) -> None:
    approval = await asked(door, people)
    time.advance(timedelta(seconds=600))

    assert (await client(door).approval(approval.id)).state is ApprovalState.EXPIRED
    late = await say(door, approval, people[1])
    assert error_of(late, 409) == "approval_closed"
    found = await door.content("GET", APPROVALS, params={"state": "expired"})
    assert found["total"] == 1


async def test_a_changed_content_needs_another_look(door: Door, people: list[Principal]) -> None:
    approval = await asked(door, people)

    answer = await say(door, approval, people[1], subject_hash="cd" * 32)

    assert error_of(answer, 409) == "content_changed"


async def test_groups_are_asked_as_a_whole(door: Door, people: list[Principal]) -> None:
    _, bob, cid, _ = people
    group = await door.content("POST", "/api/auth/groups", status=201, json={"name": "leads"})
    with pytest.raises(Invalid):
        await asked(door, people, approver_ids=[], approver_group_ids=[group["id"]])
    body = {"user_ids": [bob.id]}
    await door.content("POST", f"/api/auth/groups/{group['id']}/members", json=body)
    approval = await asked(door, people, approver_ids=[], approver_group_ids=[group["id"]])

    mine = {"mine_to_decide": "true"}
    assert (await door.content("GET", APPROVALS, by=bob, params=mine))["total"] == 1
    assert (await door.content("GET", APPROVALS, by=cid, params=mine))["total"] == 0
    done = await say(door, approval, bob)
    assert done.json()["content"]["state"] == "approved"
    assert (await door.content("GET", APPROVALS, by=bob, params=mine))["total"] == 0


async def test_only_the_requester_takes_it_back(door: Door, people: list[Principal]) -> None:
    ann, bob, *_ = people
    approval = await asked(door, people)

    with pytest.raises(AppError) as caught:
        await client(door).withdraw_approval(approval.id, bob.id)
    assert caught.value.code == "approval_not_yours"
    taken = await client(door).withdraw_approval(approval.id, ann.id)
    assert taken.state is ApprovalState.WITHDRAWN
    with pytest.raises(AppError):
        await client(door).withdraw_approval(approval.id, ann.id)
    with pytest.raises(NotFound):
        await client(door).approval("nothing")


async def test_asking_again_with_the_same_id_asks_once(door: Door, people: list[Principal]) -> None:
    _, bob, *_ = people
    wanted = {"id": new_id(), "content": CONTENT, "subject_hash": CONTENT_HASH}

    answers = [await asked(door, people, **wanted) for _ in range(3)]

    assert {answer.id for answer in answers} == {wanted["id"]}
    assert (await door.content("GET", APPROVALS))["total"] == 1
    with pytest.raises(Conflict) as caught:
        await asked(door, people, **wanted | {"subject_id": "13"})
    assert caught.value.code == "content_changed"
    await say(door, answers[0], bob, subject_hash=CONTENT_HASH)
    assert (await asked(door, people, **wanted)).state is ApprovalState.APPROVED


async def test_approvers_see_exactly_what_was_hashed(door: Door, people: list[Principal]) -> None:
    _, bob, cid, _ = people
    more = {"content": CONTENT, "approver_ids": [bob.id]}
    with pytest.raises(Conflict):
        await asked(door, people, **more)

    approval = await asked(door, people, **more, subject_hash=CONTENT_HASH)

    assert (await door.content("GET", f"{APPROVALS}/{approval.id}", by=bob))["content"] == CONTENT
    hidden = await door.request("GET", f"{APPROVALS}/{approval.id}", by=cid)
    assert error_of(hidden, 404) == "approval_not_found"
    assert "content" not in (await door.rows("GET", APPROVALS))[0]


async def test_approvers_are_the_active_ones_among_people_and_groups(
    door: Door, people: list[Principal]
) -> None:
    ann, bob, cid, dee = people
    group = await door.content("POST", "/api/auth/groups", status=201, json={"name": "leads"})
    body = {"user_ids": [bob.id, ann.id]}
    await door.content("POST", f"/api/auth/groups/{group['id']}/members", json=body)
    await door.content("POST", f"/api/auth/users/{dee.id}/disable")
    assert isinstance(group["id"], int)

    found = await client(door).approvers([cid.id, dee.id], [group["id"]], but=ann.id)

    assert [(one.user_id, one.username) for one in found] == [(bob.id, "bob"), (cid.id, "cid")]

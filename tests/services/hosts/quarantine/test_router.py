"""Quarantine by hand at the door of the service."""

from services.hosts.enrolment.service import Enrolment
from tests.services.hosts.conftest import enrol
from tests.support.doors import Door, error_of


async def test_an_agent_is_put_into_quarantine_and_released(door: Door) -> None:
    agent = await enrol(door.use_cases(Enrolment))
    path = f"/api/agents/{agent.agent_id}"

    put = await door.content("POST", f"{path}/quarantine", json={"reason": "a copy was seen"})
    assert (put["status"], put["quarantine_reason"]) == ("quarantined", "a copy was seen")
    (row,) = await door.rows("GET", "/api/agents", params={"status": "quarantined"})
    assert row["id"] == agent.agent_id
    assert await door.rows("GET", "/api/agents", params={"status": "disabled"}) == []
    (host,) = await door.rows("GET", "/api/hosts", params={"agent_status": "quarantined"})
    assert host["agent_status"] == "quarantined"
    assert await door.rows("GET", "/api/hosts", params={"agent_status": "disabled"}) == []

    released = await door.content("POST", f"{path}/release")
    assert (released["status"], released["quarantined_at"]) == ("offline", None)


async def test_a_reason_is_needed_and_the_agent_must_exist(door: Door) -> None:
    path = f"/api/agents/{'0' * 32}"

    error_of(await door.request("POST", f"{path}/quarantine", json={"reason": "x"}), 404)
    error_of(await door.request("POST", f"{path}/quarantine", json={"reason": ""}), 422)
    error_of(await door.request("POST", f"{path}/release"), 404)

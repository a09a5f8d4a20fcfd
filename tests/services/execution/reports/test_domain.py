"""Claims are judged once and for all, and only the agent's own key vouches for a result."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.execution import TaskStatus
from services.execution.domain import TERMINAL
from services.execution.reports.domain import (
    RESULT_PURPOSE,
    Claim,
    ReportRefused,
    Standing,
    Verdict,
    final_status,
    judge_claim,
    missing_from_journal,
    read_result,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()


def standing(status: TaskStatus = TaskStatus.OFFERED, **changes: object) -> Standing:
    values: dict[str, object] = {
        "status": status,
        "attempt": 1,
        "epoch": 0,
        "agent_id": "a1",
        "boot_id": None,
        "not_after": NOW + timedelta(seconds=60),
    }
    return Standing(**(values | changes))  # type: ignore[arg-type]  # a factory of values


def claim(**changes: object) -> Claim:
    values: dict[str, object] = {
        "task_id": "t1",
        "attempt": 1,
        "agent_id": "a1",
        "boot_id": "b1",
        "session_id": "s1",
    }
    return Claim(**(values | changes))  # type: ignore[arg-type]  # a factory of values


def payload(**changes: object) -> str:
    total = {"seq": 1, "bytes": 3, "sha256": "0" * 64}
    values: dict[str, object] = {
        "task_id": "t1",
        "attempt": 1,
        "epoch": 1,
        "agent_id": "a1",
        "outcome": "exited",
        "exit_code": 0,
        "signal": None,
        "reason": "",
        "duration_ms": 5,
        "started_at": None,
        "ended_at": None,
        "streams": {"stdout": total, "stderr": total},
        "processes": {"found": 0, "signalled": 0, "left": 0},
    }
    return json.dumps(values | changes)


def sign(text: str, key: Ed25519PrivateKey = KEY) -> str:
    return base64.b64encode(key.sign(RESULT_PURPOSE + text.encode())).decode()


def test_r7_an_offered_task_is_granted_with_the_next_epoch() -> None:
    verdict = judge_claim(standing(epoch=4), claim(), NOW)

    assert verdict == Verdict(granted=True, epoch=5, changes=True)


@pytest.mark.parametrize("status", [TaskStatus.CLAIMED, TaskStatus.RUNNING])
def test_the_same_claim_gets_the_same_grant_again(status: TaskStatus) -> None:
    verdict = judge_claim(standing(status, epoch=1, boot_id="b1"), claim(), NOW)

    assert verdict == Verdict(granted=True, epoch=1, changes=False)


def test_a_claim_after_a_reboot_ends_the_task_as_lost() -> None:
    verdict = judge_claim(standing(TaskStatus.CLAIMED, epoch=1, boot_id="b0"), claim(), NOW)

    assert verdict == Verdict(granted=False, reason="host_rebooted", changes=True)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_r9_r10_nothing_that_has_ended_is_granted(status: TaskStatus) -> None:
    verdict = judge_claim(standing(status, epoch=1, boot_id="b1"), claim(), NOW)

    assert verdict == Verdict(granted=False, reason=str(status))


@pytest.mark.parametrize(
    "other", [{"agent_id": "a2"}, {"attempt": 2}], ids=["B091-agent", "B091-attempt"]
)
def test_s10_a_task_of_somebody_else_is_unknown(other: dict[str, object]) -> None:
    assert judge_claim(standing(), claim(**other), NOW) == judge_claim(None, claim(**other), NOW)


def test_an_expired_offer_is_refused() -> None:
    verdict = judge_claim(standing(not_after=NOW), claim(), NOW)

    assert verdict == Verdict(granted=False, reason="expired")


def test_r11_a_result_counts_when_the_agents_key_signed_it() -> None:
    text = payload()

    result = read_result(text, sign(text), public_key=PUBLIC, agent_id="a1")

    assert final_status(result) == TaskStatus.SUCCESS


def test_r11_a_result_with_any_byte_changed_is_refused() -> None:
    text = payload()
    signature = sign(text)

    for place in range(len(text)):
        forged = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        with pytest.raises(ReportRefused):
            read_result(forged, signature, public_key=PUBLIC, agent_id="a1")


def test_a_result_signed_by_another_key_is_refused() -> None:
    text = payload()

    with pytest.raises(ReportRefused, match="bad_signature"):
        read_result(
            text, sign(text, Ed25519PrivateKey.generate()), public_key=PUBLIC, agent_id="a1"
        )


@pytest.mark.parametrize(
    "text",
    [
        payload(exit_code=-1),
        payload(exit_code=2**40),
        payload(exit_code="0"),
        payload(outcome="succeeded"),
        payload(streams={}),
        payload()[:-1] + ', "exit_code": 0}',
        "[" * 5000,
        "null",
    ],
    ids=[f"B092-{number}" for number in range(8)],
)
def test_a_signed_result_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ReportRefused, match="bad_payload"):
        read_result(text, sign(text), public_key=PUBLIC, agent_id="a1")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"exit_code": 0}, TaskStatus.SUCCESS),
        ({"exit_code": 3}, TaskStatus.FAILED),
        ({"exit_code": None, "signal": 9}, TaskStatus.FAILED),
        ({"exit_code": None}, TaskStatus.FAILED),
        ({"outcome": "timeout", "exit_code": 0}, TaskStatus.TIMEOUT),
        ({"outcome": "cancelled", "exit_code": 0}, TaskStatus.CANCELLED),
        ({"outcome": "failed_to_start", "exit_code": None}, TaskStatus.FAILED),
        ({"outcome": "lost", "exit_code": None}, TaskStatus.LOST),
    ],
)
def test_r11_only_an_exit_with_zero_is_a_success(
    changes: dict[str, object], status: TaskStatus
) -> None:
    text = payload(**changes)

    assert final_status(read_result(text, sign(text), public_key=PUBLIC, agent_id="a1")) == status


@pytest.mark.parametrize(
    ("task", "session", "known", "why"),
    [
        (standing(TaskStatus.RUNNING, boot_id="b1"), "s0", {}, "not_in_journal"),
        (standing(TaskStatus.CLAIMED, boot_id="b1"), "s0", {}, None),
        (standing(TaskStatus.RUNNING, boot_id="b0"), "s0", {}, "host_rebooted"),
        (standing(TaskStatus.RUNNING, boot_id="b0"), "s0", {"state": "exited"}, None),
        (standing(TaskStatus.RUNNING, boot_id="b1"), "s0", {"state": "damaged"}, "journal_damaged"),
        (standing(TaskStatus.RUNNING, boot_id="b1"), "s1", {}, None),
        (standing(TaskStatus.RUNNING, boot_id="b1"), "s2", {}, None),
        (standing(TaskStatus.RUNNING, boot_id="b0"), "s2", {}, None),
    ],
    ids=[
        *("unknown", "grant lost", "rebooted", "ended before", "damaged"),
        *("younger than the list", "of a later session", "of a later boot"),
    ],
)
def test_the_journal_decides_before_silence_does(
    task: Standing, session: str, known: dict[str, str], why: str | None
) -> None:
    connected = {"session_id": "s1", "boot_id": "b1"}

    assert missing_from_journal(task, session, connected, known) == why

"""What is signed, byte for byte, and how instants are written."""

import hashlib
from dataclasses import replace

import pytest

from libs.protocol.codec import decode, encode
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import Result
from libs.protocol.moments import instant, moment
from libs.protocol.payload import (
    MAX_OUTPUT_BYTES,
    Notice,
    ProcessTotals,
    ResultPayload,
    StreamTotal,
    StreamTotals,
    enrolment_statement,
    read_payload,
    result_statement,
    session_statement,
    write_payload,
)

EMPTY = StreamTotal(0, 0, hashlib.sha256().hexdigest())
PAYLOAD = ResultPayload(
    task_id="task-1",
    attempt=1,
    epoch=7,
    agent_id="agent-1",
    outcome="exited",
    exit_code=0,
    signal=None,
    reason="",
    duration_ms=12,
    started_at="2026-01-02T03:04:05Z",
    ended_at="2026-01-02T03:04:06Z",
    streams=StreamTotals(EMPTY, EMPTY),
    processes=ProcessTotals(0, 0, 0),
)


def test_statements_have_a_purpose_and_one_meaning() -> None:
    token_hash = hashlib.sha256(b"secret").hexdigest()

    assert (
        session_statement("n", "g", agent_id="a", identity_epoch=3, boot_id="b")
        == b"opsjob/session/v1\0n\ng\na\n3\nb"
    )
    assert (
        enrolment_statement("secret", public_key="k", boot_id="b", machine_id="m")
        == f"opsjob/enrol/v1\0{token_hash}\nk\nb\nm".encode()
    )
    assert (
        enrolment_statement("secret", public_key="k", boot_id="b", machine_id="m", sealing_key="x")
        == f"opsjob/enrol/v2\0{token_hash}\nk\nb\nm\nx".encode()
    )
    assert result_statement("{}") == b"opsjob/result/v1\0{}"


def test_a_payload_is_read_as_it_was_written() -> None:
    assert read_payload(write_payload(PAYLOAD)) == PAYLOAD


def test_outputs_and_notices_are_part_of_what_is_signed() -> None:
    full = replace(PAYLOAD, outputs={"VERSION": "1.2"}, warnings=(Notice("truncated", "stdout"),))

    assert read_payload(write_payload(full)) == full
    assert "outputs" not in write_payload(PAYLOAD)


def test_the_largest_outputs_fit_into_a_result() -> None:
    full = replace(PAYLOAD, outputs={"A": '"' * MAX_OUTPUT_BYTES})

    result = Result("e", "task-1", 1, write_payload(full), "A" * 86 + "==")

    assert decode(encode(result)) == result


@pytest.mark.parametrize(
    "changes",
    [{"exit_code": -1}, {"exit_code": 256}, {"signal": 0}, {"outcome": "success"}, {"epoch": -1}],
)
def test_a_payload_out_of_range_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        write_payload(replace(PAYLOAD, **changes))  # type: ignore[arg-type]


def test_instants_keep_microseconds() -> None:
    assert moment(1_767_323_045.25) == "2026-01-02T03:04:05.250000Z"
    assert instant("2026-01-02T03:04:05.250000Z") == 1_767_323_045.25
    assert instant("2026-01-02T03:04:05+00:00") == 1_767_323_045.0

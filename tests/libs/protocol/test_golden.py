"""The golden files pin what goes over the wire; changing one means raising the version."""

import json
from pathlib import Path

import pytest

from libs.protocol.codec import decode, decode_output, encode, encode_output
from tests.libs.protocol.samples import FILE_OFFER, FULL_OFFER, MESSAGES, OUTPUT

GOLDEN = Path(__file__).parent / "golden"
FRAMES = {**MESSAGES, "offer_full": FULL_OFFER, "offer_files": FILE_OFFER}


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_a_message_is_written_as_its_golden_file_says(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())

    assert json.loads(encode(FRAMES[name])) == golden
    assert decode(json.dumps(golden)) == FRAMES[name]


def test_output_is_a_header_and_raw_bytes() -> None:
    golden = json.loads((GOLDEN / "output.json").read_text())
    payload = golden["payload"].encode()

    frame = encode_output(OUTPUT, payload)

    size = int.from_bytes(frame[:4], "big")
    assert json.loads(frame[4 : 4 + size]) == golden["header"]
    assert frame[4 + size :] == payload
    assert decode_output(frame) == (OUTPUT, payload)


def test_every_message_has_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*FRAMES, "output"}

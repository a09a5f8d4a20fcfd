"""A sealed value opens with the right key in its own place, and nowhere else."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.sealing import SealingKey, SecretUnreadable
from tests.agent.sealer import seal

EXAMPLES = json.loads((Path(__file__).parents[1] / "libs/protocol/sealed.json").read_text())


def key_of(example: dict[str, Any]) -> SealingKey:
    raw = base64.b64decode(example["agent_private_key"])
    return SealingKey(X25519PrivateKey.from_private_bytes(raw))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_the_written_examples_open(example: dict[str, Any]) -> None:
    place = {name: example[name] for name in ("task_id", "attempt", "name")}
    key = key_of(example)

    assert key.public_text == example["agent_public_key"]
    assert key.open(example["sealed"], **place) == example["text"]
    assert example["sealed"] == seal(
        example["text"],
        example["agent_public_key"],
        **place,
        ephemeral=base64.b64decode(example["ephemeral_private_key"]),
        nonce=base64.b64decode(example["nonce"]),
    )


def test_a_key_survives_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "sealing_key"
    made = SealingKey.create(str(path))

    loaded = SealingKey.load(str(path))

    assert loaded is not None
    sealed = seal("gr\u00fc\u00dfe", made.public_text, task_id="t1", name="TOKEN")
    assert loaded.open(sealed, task_id="t1", attempt=1, name="TOKEN") == "gr\u00fc\u00dfe"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SealingKey.load(str(tmp_path / "missing")) is None


@pytest.mark.parametrize(
    "place",
    [
        {"task_id": "t2", "attempt": 1, "name": "TOKEN"},
        {"task_id": "t1", "attempt": 2, "name": "TOKEN"},
        {"task_id": "t1", "attempt": 1, "name": "OTHER"},
    ],
)
def test_a_value_moved_to_another_place_does_not_open(
    place: dict[str, Any], tmp_path: Path
) -> None:
    key = SealingKey.create(str(tmp_path / "key"))
    sealed = seal("value", key.public_text, task_id="t1", name="TOKEN")

    with pytest.raises(SecretUnreadable):
        key.open(sealed, **place)


def test_another_agent_cannot_open_it(tmp_path: Path) -> None:
    key, other = (SealingKey.create(str(tmp_path / name)) for name in ("key", "other"))
    sealed = seal("value", key.public_text, task_id="t1", name="TOKEN")

    with pytest.raises(SecretUnreadable):
        other.open(sealed, task_id="t1", attempt=1, name="TOKEN")


def test_no_changed_byte_goes_unnoticed(tmp_path: Path) -> None:
    key = SealingKey.create(str(tmp_path / "key"))
    raw = base64.b64decode(seal("value", key.public_text, task_id="t1", name="TOKEN"))

    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises(SecretUnreadable):
            key.open(base64.b64encode(changed).decode(), task_id="t1", attempt=1, name="TOKEN")
    for size in range(len(raw)):
        with pytest.raises(SecretUnreadable):
            key.open(base64.b64encode(raw[:size]).decode(), task_id="t1", attempt=1, name="TOKEN")


@pytest.mark.parametrize("sealed", ["", "AQID", "not base64", "A" * 4000])
def test_what_is_no_sealed_value_is_refused(sealed: str, tmp_path: Path) -> None:
    key = SealingKey.create(str(tmp_path / "key"))

    with pytest.raises(SecretUnreadable):
        key.open(sealed, task_id="t1", attempt=1, name="TOKEN")

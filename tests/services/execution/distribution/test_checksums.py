"""The second checksum of large files, on its way from an upload to the order."""

import hashlib

from blake3 import blake3

from agent.errands import blake3_of
from tests.services.execution.distribution.test_router import (
    TRANSFER,
    as_order,
    offered,
    order_of,
    uploaded,
)
from tests.support.execution import Rig

LARGE = bytes(range(256)) * 4096


async def test_hosts_are_told_the_quicker_checksum_of_large_files(rig: Rig) -> None:
    """In the order of the files; where one is small or of before, `-` stands for it."""
    ids = [
        await uploaded(rig, "small"),
        await uploaded(rig, "large", LARGE),
        await uploaded(rig, "the same again", LARGE),
    ]

    order = await order_of(rig, artifact_ids=ids, remote_path="/opt/")

    known = blake3(LARGE).hexdigest()
    assert order["files"]["items"][0]["path"] == "/opt/small"
    assert order["env"] == {"OPSJOB_BLAKE3": f"- {known} {known}"}
    assert blake3_of(as_order(order)) == {hashlib.sha256(LARGE).hexdigest(): known}


async def test_small_files_have_one_checksum(rig: Rig) -> None:
    order = await order_of(rig, artifact_ids=[await uploaded(rig)])

    assert order["env"] == {}


async def test_a_file_of_a_form_has_both_checksums(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)

    answer = await rig.http.post(
        TRANSFER,
        data={"remote_path": "/opt/app", "target_host_ids": "[1]"},
        files={"file": ("app", LARGE)},
        headers=rig.headers(),
    )

    assert answer.status_code == 201, answer.text
    order = await offered(rig, agent)
    assert order["env"] == {"OPSJOB_BLAKE3": blake3(LARGE).hexdigest()}

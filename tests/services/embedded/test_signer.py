"""The signer's process: who is answered, what survives its death; keys in people's hands."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import msgspec
import pytest

from libs.contracts.trust import checked
from libs.kit.errors import Unavailable
from services.cli import invoke
from services.embedded.options import StartRefused
from services.embedded.signer import SignerDesk, listen_for_users, numbers_of
from services.embedded.trusting import folder_of
from services.execution.signatures.service import LENGTH, MAX_QUESTION, RemoteSigner, answers
from services.execution.signing.domain import Asked, Expected, SignedBatch
from services.execution.signing.service import Signing

ME = os.geteuid()


class Clerk:
    """Signs whatever is asked, in a way that a test can recognise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def expect(self, expected: Expected) -> None:
        """Looks nothing up."""

    async def orders(self, asked: Sequence[Asked]) -> SignedBatch:
        """A frame for each, a large one for tasks called large; none for those called bad."""
        self.asked += [(one.task_id, one.attempt) for one in asked]
        batch = SignedBatch()
        for one in asked:
            if one.task_id.startswith("bad"):
                batch.refused[one.task_id] = ("script_changed", "It was changed.")
            else:
                size = 1_000_000 if one.task_id.startswith("large") else 10
                batch.frames[one.task_id] = one.task_id.encode().ljust(size, b".")
        return batch

    async def grants(self, asked: Sequence[Asked]) -> SignedBatch:
        """Raises Unavailable, as a signer without a key does."""
        raise Unavailable

    cancels = orders


@asynccontextmanager
async def serving(path: Path, users: frozenset[int] = frozenset({ME})) -> AsyncIterator[Clerk]:
    """A signer on a socket."""
    clerk = Clerk()
    desk = SignerDesk(cast("Signing", clerk), users)
    server = await asyncio.start_unix_server(desk.serve, sock=listen_for_users(path))
    try:
        yield clerk
    finally:
        server.close()
        desk.hang_up()


@asynccontextmanager
async def asking(path: Path) -> AsyncIterator[RemoteSigner]:
    """Whoever asks the signer."""
    signer = RemoteSigner(path)
    try:
        yield signer
    finally:
        await signer.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signer.sock"


async def test_one_round_trip_signs_a_batch_of_any_size(path: Path) -> None:
    asked = [Asked(f"task-{number}", 1) for number in range(500)]
    asked += [Asked(f"large-{number}", 2) for number in range(5)]
    asked += [Asked("bad", 1)]

    async with serving(path) as clerk, asking(path) as signer:
        batch = await signer.orders(asked)

    assert len(batch.frames) == 505
    assert len(batch.frames["large-4"]) == 1_000_000
    assert batch.ended == {"bad": ("script_changed", "It was changed.")}
    assert len(clerk.asked) == 506


async def test_an_answer_that_fits_is_one_message() -> None:
    question = msgspec.msgpack.encode({"op": "orders", "tasks": [("a", 1), ("bad", 1)]})
    parts = [part async for part in answers(Clerk(), question)]

    assert [msgspec.msgpack.decode(part) for part in parts] == [
        {
            "frames": {"a": b"a........."},
            "refused": {"bad": ["script_changed", "It was changed."]},
            "is_last": True,
            "error": "",
        }
    ]


async def test_a_signer_that_was_started_again_is_asked_again(path: Path) -> None:
    async with asking(path) as signer:
        for _ in range(3):
            async with serving(path):
                assert (await signer.orders([Asked("a", 1)])).frames.keys() == {"a"}


async def test_without_a_signer_or_a_key_nothing_is_signed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.execution.signatures.service.CONNECT_SECONDS", 0.1)
    async with asking(path) as signer:
        with pytest.raises(Unavailable):
            await signer.orders([Asked("a", 1)])
        async with serving(path):
            with pytest.raises(Unavailable):
                await signer.grants([Asked("a", 1)])


async def test_s7_a_user_who_may_not_ask_gets_no_answer(path: Path) -> None:
    async with serving(path, users=frozenset({ME + 1})) as clerk, asking(path) as signer:
        with pytest.raises(Unavailable):
            await signer.orders([Asked("a", 1)])

    assert clerk.asked == []


@pytest.mark.parametrize(
    "said",
    [
        LENGTH.pack(MAX_QUESTION + 1),
        LENGTH.pack(3) + b"abc",
        LENGTH.pack(1) + b"\xc0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0",
    ],
)
async def test_whatever_is_no_question_signs_nothing_and_harms_nobody(
    path: Path, said: bytes
) -> None:
    async with serving(path) as clerk, asking(path) as signer:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(said)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()
        assert clerk.asked == []
        assert (await signer.orders([Asked("a", 1)])).frames


def test_only_known_users_are_let_in() -> None:
    assert numbers_of(["1234", "daemon"]) >= {ME, 0, 1234}
    with pytest.raises(StartRefused, match="nobody-of-that-name"):
        numbers_of(["nobody-of-that-name"])


def test_the_socket_replaces_what_an_earlier_run_left(path: Path) -> None:
    path.touch()

    with listen_for_users(path) as listener:
        assert listener.family == socket.AF_UNIX


# ---- keys in the hands of people -------------------------------------------------------------


def admin(tmp_path: Path, *command: str) -> int:
    """`opsjob admin trust …`"""
    return invoke(["admin", "trust", *command, "--data-dir", str(tmp_path)])


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    assert admin(tmp_path, "init") == 0
    before = folder_of(tmp_path).bundle()
    assert admin(tmp_path, "init") == 0

    folder = folder_of(tmp_path)
    assert folder.bundle() == before
    assert folder.root_key.stat().st_mode & 0o777 == 0o400
    assert folder.signer_key.stat().st_mode & 0o777 == 0o400
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_another_key_takes_over_and_the_old_one_is_revoked(tmp_path: Path) -> None:
    admin(tmp_path, "init")
    old = folder_of(tmp_path).checked().certificates[0].kid

    assert admin(tmp_path, "certify", "--new-key", "--days", "7") == 0
    assert {one.kid for one in folder_of(tmp_path).checked().certificates} > {old}
    assert admin(tmp_path, "revoke", old) == 0

    said = folder_of(tmp_path).checked()
    assert (said.revocation.number, said.revocation.kids) == (1, [old])
    assert said.certificate(old) is None
    assert len(said.certificates) == 1


def test_the_root_key_may_lie_elsewhere_and_no_other_one_serves(tmp_path: Path) -> None:
    admin(tmp_path, "init")
    folder, apart = folder_of(tmp_path), tmp_path / "apart.key"
    folder.root_key.rename(apart)

    assert admin(tmp_path, "certify") == 2
    assert admin(tmp_path, "certify", "--root-key", str(folder.signer_key)) == 2
    assert admin(tmp_path, "certify", "--root-key", str(apart)) == 0
    assert admin(tmp_path, "show") == 0
    assert checked(folder.bundle()).certificates


def test_a_broken_log_of_decisions_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    admin(tmp_path, "init")
    assert admin(tmp_path, "verify-log") == 0
    folder_of(tmp_path).log.write_text('{"previous":"","hash":"00"}\n')

    assert admin(tmp_path, "verify-log") == 1
    assert "decisions.log:1" in capsys.readouterr().err

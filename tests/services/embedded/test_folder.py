"""The data folder: private, for one supervisor, with a secret that is never lost silently."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from services.embedded import folder
from services.embedded.options import StartRefused


def test_everything_in_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    place = folder.prepare(tmp_path / "data")

    for path in (place.root, place.run, place.process_logs, place.valkey):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65_534, 65_534)

    with pytest.raises(StartRefused, match="another user"):
        folder.prepare(tmp_path)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(StartRefused, match="cannot be used"):
        folder.prepare(tmp_path / "data")


def test_sockets_of_a_long_path_lie_in_a_short_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    place = folder.prepare(tmp_path / ("x" * 120))
    again = folder.prepare(tmp_path / ("x" * 120))

    assert len(os.fsencode(place.control_socket)) <= folder.LONGEST_SOCKET_PATH
    assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700
    assert again == place
    place.sockets.chmod(0o755)
    with pytest.raises(StartRefused, match="only its owner"):
        folder.prepare(tmp_path / ("x" * 120))


def test_one_supervisor_at_a_time(tmp_path: Path) -> None:
    place = folder.prepare(tmp_path)
    held = folder.lock(place)

    with pytest.raises(StartRefused, match=f"process {os.getpid()}"):
        folder.lock(place)

    os.close(held)
    os.close(folder.lock(place))


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    place = folder.prepare(tmp_path)

    made = folder.secret(place)

    assert len(bytes.fromhex(made)) == folder.SECRET_BYTES
    assert folder.secret(place) == made
    assert stat.S_IMODE(place.secret_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "short", "\n"])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    place = folder.prepare(tmp_path)
    folder.write_private(place.secret_file, content)

    with pytest.raises(StartRefused, match="too short"):
        folder.secret(place)


def test_a_secret_behind_a_link_is_refused(tmp_path: Path) -> None:
    place = folder.prepare(tmp_path)
    (tmp_path / "elsewhere").write_text("0123456789abcdef" * 4)
    place.secret_file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StartRefused, match="plain file"):
        folder.secret(place)


def test_a_full_log_is_cut_and_the_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "LONGEST_LOG_BYTES", 100)
    place = folder.prepare(tmp_path)
    log = place.process_logs / "control-plane.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)

        folder.trim_logs(place)
        writer.write(b"after")

    assert log.read_bytes() == b"after"
    assert (place.process_logs / "control-plane.log.1").read_bytes() == b"x" * 200

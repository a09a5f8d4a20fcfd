"""Salt takes its turn where it can be had, says why where it cannot, and leaves nothing behind."""

import sys
from pathlib import Path

import psutil
import pytest

from bench._salt import Salt, beside_us
from tests.support.fake_salt import (
    VERSION,
    executable,
    fake_salt,
    lose_answers,
    minion_processes,
)
from tests.support.waiting import eventually_sync


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment of Salt is to be; there is no Python 3.10 for one yet."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("bench._salt_environment.PYTHON", "python3.10-of-this-test")
    return tmp_path / "cache" / "opsjob-bench" / "salt"


def python_on_path(tmp_path: Path, venv: str) -> None:
    """A Python 3.10 that makes an environment by running `venv` with its folder as $4."""
    program = f'#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.10.13" && exit\n{venv}\n'
    executable(tmp_path / "path" / "python3.10-of-this-test", program)


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """What is said by a run with peers that has to go on without Salt."""
    with beside_us(True) as salt:
        assert salt is None
    return capsys.readouterr().out.splitlines()[-1]


def test_nobody_asks_for_salt_unless_peers_are_wanted(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with beside_us(False) as salt:
        assert salt is None
    assert capsys.readouterr().out == ""
    assert not cache.exists()


def test_without_its_python_the_run_goes_on_and_says_so(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(capsys) == (
        "Salt is not measured: Salt wants Python 3.10, and there is no python3.10 on the path. "
        "The other figures follow."
    )


def test_without_a_network_the_run_goes_on_with_the_last_word_of_pip(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pip = "printf '#!/bin/sh\\necho retrying >&2; echo no salt found >&2; exit 1\\n'"
    target = '"$4/bin/python"'
    python_on_path(tmp_path, f'mkdir -p "$4/bin"; {pip} > {target}; chmod +x {target}')

    assert refusal(capsys) == (
        "Salt is not measured: the installation ended with: no salt found. "
        "The other figures follow."
    )


def test_packages_without_a_salt_that_runs_are_refused(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python_on_path(tmp_path, 'mkdir -p "$4/bin"; ln -s /bin/true "$4/bin/python"')

    assert "hold no Salt that runs" in refusal(capsys)


def test_an_environment_is_made_once_and_its_versions_are_said(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_salt(tmp_path / "packed")
    # pip is asked of the new environment's own Python: the fake has none, so it only says so.
    python = tmp_path / "packed" / "bin" / "python"
    shell = python.read_text().replace("#!/bin/sh", '#!/bin/sh\n[ "$1" = -m ] && exit 0')
    executable(python, shell)
    python_on_path(tmp_path, f'cp -R "{tmp_path}/packed" "$4"')
    running = ".".join(map(str, sys.version_info[:3]))
    versions = f"Salt {VERSION} on Python {running}: LocalClient, default settings"

    for said in ([f"Salt is being installed into {cache} ...", versions], [versions]):
        with beside_us(True) as salt:
            assert isinstance(salt, Salt)
        assert capsys.readouterr().out.splitlines() == said


def test_minions_are_added_asked_and_all_ended(cache: Path) -> None:
    fake_salt(cache)

    with beside_us(True) as salt:
        assert salt is not None
        salt.grow(1)
        salt.grow(3)
        assert 0 < salt.run() < 60
        processes = minion_processes(cache)
        assert len(processes) == 6
        assert all(psutil.pid_exists(process) for process in processes)

    assert not [process for process in processes if is_running(process)]


def test_salt_stands_still_while_others_have_their_turn(cache: Path) -> None:
    fake_salt(cache)

    with beside_us(True) as salt:
        assert salt is not None
        salt.grow(2)
        minions = [psutil.Process(process) for process in minion_processes(cache)]
        with salt.resting():
            eventually_sync(lambda: states(minions) == {psutil.STATUS_STOPPED})
        eventually_sync(lambda: psutil.STATUS_STOPPED not in states(minions))
        salt.run()


def test_a_run_that_lost_answers_does_not_count(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_salt(cache)

    with beside_us(True) as salt:
        assert salt is not None
        salt.grow(2)
        lose_answers(cache, 1)
        salt.run()
        assert "1 of 2 minions answered, once more" in capsys.readouterr().out
        lose_answers(cache, 3)
        with pytest.raises(RuntimeError, match="lost answers 3 times in a row"):
            salt.run()


def test_a_client_that_ended_is_reported_with_its_last_words(cache: Path) -> None:
    fake_salt(cache)
    (cache / "salt" / "exceptions.py").write_text("raise ImportError('no tornado')\n")

    with beside_us(True) as salt:
        assert salt is not None
        with pytest.raises(RuntimeError, match="gave no answer: ImportError: no tornado"):
            salt.grow(1)


def states(processes: list[psutil.Process]) -> set[str]:
    """Of all of them; a signal arrives when a process is next looked at by the system."""
    return {process.status() for process in processes}


def is_running(process: int) -> bool:
    """A child of an ended parent stays as a zombie until somebody collects it."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

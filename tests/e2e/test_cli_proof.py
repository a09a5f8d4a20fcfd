"""Being asked again on the command line: on a terminal, and where there is none."""

import os
import pty
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_cli_identity import made, opsjob
from tests.support.platform import Platform, clean_environment, command_line, error_of

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PASSWORD = "A long enough pass phrase 48!"


def on_a_terminal(platform: Platform, folder: Path, *arguments: str, typed: str) -> tuple[int, str]:
    """Somebody types a line when asked for the password; the exit code, and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command_line(*arguments),
        env=clean_environment(XDG_CONFIG_HOME=str(folder), OPSJOB_SERVER=platform.url),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        if b"Password: " in shown + piece and b"Password: " not in shown:
            os.write(ours, typed.encode() + b"\n")
        shown += piece
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


def test_a_proof_is_asked_for_on_a_terminal_and_told_without_one(
    platform: Platform, admin: httpx.Client, tmp_path: Path
) -> None:
    name = f"zoe{os.getpid()}"
    first = made(platform, name, "admin")
    opsjob(platform, tmp_path, "login", "-u", name, "--password-stdin", stdin=first + "\n")
    both = f"{first}\n{PASSWORD}\n"
    changed = opsjob(platform, tmp_path, "admin", "change-password", "--password-stdin", stdin=both)
    assert changed.returncode == 0, changed.stderr
    other = f"{name}-made"
    add = ("admin", "user", "add", other)

    assert "Prove again" in error_of(opsjob(platform, tmp_path, *add))
    code, shown = on_a_terminal(platform, tmp_path, *add, typed="wrong")
    assert (code, "Password or code is wrong" in shown) == (2, True), shown
    code, shown = on_a_terminal(platform, tmp_path, *add, typed=PASSWORD)

    assert code == 0, shown
    assert "one-time password" in shown.lower()
    again = opsjob(platform, tmp_path, "admin", "user", "disable", other)
    assert again.returncode == 0, "the proof holds for a while"

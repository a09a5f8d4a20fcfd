"""B116 to B118: interrupts, closed streams, odd terminals, hostile output."""

import json
import signal
import subprocess
import time

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line, error_of, shell
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]


# ---- B118: interrupting -----------------------------------------------------------------------


def test_ctrl_c_stops_watching_and_nothing_else(
    platform: Platform, local_host: str, admin: httpx.Client
) -> None:
    watcher = subprocess.Popen(
        command_line(
            "run", "--hosts", local_host, "--command", "echo begun; sleep 3; echo finished",
            "--data-dir", str(platform.data_dir),
        ),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert watcher.stdout
    assert watcher.stdout.readline() == f"{local_host} | begun\n"

    watcher.send_signal(signal.SIGINT)

    _, said = watcher.communicate(timeout=20)
    assert watcher.returncode == 130
    assert "goes on" in said
    assert "Traceback" not in said
    execution_id = said.split("execution ")[1].split()[0]
    assert platform.wait_ended(admin, execution_id)["status"] == "success"
    assert platform.stored_output(admin, execution_id) == "begun\nfinished\n"


def test_sigterm_ends_the_watcher_quietly(platform: Platform, local_host: str) -> None:
    watcher = subprocess.Popen(
        command_line(
            "run", "--hosts", local_host, "--command", "echo begun; sleep 2",
            "--data-dir", str(platform.data_dir),
        ),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert watcher.stdout
    watcher.stdout.readline()

    watcher.terminate()

    _, said = watcher.communicate(timeout=20)
    assert watcher.returncode == -signal.SIGTERM
    assert "Traceback" not in said


# ---- B116, B117: odd surroundings -------------------------------------------------------------


def test_a_closed_pipe_is_quiet(platform: Platform, local_host: str) -> None:
    command = f"$OPSJOB run $HERE --hosts {local_host} --command 'seq 1 20000' 2>err | head -1"
    directory = platform.data_dir.parent

    done = shell(
        platform, f"cd {directory}; {command}; code=${{PIPESTATUS[0]}}; cat err; exit $code"
    )

    assert done.returncode == 141
    assert done.stdout.splitlines()[0] == f"{local_host} | 1"
    assert "Traceback" not in done.stdout + done.stderr
    assert "rror" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["hosts list", "status", "executions list --json"])
def test_a_full_disk_is_an_error(command: str, platform: Platform, local_host: str) -> None:
    done = shell(platform, f"$OPSJOB {command} $HERE > /dev/full")

    assert "space" in error_of(done)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(closed: str, platform: Platform, local_host: str) -> None:
    done = shell(platform, f"$OPSJOB hosts list $HERE {closed}")

    assert done.returncode == (2 if ">&-" in closed.replace("2>&-", "") else 0), done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_standard_input_that_is_closed_is_said_to_be(platform: Platform, local_host: str) -> None:
    done = shell(platform, f"$OPSJOB run $HERE --hosts {local_host} --script - <&-")

    assert "closed" in error_of(done)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("head -c 1000 /dev/urandom; printf '\\377'", "UTF-8"),
        ("yes | head -c 20000000", "too large"),
    ],
)
def test_what_is_no_script_is_refused(
    source: str, word: str, platform: Platform, local_host: str
) -> None:
    done = shell(
        platform, f"({source}) 2>/dev/null | $OPSJOB run $HERE --hosts {local_host} --script -"
    )

    assert word in error_of(done)


def test_names_that_begin_with_a_dash_come_after_two_dashes(platform: Platform) -> None:
    assert "no such execution" in error_of(shell(platform, "$OPSJOB logs $HERE -- -rf"))
    assert "No such option" in error_of(shell(platform, "$OPSJOB logs $HERE -rf"))


@pytest.mark.parametrize("word", ["@/etc/passwd", "-", "--", "$(id)", "../x", "a b", ""])
def test_odd_words_are_taken_literally(word: str, platform: Platform) -> None:
    done = shell(platform, f"$OPSJOB run $HERE --hosts '{word}' --command true")

    error_of(done)


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb"},
        {"TERM": ""},
        {"NO_COLOR": "1"},
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"COLUMNS": "1000000000"},
        {"COLUMNS": "1", "LINES": "1"},
    ],
)
def test_it_works_in_odd_terminals(
    environment: dict[str, str], platform: Platform, local_host: str
) -> None:
    done = platform.cli("run", "--hosts", local_host, "--command", "echo 中文", **environment)

    assert done.returncode == 0, done.stderr
    assert done.stdout in (f"{local_host} | 中文\n", f"{local_host} | \\u4e2d\\u6587\n")
    assert "\x1b" not in done.stdout + done.stderr


def test_a_host_cannot_steer_the_terminal(platform: Platform, local_host: str) -> None:
    script = "printf '\\033]0;owned\\007\\033[2J\\302\\233 \\342\\200\\256abc\\n'"

    shown = platform.cli("run", "--hosts", local_host, "--command", script)
    raw = platform.cli("run", "--hosts", local_host, "--command", script, "--raw")

    assert shown.stdout == f"{local_host} | \\x1b]0;owned\\x07\\x1b[2J\\x9b \\u202eabc\n"
    assert "\x1b]0;owned\x07" in raw.stdout


def test_an_argument_that_is_not_utf_8_is_refused(platform: Platform) -> None:
    done = shell(platform, "$OPSJOB run $HERE --hosts $'\\xff\\xfe' --command true")

    assert "UTF-8" in error_of(done)


def test_errors_of_the_api_come_in_chinese_where_chinese_is_spoken(platform: Platform) -> None:
    arguments = ("executions", "show", "01900000-0000-7000-8000-000000000000")

    english = error_of(platform.cli(*arguments, LANG="en_US.UTF-8"))
    chinese = error_of(platform.cli(*arguments, LANG="zh_CN.UTF-8", LC_ALL="zh_CN.UTF-8"))

    assert english.isascii()
    assert any("\u4e00" <= mark <= "\u9fff" for mark in chinese)


def test_proxies_of_the_environment_are_not_used(platform: Platform, local_host: str) -> None:
    evil = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

    assert platform.cli("hosts", "list", **evil, ALL_PROXY="http://127.0.0.1:9").returncode == 0


def test_watching_goes_on_while_the_token_expires(platform: Platform, local_host: str) -> None:
    """B118: the stored token is made useless while a command follows."""
    script = "for n in 1 2 3 4 5 6; do echo $n; sleep 0.5; done"
    watcher = subprocess.Popen(
        command_line(
            "run", "--hosts", local_host, "--command", script,
            "--data-dir", str(platform.data_dir),
        ),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert watcher.stdout
    first = watcher.stdout.readline()
    kept = platform.data_dir / "run" / "credentials.json"
    content = json.loads(kept.read_text())
    content["servers"][platform.url]["expires_at"] = time.time() - 1
    kept.write_text(json.dumps(content))
    killed = platform.kill("control-plane")
    platform.wait_back("control-plane", killed)

    rest, said = watcher.communicate(timeout=60)

    assert watcher.returncode == 0, said
    assert (first + rest).splitlines() == [f"{local_host} | {n}" for n in range(1, 7)]
    assert eventually_sync(platform.is_ready, timeout=20)

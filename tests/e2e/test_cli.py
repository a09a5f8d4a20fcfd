"""Journeys on the command line: log in, look around, run, watch, cancel, fail clearly."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.fixture
def host(platform: Platform, admin: httpx.Client) -> str:
    """Name of the local agent's host, which is online."""
    return str(platform.wait_online(admin)["name"])


def error_of(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line that a command failed with."""
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


# ---- log in -----------------------------------------------------------------------------------


def test_log_in_look_and_log_out(platform: Platform, tmp_path: Path, host: str) -> None:
    """The tokens lie in a private file, the password nowhere."""
    admin = platform.first_admin
    env = clean_environment(XDG_CONFIG_HOME=str(tmp_path), OPSJOB_SERVER=platform.url)

    def opsjob(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert "Log in first" in error_of(opsjob("hosts", "list"))
    wrong = opsjob("login", "-u", admin["username"], "--password-stdin", stdin="no\n")
    error_of(wrong)

    done = opsjob(
        "login", "-u", admin["username"], "--password-stdin", stdin=admin["password"] + "\n"
    )

    kept = tmp_path / "opsjob" / "credentials.json"
    assert done.returncode == 0, done.stderr
    assert kept.stat().st_mode & 0o777 == 0o600
    assert admin["password"] not in kept.read_text()
    assert host in opsjob("hosts", "list").stdout
    assert json.loads(opsjob("status", "--json").stdout)["user"]["username"] == "admin"
    kept.chmod(0o644)
    assert "chmod 600" in error_of(opsjob("hosts", "list"))
    kept.chmod(0o600)
    assert opsjob("logout").returncode == 0
    assert "Log in first" in error_of(opsjob("hosts", "list"))


def test_an_expired_token_is_renewed_without_a_word(platform: Platform) -> None:
    """Also when several commands find it expired at the same moment."""
    assert platform.cli("status").returncode == 0
    kept = platform.data_dir / "run" / "credentials.json"
    content = json.loads(kept.read_text())
    content["servers"][platform.url]["expires_at"] = 0
    kept.write_text(json.dumps(content))
    commands = [
        subprocess.Popen(
            command_line("status", "--data-dir", str(platform.data_dir)),
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    for command in commands:
        _, said = command.communicate(timeout=60)
        assert command.returncode == 0, said


def test_a_password_is_not_sent_over_plain_http_to_another_machine(platform: Platform) -> None:
    done = subprocess.run(
        command_line("login", "--server", "http://192.0.2.1:8000", "--password-stdin", "-u", "a"),
        env=clean_environment(),
        input="secret\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert "--insecure" in error_of(done)


# ---- run --------------------------------------------------------------------------------------


def test_output_comes_with_the_host_before_it(platform: Platform, host: str) -> None:
    done = platform.cli("run", "--hosts", host, "--command", "echo one; echo two >&2")

    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"{host} | one", f"{host} | two"]
    assert "success: 1 of 1" in done.stderr


@pytest.mark.parametrize("selection", ["all-online", "127.0.0.1", "{id}", "{name},{id}"])
def test_hosts_are_chosen_in_many_ways(
    selection: str, platform: Platform, admin: httpx.Client
) -> None:
    host = platform.wait_online(admin)
    chosen = selection.format(id=host["id"], name=host["name"])

    done = platform.cli("run", "--hosts", chosen, "--command", "echo here", "--json")

    assert done.returncode == 0, done.stderr
    tasks = json.loads(done.stdout)["tasks"]
    assert [task["host_id"] for task in tasks] == [host["id"]]


def test_arguments_environment_and_a_script_from_a_file(
    platform: Platform, host: str, tmp_path: Path
) -> None:
    source = tmp_path / "script.py"
    source.write_text("import os, sys\nprint(sys.argv[1:], os.environ['GREETING'])\n")

    done = platform.cli(
        "run", "--hosts", host, "--script", str(source), "--arg", "-x", "--arg", "two words",
        "--env", "GREETING=a=b",
    )  # fmt: skip

    assert done.stdout == f"{host} | ['-x', 'two words'] a=b\n"


def test_a_script_from_standard_input(platform: Platform, host: str) -> None:
    done = platform.cli("run", "--hosts", host, "--script", "-", stdin="echo from stdin\n")

    assert done.stdout == f"{host} | from stdin\n"


@pytest.mark.parametrize(
    ("script", "word"),
    [("exit 3", "exit code 3"), ("kill -9 $$", "signal 9")],
)
def test_a_host_that_fails_makes_exit_code_1(
    script: str, word: str, platform: Platform, host: str
) -> None:
    done = platform.cli("run", "--hosts", host, "--command", script)

    assert done.returncode == 1
    assert word in done.stderr


def test_a_time_limit_makes_exit_code_1(platform: Platform, host: str) -> None:
    done = platform.cli("run", "--hosts", host, "--command", "sleep 60", "--timeout", "1")

    assert done.returncode == 1
    assert "timeout" in done.stderr


def test_a_run_without_watching_is_found_again(platform: Platform, host: str) -> None:
    started = platform.cli(
        "run", "--hosts", host, "--command", "echo later", "--no-follow", "--name", "Found again"
    )
    execution_id = started.stdout.strip()

    logs = platform.cli("logs", execution_id, "--follow")

    assert logs.returncode == 0, logs.stderr
    assert logs.stdout == f"{host} | later\n"
    assert platform.cli("logs", execution_id, "--host", host).stdout == "later\n"
    assert execution_id in platform.cli("executions", "list", "--search", "Found again").stdout
    shown = json.loads(platform.cli("executions", "show", execution_id, "--json").stdout)
    assert shown["status"] == "success"
    assert shown["tasks"][0]["host_name"] == host


def test_cancel_stops_the_script(platform: Platform, host: str, admin: httpx.Client) -> None:
    started = platform.cli("run", "--hosts", host, "--command", "sleep 300", "--no-follow")
    execution_id = started.stdout.strip()

    cancelled = platform.cli("cancel", execution_id, "--reason", "enough")

    assert cancelled.returncode == 0, cancelled.stderr
    assert platform.wait_ended(admin, execution_id, timeout=30)["status"] == "cancelled"


# ---- B118: interrupting -----------------------------------------------------------------------


def test_ctrl_c_stops_watching_and_nothing_else(
    platform: Platform, host: str, admin: httpx.Client
) -> None:
    watcher = subprocess.Popen(
        command_line(
            "run", "--hosts", host, "--command", "echo begun; sleep 3; echo finished",
            "--data-dir", str(platform.data_dir),
        ),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert watcher.stdout
    assert watcher.stdout.readline() == f"{host} | begun\n"

    watcher.send_signal(signal.SIGINT)

    _, said = watcher.communicate(timeout=20)
    assert watcher.returncode == 130
    assert "goes on" in said
    assert "Traceback" not in said
    execution_id = said.split("execution ")[1].split()[0]
    assert platform.wait_ended(admin, execution_id)["status"] == "success"
    assert platform.stored_output(admin, execution_id) == "begun\nfinished\n"


def test_sigterm_ends_the_watcher_quietly(platform: Platform, host: str) -> None:
    watcher = subprocess.Popen(
        command_line(
            "run", "--hosts", host, "--command", "echo begun; sleep 2",
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


def shell(platform: Platform, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell line in which OPSJOB is the command and HERE says which platform."""
    env = clean_environment(
        OPSJOB=" ".join(command_line()), HERE=f"--data-dir {platform.data_dir}", **environment
    )
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_closed_pipe_is_quiet(platform: Platform, host: str) -> None:
    command = f"$OPSJOB run $HERE --hosts {host} --command 'seq 1 20000' 2>err | head -1"
    directory = platform.data_dir.parent

    done = shell(
        platform, f"cd {directory}; {command}; code=${{PIPESTATUS[0]}}; cat err; exit $code"
    )

    assert done.returncode == 141
    assert done.stdout.splitlines()[0] == f"{host} | 1"
    assert "Traceback" not in done.stdout + done.stderr
    assert "rror" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["hosts list", "status", "executions list --json"])
def test_a_full_disk_is_an_error(command: str, platform: Platform, host: str) -> None:
    done = shell(platform, f"$OPSJOB {command} $HERE > /dev/full")

    assert "space" in error_of(done)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(closed: str, platform: Platform, host: str) -> None:
    done = shell(platform, f"$OPSJOB hosts list $HERE {closed}")

    assert done.returncode == (2 if ">&-" in closed.replace("2>&-", "") else 0), done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_standard_input_that_is_closed_is_said_to_be(platform: Platform, host: str) -> None:
    done = shell(platform, f"$OPSJOB run $HERE --hosts {host} --script - <&-")

    assert "closed" in error_of(done)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("head -c 1000 /dev/urandom; printf '\\377'", "UTF-8"),
        ("yes | head -c 20000000", "too large"),
    ],
)
def test_what_is_no_script_is_refused(
    source: str, word: str, platform: Platform, host: str
) -> None:
    done = shell(platform, f"({source}) 2>/dev/null | $OPSJOB run $HERE --hosts {host} --script -")

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
    environment: dict[str, str], platform: Platform, host: str
) -> None:
    done = platform.cli("run", "--hosts", host, "--command", "echo 中文", **environment)

    assert done.returncode == 0, done.stderr
    assert done.stdout in (f"{host} | 中文\n", f"{host} | \\u4e2d\\u6587\n")
    assert "\x1b" not in done.stdout + done.stderr


def test_a_host_cannot_steer_the_terminal(platform: Platform, host: str) -> None:
    script = "printf '\\033]0;owned\\007\\033[2J\\302\\233 \\342\\200\\256abc\\n'"

    shown = platform.cli("run", "--hosts", host, "--command", script)
    raw = platform.cli("run", "--hosts", host, "--command", script, "--raw")

    assert shown.stdout == f"{host} | \\x1b]0;owned\\x07\\x1b[2J\\x9b \\u202eabc\n"
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


def test_proxies_of_the_environment_are_not_used(platform: Platform, host: str) -> None:
    evil = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

    assert platform.cli("hosts", "list", **evil, ALL_PROXY="http://127.0.0.1:9").returncode == 0


# ---- other errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("run", "--hosts", "1"),
        ("run", "--command", "true"),
        ("run", "--hosts", "1", "--command", "true", "--script", "x"),
        ("run", "--hosts", "1", "--command", "true", "--timeout", "ten"),
        ("run", "--hosts", "1", "--command", "true", "--env", "novalue"),
        ("run", "--hosts", "1", "--script", "/does/not/exist"),
        ("run", "--hosts", "1", "--script", "/"),
        ("run", "--hosts", "group:none", "--command", "true"),
        ("logs", "../../etc/passwd"),
        ("executions", "show", "01900000-0000-7000-8000-000000000000"),
        ("cancel", "01900000-0000-7000-8000-000000000000"),
        ("hosts", "list", "--limit", "0"),
        ("serve", "nothing"),
        ("migrate", "nothing"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], platform: Platform
) -> None:
    here = () if arguments[0] in ("serve", "migrate", "no-such-command") else (
        "--data-dir", str(platform.data_dir)
    )  # fmt: skip
    done = subprocess.run(
        command_line(*arguments, *here),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    error_of(done)


def test_a_server_that_is_not_there_is_one_line(platform: Platform, tmp_path: Path) -> None:
    done = subprocess.run(
        command_line("login", "-u", "a", "--password-stdin", "--server", "http://127.0.0.1:9"),
        env=clean_environment(XDG_CONFIG_HOME=str(tmp_path)),
        input="x\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "does not answer" in error_of(done)


def test_clients_start_without_the_server_side(platform: Platform) -> None:
    """`opsjob hosts list` must not pay for FastAPI, SQLAlchemy and the like."""
    heavy = ("fastapi", "sqlalchemy", "uvicorn", "redis", "services.registry", "libs.kit")
    program = (
        "import sys; from services.cli import run; "
        f"code = run(['hosts', 'list', '--data-dir', {str(platform.data_dir)!r}]); "
        f"print([name for name in {heavy!r} if name in sys.modules]); sys.exit(code)"
    )

    done = subprocess.run(
        [*command_line()[:1], "-c", program],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_users_are_made_and_locked_out(platform: Platform) -> None:
    name, password = f"op{os.getpid()}", "A long enough pass phrase 47!"

    made = platform.cli(
        "admin", "create-user", name, "--role", "operator", "--password-stdin", stdin=password
    )

    assert made.returncode == 0, made.stderr
    assert name in platform.cli("admin", "users").stdout
    assert platform.cli("admin", "disable-user", name).returncode == 0
    body = {"username": name, "password": password}
    answer = httpx.post(f"{platform.url}/api/auth/login/", json=body, trust_env=False)
    assert answer.status_code == 401


def test_a_token_lets_one_agent_in(platform: Platform) -> None:
    done = platform.cli("agents", "token", "--json")

    issued = json.loads(done.stdout)
    assert set(issued) >= {"token", "expires_at"}
    assert issued["token"] not in platform.cli("agents", "list", "--json").stdout


def test_watching_goes_on_while_the_token_expires(platform: Platform, host: str) -> None:
    """B118: the stored token is made useless while a command follows."""
    script = "for n in 1 2 3 4 5 6; do echo $n; sleep 0.5; done"
    watcher = subprocess.Popen(
        command_line(
            "run", "--hosts", host, "--command", script,
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
    assert (first + rest).splitlines() == [f"{host} | {n}" for n in range(1, 7)]
    assert eventually_sync(platform.is_ready, timeout=20)

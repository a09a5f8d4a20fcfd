"""Journeys on the command line: log in, look around, run, watch, cancel, fail clearly."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line, error_of

pytestmark = [pytest.mark.processes, pytest.mark.slow]


# ---- log in -----------------------------------------------------------------------------------


def test_log_in_look_and_log_out(platform: Platform, tmp_path: Path, local_host: str) -> None:
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
    assert local_host in opsjob("hosts", "list").stdout
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


def test_output_comes_with_the_host_before_it(platform: Platform, local_host: str) -> None:
    done = platform.cli("run", "--hosts", local_host, "--command", "echo one; echo two >&2")

    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"{local_host} | one", f"{local_host} | two"]
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
    platform: Platform, local_host: str, tmp_path: Path
) -> None:
    source = tmp_path / "script.py"
    source.write_text("import os, sys\nprint(sys.argv[1:], os.environ['GREETING'])\n")

    done = platform.cli(
        "run", "--hosts", local_host, "--script", str(source), "--arg", "-x", "--arg", "two words",
        "--env", "GREETING=a=b",
    )  # fmt: skip

    assert done.stdout == f"{local_host} | ['-x', 'two words'] a=b\n"


def test_a_script_from_standard_input(platform: Platform, local_host: str) -> None:
    done = platform.cli("run", "--hosts", local_host, "--script", "-", stdin="echo from stdin\n")

    assert done.stdout == f"{local_host} | from stdin\n"


@pytest.mark.parametrize(
    ("script", "word"),
    [("exit 3", "exit code 3"), ("kill -9 $$", "signal 9")],
)
def test_a_host_that_fails_makes_exit_code_1(
    script: str, word: str, platform: Platform, local_host: str
) -> None:
    done = platform.cli("run", "--hosts", local_host, "--command", script)

    assert done.returncode == 1
    assert word in done.stderr


def test_a_time_limit_makes_exit_code_1(platform: Platform, local_host: str) -> None:
    done = platform.cli("run", "--hosts", local_host, "--command", "sleep 60", "--timeout", "1")

    assert done.returncode == 1
    assert "timeout" in done.stderr


def test_a_run_without_watching_is_found_again(platform: Platform, local_host: str) -> None:
    started = platform.cli(
        "run",
        "--hosts",
        local_host,
        "--command",
        "echo later",
        "--no-follow",
        "--name",
        "Found again",
    )
    execution_id = started.stdout.strip()

    logs = platform.cli("logs", execution_id, "--follow")

    assert logs.returncode == 0, logs.stderr
    assert logs.stdout == f"{local_host} | later\n"
    assert platform.cli("logs", execution_id, "--host", local_host).stdout == "later\n"
    assert execution_id in platform.cli("executions", "list", "--search", "Found again").stdout
    shown = json.loads(platform.cli("executions", "show", execution_id, "--json").stdout)
    assert shown["status"] == "success"
    assert shown["tasks"][0]["host_name"] == local_host


def test_cancel_stops_the_script(platform: Platform, local_host: str, admin: httpx.Client) -> None:
    started = platform.cli("run", "--hosts", local_host, "--command", "sleep 300", "--no-follow")
    execution_id = started.stdout.strip()

    cancelled = platform.cli("cancel", execution_id, "--reason", "enough")

    assert cancelled.returncode == 0, cancelled.stderr
    assert platform.wait_ended(admin, execution_id, timeout=30)["status"] == "cancelled"


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
        "import sys; from services.cli import invoke; "
        f"code = invoke(['hosts', 'list', '--data-dir', {str(platform.data_dir)!r}]); "
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
    line = platform.cli("agents", "token").stderr
    assert "opsjob-agent enrol --state" in line
    assert f"--gateway {platform.agent_url} " in line
    assert f"--root-key {issued['root_fingerprint']}" in line

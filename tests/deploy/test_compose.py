"""The scaled profile's files: readable by the real tools, complete, without default secrets."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from services.registry import SERVICES
from tests.support.tree import REPOSITORY, tracked_files

BIN = Path(sys.executable).parent
SECRETS = {
    "OPSJOB_SECRET": "0123456789abcdef0123456789abcdef",
    "OPSJOB_DATABASE_PASSWORD": "correct0horse",
    "OPSJOB_DATABASE_PASSWORD_AUTH": "auth0battery",
    "OPSJOB_DATABASE_PASSWORD_HOSTS": "hosts0battery",
    "OPSJOB_DATABASE_PASSWORD_EXECUTION": "execution0battery",
    "OPSJOB_DATABASE_PASSWORD_SIGNER": "signer0battery",
    "OPSJOB_REDIS_PASSWORD": "battery0staple",
}
GATEWAYS = {"gateway-api", "gateway-agents"}
NOT_OURS = {"postgres", "valkey", "proxy"}
TASKS = {"worker": ["worker"], "migrate": ["migrate"]}

Container = dict[str, object]


def compose(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The real docker-compose from its wheel; it needs no engine to read a file."""
    return subprocess.run(
        [str(BIN / "docker-compose"), "--env-file", os.devnull, *arguments],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def containers() -> dict[str, Container]:
    shown = compose("--profile", "*", "config", "--format", "json", env=SECRETS)
    assert shown.returncode == 0, shown.stderr
    return cast("dict[str, Container]", json.loads(shown.stdout)["services"])


def environment(container: Container) -> dict[str, str]:
    return cast("dict[str, str]", container.get("environment") or {})


TLS = ("-f", "docker-compose.yml", "-f", "deploy/tls/docker-compose.tls.yml")


def test_s56_laid_over_it_every_part_of_ours_has_a_certificate_of_its_own() -> None:
    shown = compose(*TLS, "--profile", "*", "config", "--format", "json", env=SECRETS)
    assert shown.returncode == 0, shown.stderr
    found = cast("dict[str, Container]", json.loads(shown.stdout)["services"])
    script = (REPOSITORY / "deploy/tls/make-certificates.sh").read_text()
    parts = script.partition("for part in ")[2].partition(";")[0].split()

    assert set(parts) == found.keys() - NOT_OURS - {"agent"}
    for part in parts:
        volumes = cast("list[dict[str, str]]", found[part]["volumes"])
        (mounted,) = [one for one in volumes if one["target"] == "/run/opsjob-tls"]
        assert mounted["source"] == str(REPOSITORY / f"deploy/tls/certificates/{part}")
        given = environment(found[part])
        assert given["OPSJOB_SERVICE_URL"] == "https://{service}:8000"
        assert given["OPSJOB_TLS_CA_FILE"] == "/run/opsjob-tls/ca.pem"
        assert environment(containers()[part]).items() - given.items() <= {
            ("OPSJOB_SERVICE_URL", "http://{service}:8000")
        }
    for service in SERVICES:
        assert "https://localhost" in json.dumps(found[service]["healthcheck"])


def test_the_real_compose_accepts_the_file() -> None:
    checked = compose("config", "--quiet", env=SECRETS)

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("missing", SECRETS)
def test_a_missing_secret_stops_it(missing: str) -> None:
    env = {name: value for name, value in SECRETS.items() if name != missing}

    checked = compose("config", "--quiet", env=env)

    assert checked.returncode != 0
    assert missing in checked.stderr


def test_every_service_and_gateway_is_a_container_of_its_own() -> None:
    served = {
        command[1]: name
        for name, container in containers().items()
        if (command := cast("list[str]", container.get("command") or [""]))[0] == "serve"
    }

    assert served == {name: name for name in {*SERVICES, *GATEWAYS, "signer"}}


def test_s7_the_signer_has_a_user_and_a_volume_of_its_own() -> None:
    keys = {
        name
        for name, container in containers().items()
        for volume in cast("list[dict[str, str]]", container.get("volumes") or [])
        if volume.get("source") == "trust"
    }
    users = {name: str(container.get("user", "")) for name, container in containers().items()}

    assert keys == {"signer"}
    assert [name for name, user in users.items() if user == users["signer"]] == ["signer"]


def test_the_rest_is_known_by_name() -> None:
    others = containers().keys() - {*SERVICES, *GATEWAYS, *NOT_OURS, "agent", "signer"}

    assert {name: containers()[name].get("command") for name in others} == TASKS


def test_two_agent_gateways_run_side_by_side() -> None:
    deployed = cast("dict[str, object]", containers()["gateway-agents"]["deploy"])

    assert deployed["replicas"] == 2


def test_no_secret_stands_on_a_command_line() -> None:
    lines = {
        name: json.dumps([container.get("command"), container.get("healthcheck")])
        for name, container in containers().items()
    }

    assert not [
        name for name, line in lines.items() if any(secret in line for secret in SECRETS.values())
    ]


def test_only_the_proxy_is_reachable_from_outside() -> None:
    assert {name for name, container in containers().items() if container.get("ports")} == {"proxy"}


def test_our_containers_run_without_privileges() -> None:
    ours = {n: c for n, c in containers().items() if n not in {*NOT_OURS, "agent"}}

    assert {n for n, c in ours.items() if c.get("read_only") and c.get("cap_drop") == ["ALL"]} == {
        *ours
    }


def test_the_database_is_prepared_for_every_service() -> None:
    script = (REPOSITORY / "deploy/postgres/10-databases.sh").read_text()

    prepared = script.partition("for service in ")[2].partition(";")[0].split()

    assert prepared == list(SERVICES)


def test_s56_each_container_knows_the_passwords_of_its_own_roles_only() -> None:
    passwords = {value: name for name, value in SECRETS.items() if "DATABASE" in name}
    known = {
        name: {
            passwords[word].removeprefix("OPSJOB_DATABASE_PASSWORD").strip("_")
            for word in passwords
            if f":{word}@" in json.dumps(environment(container))
        }
        for name, container in containers().items()
        if name != "postgres"
    }

    assert {name: roles for name, roles in known.items() if roles} == {
        "auth": {"AUTH"},
        "hosts": {"HOSTS"},
        "execution": {"EXECUTION"},
        "signer": {"SIGNER"},
        "worker": {"AUTH", "HOSTS", "EXECUTION"},
        "migrate": {""},
    }


def test_every_variable_of_the_file_is_explained() -> None:
    example = (REPOSITORY / ".env.example").read_text()
    text = (REPOSITORY / "docker-compose.yml").read_text()
    used = {part.partition(":")[0].partition("}")[0] for part in text.split("${")[1:]}

    assert not {name for name in used if f"{name}=" not in example}


def test_the_example_holds_no_secret() -> None:
    lines = (REPOSITORY / ".env.example").read_text().splitlines()

    for name in SECRETS:
        assert f"{name}=" in lines


DOCKERFILES = [p for p in tracked_files() if p.name.endswith("Dockerfile")]


@pytest.mark.parametrize("path", DOCKERFILES, ids=str)
def test_hadolint_accepts_each_image(path: Path) -> None:
    checked = subprocess.run(
        [str(BIN / "hadolint"), str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=str)
def test_no_image_runs_as_root(path: Path) -> None:
    users = [
        line.split()[1]
        for line in (REPOSITORY / path).read_text().splitlines()
        if line.startswith("USER ")
    ]

    assert users
    assert users[-1].isdigit()
    assert users[-1] != "0"

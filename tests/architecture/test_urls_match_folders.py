"""The public URL spells the folder path: every route is defined where its URL says."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.registry import SERVICES, load
from tests.support.tree import REPOSITORY

RECORD = "/api/executor/execution-records/{execution_id}"

# The URL map of docs/architecture.md; the longest prefix wins.
URL_MAP = {
    "/api/auth": "services/auth",
    "/api/auth/users": "services/auth/users",
    "/api/auth/mfa": "services/auth/mfa",
    "/api/auth/oidc": "services/auth/oidc",
    "/api/auth/users/{user_id}/sessions": "services/auth/logins",
    "/api/auth/users/{user_id}/tokens": "services/auth/tokens",
    "/api/auth/groups": "services/auth/groups",
    "/api/auth/sessions": "services/auth/logins",
    "/api/auth/tokens": "services/auth/tokens",
    "/api/auth/step_up": "services/auth/step_up",
    "/api/auth/captcha": "services/auth/captcha",
    "/api/permissions/audit-logs": "services/auth/audit",
    "/api/permissions": "services/auth/access",
    "/api/permissions/roles": "services/auth/roles",
    "/api/permissions/permissions": "services/auth/roles",
    "/api/permissions/grants": "services/auth/grants",
    "/api/permissions/templates": "services/auth/presets",
    "/api/permissions/approvals": "services/auth/approvals",
    "/api/hosts": "services/hosts",
    "/api/hosts/groups": "services/hosts/groups",
    "/api/agents": "services/hosts/agents",
    "/api/agents/enrolment_tokens": "services/hosts/enrolment",
    "/api/agents/{agent_id}/quarantine": "services/hosts/quarantine",
    "/api/agents/{agent_id}/release": "services/hosts/quarantine",
    "/api/quick": "services/execution/quick",
    "/api/quick/transfer_file": "services/execution/distribution",
    "/api/quick/collect_files": "services/execution/distribution",
    "/api/files": "services/execution/files",
    "/api/files/uploads": "services/execution/uploads",
    "/api/executor/command_rules": "services/execution/rules",
    f"{RECORD}/collected": "services/execution/archives",
    "/api/executor": "services/execution",
    "/api/executor/execution-records/bulk_stop": "services/execution/control",
    f"{RECORD}/pause": "services/execution/control",
    f"{RECORD}/resume": "services/execution/control",
    f"{RECORD}/cancel": "services/execution/control",
    f"{RECORD}/force_terminate": "services/execution/control",
    f"{RECORD}/operation_logs": "services/execution/control",
    f"{RECORD}/tasks/{{task_id}}/cancel": "services/execution/control",
    f"{RECORD}/steps/{{step_id}}/skip": "services/execution/steps",
    f"{RECORD}/steps/{{step_id}}/confirm": "services/execution/steps",
    f"{RECORD}/ignore_step_error": "services/execution/steps",
    f"{RECORD}/retry_step": "services/execution/steps",
    f"{RECORD}/retry": "services/execution/reruns",
    f"{RECORD}/retry_history": "services/execution/reruns",
    f"{RECORD}/trace": "services/execution/reruns",
    f"{RECORD}/steps/{{step_id}}/content": "services/execution/outcomes",
    f"{RECORD}/steps/{{step_id}}/result": "services/execution/outcomes",
    f"{RECORD}/variables": "services/execution/outcomes",
    f"{RECORD}/logs": "services/execution/history",
    f"{RECORD}/steps/{{step_id}}/hosts/{{host_id}}/logs": "services/execution/history",
    f"{RECORD}/logs/search": "services/execution/searching",
    f"{RECORD}/logs/download": "services/execution/downloads",
    f"{RECORD}/output_groups": "services/execution/grouping",
    "/api/executor/security_events": "services/execution/incidents",
    "/api/realtime": "services/execution/realtime",
}


@dataclass(frozen=True)
class Place:
    """A route and the file that defines it."""

    service: str
    path: str
    file: Path


def places(service: str) -> list[Place]:
    """Every route that a service declares."""
    return [
        Place(service, route.path, source_of(route))
        for router in load(service).routers
        for route in flat(router.routes)
    ]


def flat(routes: list[BaseRoute]) -> Iterator[APIRoute]:
    """API routes; anything else in a service's router would escape this test."""
    for route in routes:
        assert isinstance(route, APIRoute), f"{route} is no API route"
        yield route


def source_of(route: APIRoute) -> Path:
    file = inspect.getsourcefile(inspect.unwrap(route.endpoint))
    assert file is not None
    return Path(file).resolve().relative_to(REPOSITORY)


def folder_of(path: str) -> str | None:
    """The folder that the URL map names for a public path."""
    matching = [p for p in URL_MAP if path == p or path.startswith(f"{p}/")]
    return URL_MAP[max(matching, key=len)] if matching else None


@pytest.mark.parametrize("service", SERVICES)
def test_every_public_route_lives_in_the_folder_of_its_url(service: str) -> None:
    public = [place for place in places(service) if not place.path.startswith("/internal/")]

    assert public
    assert not [
        f"{place.path} is defined in {place.file}, the map says {folder_of(place.path)}/router.py"
        for place in public
        if place.file.as_posix() != f"{folder_of(place.path)}/router.py"
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_internal_routes_are_defined_in_internal_and_nowhere_else(service: str) -> None:
    internal = {place.file.as_posix() for place in places(service) if "/internal" in place.path}
    others = {place.file.name for place in places(service) if "/internal" not in place.path}

    assert internal <= {f"services/{service}/internal.py"}
    assert "internal.py" not in others


def test_every_prefix_of_the_map_has_a_route() -> None:
    paths = [place.path for service in SERVICES for place in places(service)]

    assert not [
        prefix
        for prefix, folder in URL_MAP.items()
        if not any(folder_of(path) == folder and path.startswith(prefix) for path in paths)
    ]


def test_no_route_ends_with_a_slash() -> None:
    """The gateway takes the last slash away, so a route that has one could never be reached."""
    assert not [p.path for s in SERVICES for p in places(s) if p.path.endswith("/")]


def test_the_map_in_the_documentation_is_this_one() -> None:
    page = (REPOSITORY / "docs/architecture.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `/api/")]
    told = {
        row.split("|")[2].strip().strip("`"): row.split("|")[1]
        for row in rows
        if "services/" in row
    }

    assert set(told) == set(URL_MAP.values())
    for prefix, folder in URL_MAP.items():
        assert f"`{prefix}/" in told[folder]


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/api/hosts", "services/hosts"),
        ("/api/hosts/groups/{group_id}", "services/hosts/groups"),
        ("/api/hosts/groupsies", "services/hosts"),
        ("/api/elsewhere", None),
        (RECORD, "services/execution"),
        (f"{RECORD}/logs/search", "services/execution/searching"),
        (f"{RECORD}/logs/lines", "services/execution/history"),
        (f"{RECORD}/steps/{{step_id}}/skip", "services/execution/steps"),
        (f"{RECORD}/steps/{{step_id}}", "services/execution"),
    ],
)
def test_the_longest_prefix_decides(path: str, folder: str | None) -> None:
    assert folder_of(path) == folder

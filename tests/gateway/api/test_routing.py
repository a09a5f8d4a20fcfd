"""Which service answers which address, and that each address has one spelling."""

import contextlib
import time
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.errors import NoSuchAddress
from gateway.api.routing import URL_MAP, belongs_to_platform, canonical, route_of
from tests.gateway.api.parts import House, error_of

WRITTEN_OTHERWISE = [
    pytest.param(path, id=f"B025-{number:02}")
    for number, path in enumerate(
        [
            "//api/hosts",
            "/api//hosts",
            "/api/hosts//",
            "/./api/hosts",
            "/api/./hosts",
            "/api/quick/../hosts",
            "/api/hosts/..",
            "/api/%2e%2e/hosts",
            "/api/%2E/hosts",
            "/api%2fhosts",
            "/api/hosts/%2f",
            "/api%5chosts",
            "/api\\hosts",
            "/api/hosts/%00",
            "/api/hosts;x=1",
            "/api/hosts/;",
            "/%61pi/hosts",
            "/api/h%6Fsts",
            "/api/%c0%af",
            "/api/%c0%ae%c0%ae/hosts",
            "/api/\u00e9".encode().decode("latin-1"),
            "/api/%ef%bc%8e%ef%bc%8e/hosts",
            "/api/hosts/%e2%80%8b",
            "/api/hosts/%e2%80%ae",
            "/api/hosts/%",
            "/api/hosts/%zz",
            "/api/hosts/%0d%0aset-cookie:x",
            "/api/hosts/%3f",
            "/api/hosts/%23",
            "http://evil.test/api/hosts",
            "api/hosts",
            "*",
            "/api/hosts/.hidden",
            "",
        ]
    )
]


@pytest.mark.parametrize("raw_path", WRITTEN_OTHERWISE)
def test_any_other_spelling_of_a_path_is_no_address(raw_path: str) -> None:
    with pytest.raises(NoSuchAddress):
        canonical(raw_path.encode("latin-1"))


@pytest.mark.parametrize("end", [b"", b"%", b"//", b"\x00", b"%2e", b"/.", b";"])
@pytest.mark.parametrize("part", [b"a", b"a/", b"%e4%b8%bb", b"%e4%b8%bb/", b"a%20", b".", b"/"])
def test_no_path_takes_long_to_judge(part: bytes, end: bytes) -> None:
    raw_path = b"/x" + part * (2048 // len(part)) + end

    began = time.process_time()
    with contextlib.suppress(NoSuchAddress):
        canonical(raw_path)

    assert time.process_time() - began < 0.5  # a pattern that looks back would take for ever


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([b"/", b".", b"%2e", b"%2F", b"%5c", b"%00", b"%c0", b"%af", b";", b"\\"])
        | st.sampled_from([b"api", b"internal", b"hosts", b"%EF%BC%8E", b"%E4%B8%BB", b"%25", b" "])
        | st.binary(max_size=3),
        max_size=12,
    )
)
def test_whatever_is_sent_an_address_that_is_accepted_reads_in_one_way(parts: list[bytes]) -> None:
    raw_path = b"/" + b"".join(parts)
    try:
        path = canonical(raw_path)
    except NoSuchAddress:
        return

    segments = path.split("/")[1:]
    assert path == "/" or all(segments)
    assert not any(segment.startswith(".") for segment in segments)
    assert not set(path) & set("\\;%?#\0")
    assert path.isprintable()
    assert unquote(raw_path.decode("ascii")).removesuffix("/") in (path, "")


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        ("/", "/"),
        ("/api/hosts", "/api/hosts"),
        ("/api/hosts/", "/api/hosts"),
        ("/api/hosts/a..b/", "/api/hosts/a..b"),
        ("/api/x/%E4%B8%BB%E6%9C%BA/", "/api/x/主机"),
        ("/a%20b", "/a b"),
        ("/assets/index-B7x_9.js", "/assets/index-B7x_9.js"),
    ],
)
def test_a_path_loses_its_escapes_and_its_last_slash(raw_path: str, path: str) -> None:
    assert canonical(raw_path.encode("ascii")) == path


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/auth/login", "auth"),
        ("/api/permissions", "auth"),
        ("/api/hosts", "hosts"),
        ("/api/hosts/groups/3", "hosts"),
        ("/api/agents/x/disable", "hosts"),
        ("/api/quick/execute_script", "execution"),
        ("/api/executor/execution-records/1/logs", "execution"),
        ("/api/realtime/sse/logs/1", "execution"),
        ("/api/hostsx", None),
        ("/api", None),
        ("/hosts", None),
        ("/internal/sessions/resolve", None),
    ],
)
def test_the_longest_prefix_of_whole_segments_names_the_service(
    path: str, service: str | None
) -> None:
    route = route_of(path)

    assert (route.service if route else None) == service


def test_only_live_streams_are_marked_as_streams() -> None:
    assert [prefix for prefix, route in URL_MAP.items() if route.streams] == ["/api/realtime/sse"]


@pytest.mark.parametrize(
    "path", ["/API/hosts", "/Internal/x", "/HEALTH", "/metrics/x", "/ws/agent"]
)
def test_other_letter_cases_are_never_pages_of_the_console(path: str) -> None:
    assert belongs_to_platform(path)


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_slash_at_the_end_is_welcome_and_never_passed_on(house: House, slash: str) -> None:
    response = await house.client.get(f"/api/hosts/5{slash}?page=2", headers=house.bearer())

    assert response.status_code == 200
    assert response.json()["content"]["path"] == "/api/hosts/5"
    assert house.hosts.last.raw_path == "/api/hosts/5"
    assert house.hosts.last.query == "page=2"


@pytest.mark.parametrize(
    "path",
    [
        "/internal/sessions/resolve",
        "/internal",
        "/INTERNAL/hosts/resolve",
        "/api/internal/hosts/resolve",
        "/api/unknown/",
        "/api/",
        "/openapi.json",
        "/health/startup",
    ],
)
async def test_unknown_and_internal_addresses_do_not_exist(house: House, path: str) -> None:
    response = await house.client.get(path, headers=house.bearer())

    assert response.status_code == 404
    assert error_of(response) == "not_found"
    assert house.visits() == 0

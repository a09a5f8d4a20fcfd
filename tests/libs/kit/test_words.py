"""The small modules: errors, ids, time, settings, pages, logs, metrics, facts."""

import io
import json
import logging as stdlib
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from libs.kit import clock, ids, logging, metrics
from libs.kit.clock import StandingClock
from libs.kit.errors import (
    Conflict,
    NotFound,
    TooMany,
    Unavailable,
    envelope,
    render_error,
    revived,
    speaks_chinese,
)
from libs.kit.pagination import Page, PageParams
from libs.kit.settings import Settings
from tests.libs.kit.things import ThingMade


def test_the_envelope_repeats_the_status() -> None:
    assert envelope([1]) == {"code": 200, "message": "OK", "success": True, "content": [1]}
    assert envelope(None, status=409, message="no")["success"] is False


def test_an_error_is_rendered_for_its_reader() -> None:
    error = TooMany("Slow down.", zh="慢一点。", retry_after=3, limit=5)

    status, headers, body = render_error(error, request_id="r-1", language="zh-TW,en;q=0.8")

    document = json.loads(body)
    assert (status, document["message"]) == (429, "慢一点。")
    assert document["content"] == {
        "error": "too_many",
        "details": {"limit": 5},
        "request_id": "r-1",
    }
    assert ("retry-after", "3") in headers


def test_unavailable_always_says_when_to_come_back() -> None:
    assert Unavailable().retry_after == 2
    assert Unavailable(retry_after=9).retry_after == 9


def test_an_error_is_revived_with_its_code_and_unknown_ones_are_unavailable() -> None:
    revived_one = revived(404, code="host_not_found", message="No host.", details={"ids": [1]})

    assert isinstance(revived_one, NotFound)
    assert (revived_one.code, revived_one.message) == ("host_not_found", "No host.")
    assert NotFound().code == "not_found"
    assert isinstance(revived(500, code="internal", message="", details={}), Unavailable)


def test_every_family_speaks_both_languages() -> None:
    for family in (Conflict, NotFound, TooMany, Unavailable):
        assert family().message != family().message_zh


@pytest.mark.parametrize(
    ("header", "chinese"),
    [
        (None, False),
        ("", False),
        ("zh", True),
        ("zh-Hans-CN,en;q=0.9", True),
        ("en,zh;q=0.9", False),
        ("fr,zh;q=0.5", True),
        ("zh;q=0,en", False),
        ("zh;q=abc", False),
        ("en," * 50_000 + "zh", False),
    ],
)
def test_b29_the_language_is_chosen_in_constant_time(header: str | None, chinese: bool) -> None:
    assert speaks_chinese(header) is chinese


def test_ids_sort_by_creation_and_are_version_7() -> None:
    made = [ids.new_id() for _ in range(10_000)]

    assert made == sorted(set(made))
    pattern = TypeAdapter(ids.SortableId)
    assert all(pattern.validate_python(one) for one in made[:100])
    milliseconds = int(made[0].replace("-", "")[:12], 16)
    assert abs(milliseconds / 1000 - datetime.now(UTC).timestamp()) < 60


def test_ids_of_many_threads_are_unique() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend([ids.new_id() for _ in range(2000)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8000


@pytest.mark.parametrize("bad", [0, -1, 2**31, True, "x"])
def test_a_catalogue_id_fits_its_column(bad: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ids.Id).validate_python(bad, strict=True)


def test_secrets_are_long_and_different() -> None:
    assert len(ids.new_secret()) == 43
    assert ids.new_secret() != ids.new_secret()


def test_time_stands_still_in_tests(standing: StandingClock) -> None:
    before, ticks = clock.now(), clock.monotonic()

    standing.advance(timedelta(seconds=5))

    assert clock.now() - before == timedelta(seconds=5)
    assert clock.monotonic() - ticks == 5
    assert clock.now().tzinfo is UTC


def settings(**given: object) -> Settings:
    values: dict[str, object] = {
        "database_url": "sqlite:////d/{service}.db",
        "secret": "0123456789abcdef0123456789abcdef",
    }
    return Settings.model_validate(values | given)


def test_templates_name_the_service() -> None:
    assert settings().database_url_of("hosts") == "sqlite:////d/hosts.db"
    assert settings().service_url_of("hosts") == "http://hosts:8000"
    with pytest.raises(ValidationError, match="service"):
        settings(database_url="sqlite:////d/one.db")


@pytest.mark.parametrize("weak", ["", "short", "a" * 64])
def test_a_weak_secret_stops_the_start(weak: str) -> None:
    with pytest.raises(ValidationError):
        settings(secret=weak)


def test_a_missing_secret_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="secret"):
        Settings.model_validate({"database_url": "sqlite:////d/{service}.db"})


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSJOB_DATABASE_URL", "postgresql+asyncpg://u:p@h/opsjob_{service}")
    monkeypatch.setenv("OPSJOB_SECRET", "0123456789abcdef0123456789abcdef")

    read = Settings()

    assert read.database_url_of("auth").endswith("/opsjob_auth")
    assert "0123" not in repr(read)


def test_a_page_counts_from_one() -> None:
    params = PageParams(3, 20)

    assert params.offset == 40
    assert Page.of(["a"], total=41, params=params).model_dump() == {
        "total": 41,
        "page": 3,
        "page_size": 20,
        "results": ["a"],
    }


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = stdlib.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logging.configure("INFO", stream)
    yield stream
    root.handlers, root.level = handlers, level


def test_logs_are_json_lines_with_ids(lines: io.StringIO) -> None:
    token = logging.request_id.set("request-1")
    logging.get_logger("a.b").info("Host registered.", host_id=7)
    logging.request_id.reset(token)
    stdlib.getLogger("library").warning("from %s", "stdlib")

    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (ours["event"], ours["host_id"], ours["request_id"]) == (
        "Host registered.",
        7,
        "request-1",
    )
    assert (ours["level"], ours["logger"]) == ("info", "a.b")
    assert (theirs["event"], theirs["level"]) == ("from stdlib", "warning")


def test_libraries_that_tell_every_step_are_heard_from_warnings_on(lines: io.StringIO) -> None:
    for name in ("casbin.policy", "httpx", "arq.worker"):
        stdlib.getLogger(name).info("every step")
        stdlib.getLogger(name).warning("trouble")

    said = [json.loads(line)["event"] for line in lines.getvalue().splitlines()]
    assert said == ["trouble"] * 3


def test_no_secret_reaches_the_log(lines: io.StringIO) -> None:
    log = logging.get_logger("a")
    log.info("One.", password="hunter2", headers={"Authorization": "Bearer hunter2hunter2"})
    log.info("Two.", url="postgresql://ops:hunter2@db/x", reason="Bearer hunter2hunter2 is bad")
    try:
        raise ValueError("redis://:hunter2@host/0")
    except ValueError as error:
        log.error("Three.", exc_info=error)

    assert "hunter2" not in lines.getvalue()
    assert "postgresql://ops:***@db/x" in lines.getvalue()
    assert "ValueError" in lines.getvalue()


def test_a_metric_is_made_once() -> None:
    first = metrics.counter("opsjob_test_things", "Things.", ["kind"])

    metrics.counter("opsjob_test_things", "Things.", ["kind"]).labels("a").inc()

    assert metrics.counter("opsjob_test_things", "Things.", ["kind"]) is first
    kind, body = metrics.exposition()
    assert re.search(rb'opsjob_test_things_total\{kind="a"\} 1\.0', body)
    assert kind.startswith("text/plain")
    metrics.gauge("opsjob_test_level", "Level.").set(3)
    metrics.histogram("opsjob_test_seconds", "Time.").observe(0.2)


def test_a_fact_is_stamped_once() -> None:
    fact = ThingMade(name="a").stamped("t-1")

    assert (fact.trace_id, len(fact.event_id)) == ("t-1", 36)
    assert fact.stamped("t-2") is fact
    assert ThingMade.model_validate_json(fact.model_dump_json()) == fact
    assert ThingMade.model_validate({"name": "a", "added_later": 1}).name == "a"


def test_ids_go_on_after_a_fork() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, ids.new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert len(os.read(reading, 100)) == 36
    os.close(reading)
    os.close(writing)

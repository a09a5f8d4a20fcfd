"""Event ids name a place, and nothing in an event can end it early."""

import pytest

from services.execution.realtime.domain import Place, event, place_of


@pytest.mark.parametrize(
    ("kind", "event_id", "place"),
    [
        ("logs", "120", Place(0, 120)),
        ("status", "7", Place(7, 0)),
        ("combined", "7-120", Place(7, 120)),
        ("logs", None, Place()),
        ("logs", "", Place()),
    ],
)
def test_an_id_names_the_place_behind_its_event(
    kind: str, event_id: str | None, place: Place
) -> None:
    assert place_of(kind, event_id) == place


@pytest.mark.parametrize(
    ("kind", "event_id"),
    [
        ("logs", "-1"),
        ("logs", "1e5"),
        ("logs", "1" * 31),
        ("logs", "abc"),
        ("logs", "7-120"),
        ("combined", "120"),
        ("combined", "7-"),
        ("logs", "1\r\n2"),
        ("logs", "1\0"),
        ("logs", "١٢"),
    ],
    ids=[f"B099-{number}" for number in range(10)],
)
def test_an_id_of_another_stream_or_none_is_refused(kind: str, event_id: str) -> None:
    assert place_of(kind, event_id) is None


@pytest.mark.parametrize("text", ["data: x\n\nevent: end", "\r\n\r\n", "\u2028", "a\x00b"])
def test_b112_text_cannot_end_an_event(text: str) -> None:
    written = event("log", "1", {"text": text})

    assert written.count(b"\n") == 4
    assert written.count(b"\r") == 0
    assert written.endswith(b"\n\n")

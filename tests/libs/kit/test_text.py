"""Names and documents from outside."""

import time

import pytest
from pydantic import TypeAdapter, ValidationError

from libs.kit.errors import Invalid, Malformed
from libs.kit.text import Name, SafeText, parse_json

NAME: TypeAdapter[str] = TypeAdapter(Name)
TEXT: TypeAdapter[str] = TypeAdapter(SafeText)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("web-1", "web-1"),
        ("  web 1 ", "web 1"),
        ("web\u00a0\u30001", "web 1"),
        ("e\u0301", "é"),
        ("主机一", "主机一"),
        ("NULL", "NULL"),
        ("<script>", "<script>"),
        ("a" * 128, "a" * 128),
        ("👩", "👩"),
    ],
)
def test_a_name_is_kept_in_one_form(given: str, kept: str) -> None:
    assert NAME.validate_python(given) == kept


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "   ",
        ".",
        "..",
        "-rf",
        "--help",
        "a\nb",
        "a\tb",
        "a\x1b[2Jb",
        "a\x9bb",
        "a\0b",
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "a\ufeffb",
        "a\u00adb",
        "a\U000e0041b",
        "a\ue000b",
        "a\ufffeb",
        "a\u2028b",
        "a" + "\u0301" * 6,
        "a" * 129,
        "汉" * 129,
        "a" * 1_000_000,
    ],
)
def test_b46_to_b52_names_that_deceive_are_refused(bad: str) -> None:
    began = time.process_time()
    with pytest.raises(ValidationError):
        NAME.validate_python(bad)
    assert time.process_time() - began < 1  # whatever else this machine does


def test_text_is_kept_as_it_is() -> None:
    assert TEXT.validate_python("  a\r\n\u200b ") == "  a\r\n\u200b "


@pytest.mark.parametrize("bad", ["a\0", "a\ud800", "a" * 2001])
def test_text_that_cannot_be_stored_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(bad)


def test_a_document_is_read_as_json_says() -> None:
    document = parse_json(b'{"a":[1,-2.5e3,true,null,"\\ud83d\\ude00"],"b":{"c":""}}')

    assert document == {"a": [1, -2500.0, True, None, "😀"], "b": {"c": ""}}


def test_brackets_in_strings_are_no_depth() -> None:
    assert parse_json(b'{"script":"' + b"[{" * 500 + b'"}') == {"script": "[{" * 500}


def test_sixty_four_levels_are_enough() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64)
    with pytest.raises(Malformed):
        parse_json(b"[" * 65 + b"]" * 65)


@pytest.mark.parametrize(
    "body",
    [b'{"a":"' + b'\\"' * 500_000, b"[" * 500_000, b'{"a":' * 100_000, b'"\\' * 300_000],
)
def test_b4_hostile_documents_are_refused_at_once(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Malformed):
        parse_json(body)
    assert time.process_time() - began < 1  # a look back from every place would take minutes


@pytest.mark.parametrize("number", [b"9223372036854775808", b"-9223372036854775808", b"1" * 5000])
def test_integers_beyond_the_databases_are_invalid(number: bytes) -> None:
    with pytest.raises(Invalid):
        parse_json(b'{"a":' + number + b"}")


def test_what_cannot_be_stored_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        parse_json(b'{"a":[{"b":"\\u0000"}]}')

    fields = caught.value.details["fields"]
    assert isinstance(fields, list)
    assert fields[0]["field"] == "body.a.0.b"

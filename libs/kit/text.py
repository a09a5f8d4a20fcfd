"""Text from outside: names, descriptions and JSON documents, and what is refused in them."""

import json
import re
import unicodedata
from typing import Annotated, Final, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field

from libs.kit.errors import Invalid, Malformed

MAX_DEPTH: Final = 64
MAX_NAME: Final = 128
MAX_NAME_BYTES: Final = 384
MAX_TEXT: Final = 2000
_LARGEST: Final = 2**63 - 1

# Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, odd separators.
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# A string, closed or cut off by the end: an unclosed one must not be scanned twice.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|$)', re.S)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")


def unhidden(value: str) -> str:
    """A name as people see it: NFC, single spaces, trimmed, nothing invisible.

    Raises ValueError for control, bidi, zero-width and private characters, for more than four
    combining marks in a row, and for the names ``.`` and ``..`` or a leading hyphen.
    """
    text = unicodedata.normalize("NFC", value)
    text = " ".join(part for part in re.split(r"[ \u00a0\u3000\u2000-\u200a\u202f\u205f]+", text))
    text = text.strip(" ")
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in _HIDDEN:
            raise ValueError(_hidden(character))
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > 4:
            message = "too many combining marks on one letter"
            raise ValueError(message)
    if text in ("", ".", "..") or text.startswith("-"):
        message = "a name cannot be empty, . or .., or begin with a hyphen"
        raise ValueError(message)
    if len(text) > MAX_NAME or len(text.encode()) > MAX_NAME_BYTES:
        message = f"a name has at most {MAX_NAME} characters"
        raise ValueError(message)
    return text


def _hidden(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed in a name"


def storable(value: str) -> str:
    """Text as it is, unless a database or a JSON document could not hold it: NUL, surrogates."""
    if "\0" in value:
        message = "the character U+0000 is not allowed"
        raise ValueError(message)
    try:
        value.encode()
    except UnicodeEncodeError:
        message = "a lone surrogate is not a character"
        raise ValueError(message) from None
    return value


def _short_enough(value: object) -> object:
    """Look at the length before anything slow is done with the text."""
    if isinstance(value, str) and len(value) > 4 * MAX_NAME:
        message = f"a name has at most {MAX_NAME} characters"
        raise ValueError(message)
    return value


Name = Annotated[str, BeforeValidator(_short_enough), AfterValidator(unhidden)]
"""What people call a thing: 1 to 128 visible characters, normalised, one line."""

SafeText = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(storable)]
"""Free text of up to 2,000 characters; kept as it is."""


def parse_json(body: bytes) -> object:
    """The one way in which JSON from outside is read.

    Raises Malformed (400) for anything but exactly one document in UTF-8 without a BOM: duplicate
    keys, NaN and infinities, nesting beyond 64, garbage after the end. Raises Invalid (422) for
    values that cannot be stored: NUL, lone surrogates, integers beyond 64 bits.
    """
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _too_deep(body):
        raise Malformed("The JSON is nested too deeply.", zh="JSON 嵌套层级过深。")
    try:
        document: object = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if b"\\u" in body:
        _refuse_unstorable(document, "body")
    return document


def _too_deep(body: bytes) -> bool:
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise Malformed("A key occurs twice in a JSON object.", zh="JSON 对象中存在重复的键。")
    return document


def _refuse_constant(text: str) -> NoReturn:
    raise Malformed(f"{text} is not a JSON number.", zh=f"{text} 不是有效的 JSON 数值。")


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > _LARGEST:
        raise Invalid("A number is too large.", zh="数值过大。")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Malformed("A number is too large.", zh="数值过大。")
    return value


def _refuse_unstorable(document: object, where: str) -> None:
    """Walk the document; its depth is bounded by now."""
    if isinstance(document, str):
        try:
            storable(document)
        except ValueError as error:
            raise Invalid(
                "The text contains a character that cannot be stored.",
                zh="文本中包含无法存储的字符。",
                fields=[{"field": where, "message": str(error)}],
            ) from error
    elif isinstance(document, dict):
        for key, value in document.items():
            _refuse_unstorable(key, where)
            _refuse_unstorable(value, f"{where}.{key}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            _refuse_unstorable(value, f"{where}.{index}")

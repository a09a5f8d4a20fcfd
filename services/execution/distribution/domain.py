"""Reads a form with files as it comes: fields into memory within bounds, files as streams."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from libs.kit.errors import Invalid, Malformed, TooLarge

MAX_FIELD_BYTES: Final = 1024 * 1024
MAX_PARTS: Final = 200
_BOUNDARY: Final = re.compile(r"[A-Za-z0-9'()+_,./:=? -]{1,70}", re.ASCII)
_TEXTS: Final = frozenset(
    {
        "name", "remote_path", "overwrite_policy", "transfer_mode", "mode", "folder_mode",
        "owner", "group", "run_as", "account", "execution_mode", "rolling_strategy", "local_path",
    }
)  # fmt: skip
"""Fields that are text; the others hold JSON, as they do in a body of JSON."""


class FormRefused(Malformed):
    """What came is not a form that can be read in one way only."""

    code = "form_malformed"
    message = "The form cannot be read."
    message_zh = "无法解析表单。"


class FieldTooLarge(TooLarge):
    """A field that is no file has at most 1 MiB."""

    code = "form_field_too_large"
    message = "A field of the form is too large."
    message_zh = "表单字段过大。"


@dataclass
class FilePart:
    """A file in the form; read all of `content` before the next part."""

    field: str
    name: str
    content: AsyncIterator[bytes]


@dataclass(frozen=True)
class FieldPart:
    """A field in the form."""

    field: str
    text: str


def boundary_of(content_type: str) -> str | None:
    """The boundary of a form, None if it is something else; raises FormRefused for a bad one."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        return None
    boundary = str(options.get("boundary", ""))
    if not _BOUNDARY.fullmatch(boundary) or boundary.endswith(" "):
        raise FormRefused(header="content-type")
    return boundary


async def parts_of(
    body: AsyncIterator[bytes], boundary: str
) -> AsyncIterator[FilePart | FieldPart]:
    """The parts in their order. Raises FormRefused, FieldTooLarge; memory stays bounded."""
    events = _events(body, boundary)
    seen: set[str] = set()
    async for event in events:
        if not isinstance(event, MultipartSegment):
            continue
        name = event.name
        if not name or len(name) > 200 or (event.filename is None and name in seen):
            raise FormRefused(field=str(name)[:200])
        seen.add(name)
        if event.filename is None:
            yield FieldPart(name, await _text(events))
        else:
            yield FilePart(name, event.filename, _content(events))


async def _events(
    body: AsyncIterator[bytes], boundary: str
) -> AsyncIterator[MultipartSegment | bytes | bytearray | None]:
    parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS, strict=True)
    try:
        async for chunk in body:
            if not chunk:
                continue
            for event in parser.parse(chunk):
                yield event
            if len(parser._buffer) > MAX_FIELD_BYTES:
                raise FormRefused
        parser.close()
    except MultipartError as error:
        raise FormRefused(reason=str(error)[:200]) from None


async def _text(events: AsyncIterator[MultipartSegment | bytes | bytearray | None]) -> str:
    content = bytearray()
    async for event in events:
        if event is None:
            break
        assert not isinstance(event, MultipartSegment)
        content += event
        if len(content) > MAX_FIELD_BYTES:
            raise FieldTooLarge(limit=MAX_FIELD_BYTES)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise FormRefused(reason="not UTF-8") from None


async def _content(
    events: AsyncIterator[MultipartSegment | bytes | bytearray | None],
) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            return
        assert not isinstance(event, MultipartSegment)
        yield bytes(event)


def document_of(fields: dict[str, str]) -> dict[str, object]:
    """The fields of a form as the body of JSON that they stand for; raises Invalid."""
    document: dict[str, object] = {}
    for name, text in fields.items():
        if name in _TEXTS:
            document[name] = text
            continue
        try:
            document[name] = json.loads(text)
        except (ValueError, RecursionError):
            raise Invalid(
                f"The field {name} is no JSON.", zh=f"字段 {name} 不是 JSON。", field=name[:200]
            ) from None
    return document

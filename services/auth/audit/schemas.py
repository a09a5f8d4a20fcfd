"""What the API of the audit log takes and shows, and the forms of an export."""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import IO, Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
)

from libs.kit.ids import Id
from libs.kit.service import Moment, Row, Schema
from libs.kit.text import storable
from services.auth.audit.domain import Record

_LARGEST_SEQ: Final = 2**53
MAX_XLSX_ROWS: Final = 1_000_000
"""A sheet holds 1,048,576 rows."""

Text = Annotated[str, AfterValidator(storable)]


class ExportForm(StrEnum):
    """How records are exported."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


class AuditQuery(BaseModel):
    """Filters of the audit log; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: Annotated[Text, StringConstraints(max_length=128)] | None = None
    """Part of an actor's name, an action, an object's name or id, or the detail."""
    user_id: Id | None = None
    action: Annotated[Text, StringConstraints(max_length=64)] | None = None
    """One action, or with a dot at its end all that begin so: `user.`."""
    success: bool | None = None
    resource_type: Annotated[Text, StringConstraints(max_length=32)] | None = None
    resource_id: Annotated[Text, StringConstraints(max_length=64)] | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    ip_address: Annotated[Text, StringConstraints(max_length=64)] | None = None

    def said(self) -> dict[str, JsonValue]:
        """The filters that are set, as they are recorded about an export."""
        found: dict[str, JsonValue] = self.model_dump(mode="json", exclude_none=True)
        return {k: v for k, v in found.items() if k in AuditQuery.model_fields}


class AuditListQuery(AuditQuery):
    """Filters, and which stretch of what matches."""

    cursor: Annotated[int, Field(ge=1, le=_LARGEST_SEQ)] | None = None
    """The `next_cursor` of the stretch before; without one, the newest records."""
    page_size: Annotated[int, Field(ge=1, le=200)] = 50


class AuditExportQuery(AuditQuery):
    """Filters and the form of an export."""

    format: ExportForm = ExportForm.CSV


class AuditOut(Row):
    """One record. `success` is false for what was refused or failed."""

    id: int
    occurred_at: datetime
    recorded_at: datetime
    user_id: int | None
    username: str
    actor_kind: str
    action: str
    resource_type: str
    resource_id: str
    resource_name: str
    outcome: str
    success: bool
    ip_address: str
    user_agent: str
    request_id: str
    detail: str
    repeats: int
    """How many equal refusals this record stands for."""


class ChangeOut(Row):
    """One field of the object; null where it was or is not there."""

    field: str
    before: JsonValue
    after: JsonValue


class AuditDetail(AuditOut):
    """One record with what changed and its place in the chain."""

    before: dict[str, JsonValue] | None
    after: dict[str, JsonValue] | None
    changes: list[ChangeOut]
    trace_id: str
    event_id: str
    prev_hash: str
    hash: str


class AuditPage(Row):
    """Records, newest first; `next_cursor` is null at the end."""

    results: list[AuditOut]
    next_cursor: int | None


class RefusalReport(Schema):
    """What the gateway refused, and how often."""

    action: Annotated[str, StringConstraints(max_length=64)]
    code: Annotated[str, StringConstraints(max_length=64)]
    place: Annotated[str, StringConstraints(max_length=200)]
    username: Annotated[str, StringConstraints(max_length=64)] = ""
    address: Annotated[str, StringConstraints(max_length=64)]
    user_agent: Annotated[str, StringConstraints(max_length=200)]
    request_id: Annotated[str, StringConstraints(max_length=64)]
    repeats: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1


class RefusalReports(Schema):
    """A batch of them."""

    refusals: Annotated[list[RefusalReport], Field(max_length=1000)]


# ---- what is shown ---------------------------------------------------------------------------


def shown(record: Record) -> AuditOut:
    """A record as a list shows it."""
    return AuditOut(**_columns(record))


def detailed(record: Record) -> AuditDetail:
    """A record with its states and what differs between them."""
    before, after = _state(record.before), _state(record.after)
    return AuditDetail(
        **_columns(record),
        before=before,
        after=after,
        changes=_changes(before or {}, after or {}),
        trace_id=record.trace_id,
        event_id=record.event_id,
        prev_hash=record.prev_hash,
        hash=record.hash,
    )


def _columns(record: Record) -> dict[str, JsonValue | datetime]:
    return {
        "id": record.seq,
        "occurred_at": record.occurred_at,
        "recorded_at": record.recorded_at,
        "user_id": record.actor_id or None,
        "username": record.actor_name,
        "actor_kind": record.actor_kind,
        "action": record.action,
        "resource_type": record.object_type,
        "resource_id": record.object_id,
        "resource_name": record.object_name,
        "outcome": record.outcome,
        "success": record.outcome == "success",
        "ip_address": record.address,
        "user_agent": record.user_agent,
        "request_id": record.request_id,
        "detail": record.detail,
        "repeats": record.repeats,
    }


def _state(text: str | None) -> dict[str, JsonValue] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return {"…": text[:1000]}
    return found if isinstance(found, dict) else {"…": found}


def _changes(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> list[ChangeOut]:
    names = dict.fromkeys([*before, *after])
    return [
        ChangeOut(field=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


# ---- exports ---------------------------------------------------------------------------------

MEDIA_TYPES: Final = {
    ExportForm.CSV: "text/csv; charset=utf-8",
    ExportForm.JSONL: "application/x-ndjson",
    ExportForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_HEADINGS: Final = (*AuditOut.model_fields, "before", "after", "hash")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def csv_head() -> bytes:
    """The first line, after the mark by which spreadsheets know UTF-8."""
    return b"\xef\xbb\xbf" + _csv([list(_HEADINGS)])


def csv_rows(records: Iterable[Record]) -> bytes:
    """Lines of CSV; a text that a spreadsheet would take for a formula gets a quote before it."""
    return _csv([[_harmless(cell) for cell in _cells(record)] for record in records])


def jsonl_rows(records: Iterable[Record]) -> bytes:
    """Lines of JSON with every field, among them what the hash covers."""
    lines = (detailed(record).model_dump_json(exclude={"changes"}) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()


class Workbook:
    """An XLSX file that is written row by row with the memory for one; it is a temporary file."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = import_module("xlsxwriter").Workbook(self.file, options)  # 3 MB, seldom used
        self._sheet = self._book.add_worksheet("audit")
        self._row = 0
        self._add(list(_HEADINGS))

    def add(self, records: Iterable[Record]) -> None:
        """Writes rows; texts stay texts, whatever they look like."""
        for record in records:
            self._add(_cells(record))

    def _add(self, cells: list[object]) -> None:
        for number, cell in enumerate(cells):
            if isinstance(cell, bool | int):
                self._sheet.write(self._row, number, cell)
            else:
                self._sheet.write_string(self._row, number, str(cell)[:32_000])
        self._row += 1

    def finished(self, size: int = 64 * 1024) -> Iterator[bytes]:
        """Completes the file and gives its bytes."""
        self._book.close()
        self.file.seek(0)
        while piece := self.file.read(size):
            yield piece

    def close(self) -> None:
        """Lets go of the file."""
        self.file.close()


def _cells(record: Record) -> list[object]:
    row = [_cell(value) for value in _columns(record).values()]
    return [*row, record.before or "", record.after or "", record.hash]


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


def _csv(rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()

"""The audit log for those who may read it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from libs.kit import clock
from libs.kit.auth import Principal, require
from libs.kit.ids import Id
from libs.kit.service import provided
from services.auth.audit.schemas import (
    MEDIA_TYPES,
    AuditDetail,
    AuditExportQuery,
    AuditListQuery,
    AuditPage,
    detailed,
    shown,
)
from services.auth.audit.service import AuditLog

router = APIRouter(prefix="/api/permissions/audit-logs", tags=["audit"])

AuditUseCases = Annotated[AuditLog, provided(AuditLog)]
Reader = Annotated[Principal, require("audit:read")]


@router.get("")
async def list_audit_logs(
    query: Annotated[AuditListQuery, Query()], records: AuditUseCases, by: Reader
) -> AuditPage:
    """What was done, newest first; `next_cursor` leads on. Unknown parameters are refused."""
    found, following = await records.page(query)
    return AuditPage(results=[shown(one) for one in found], next_cursor=following)


@router.get("/export", response_class=StreamingResponse)
async def export_audit_logs(
    query: Annotated[AuditExportQuery, Query()], records: AuditUseCases, by: Reader
) -> StreamingResponse:
    """Everything that matches as CSV, XLSX or JSON lines; the export itself is recorded.

    422 `export_too_large` where a sheet could not hold it.
    """
    pieces = await records.export(query, query.format)
    name = f"audit-{clock.now():%Y%m%d-%H%M%S}.{query.format}"
    return StreamingResponse(
        pieces,
        media_type=MEDIA_TYPES[query.format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


@router.get("/{record_id}")
async def show_audit_log(record_id: Id, records: AuditUseCases, by: Reader) -> AuditDetail:
    """One record with what changed and its place in the chain."""
    return detailed(await records.one(record_id))

"""Turns requests to move files into executions; a form's files go into the library first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from libs.kit.auth import Principal
from libs.kit.errors import AppError, Invalid
from services.execution.distribution.domain import FieldPart, FilePart, document_of, parts_of
from services.execution.distribution.schemas import CollectRun, TransferRun
from services.execution.errors import NoTargets
from services.execution.files.domain import FileNotThere, file_name
from services.execution.files.schemas import FileOut
from services.execution.files.service import Files
from services.execution.plans.domain import Client, ExecutionType
from services.execution.plans.schemas import Accepted
from services.execution.plans.service import Plans, RequestKey
from services.execution.uploads.service import Uploads


@dataclass
class Form:
    """What a form has brought: fields, and files that are in the library already."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileOut] = field(default_factory=dict)


class Distribution:
    """Moving files now."""

    def __init__(self, plans: Plans, files: Files, uploads: Uploads) -> None:
        self._plans = plans
        self._files = files
        self._uploads = uploads

    async def transfer(
        self, request: TransferRun, by: Principal, key: str | None, client: Client
    ) -> Accepted:
        """Accept a transfer; with a key, repeated requests get the first one's answer."""
        whole = _with_files(request, {})  # parts of a form exist in a form only
        return await self._transfer(whole, by, RequestKey.of(request, key), client)

    async def _transfer(
        self, request: TransferRun, by: Principal, key: RequestKey | None, client: Client
    ) -> Accepted:
        _check_targets(request.target_host_ids, request.target_group_ids)
        return await self._plans.run(
            request.execution(),
            by,
            key,
            client,
            execution_type=ExecutionType.QUICK_FILE_TRANSFER,
        )

    async def collect(
        self, request: CollectRun, by: Principal, key: str | None, client: Client
    ) -> Accepted:
        """Accept a collection."""
        _check_targets(request.target_host_ids, request.target_group_ids)
        return await self._plans.run(
            request.execution(),
            by,
            RequestKey.of(request, key),
            client,
            execution_type=ExecutionType.QUICK_FILE_TRANSFER,
        )

    async def transfer_form(
        self,
        body: AsyncIterator[bytes],
        boundary: str,
        by: Principal,
        key: str | None,
        client: Client,
    ) -> Accepted:
        """The same from a form. If nothing comes of it, its files leave the library again."""
        form = Form()
        try:
            await self._read(form, body, boundary, by)
            request = _request(form)
            marks = {name: file.sha256[:36] for name, file in form.files.items()}
            ids = {name: file.id for name, file in form.files.items()}
            request_key = RequestKey.of(_with_files(request, marks), key)
            accepted = await self._transfer(_with_files(request, ids), by, request_key, client)
        except BaseException:
            await self._forget(form, by)
            raise
        if not accepted.created:
            await self._forget(form, by)
        return accepted

    async def _read(
        self, form: Form, body: AsyncIterator[bytes], boundary: str, by: Principal
    ) -> None:
        async for part in parts_of(body, boundary):
            if isinstance(part, FieldPart):
                form.fields[part.field] = part.text
            else:
                await self._take(form, part, by)

    async def _take(self, form: Form, part: FilePart, by: Principal) -> None:
        try:
            name = file_name(part.name)
        except ValueError as error:
            raise Invalid(str(error), zh="文件名无效。", field=part.field) from None
        known = part.field if part.field not in form.files else f"{part.field}#{len(form.files)}"
        form.files[known] = await self._uploads.take_whole(name, part.content, by)

    async def _forget(self, form: Form, by: Principal) -> None:
        for file in form.files.values():
            try:
                await self._files.delete(file.id, by)
            except (FileNotThere, AppError):
                continue


def _check_targets(host_ids: list[int], group_ids: list[int]) -> None:
    if not host_ids and not group_ids:
        raise NoTargets()


def _request(form: Form) -> TransferRun:
    """What the fields say; files that no source names are sources of their own."""
    document = document_of(form.fields)
    sources = document.get("sources")
    named = {
        str(source.get("file_field"))
        for source in (sources if isinstance(sources, list) else [])
        if isinstance(source, dict)
    }
    rest = [{"type": "local", "file_field": name} for name in form.files if name not in named]
    document["sources"] = [*(sources if isinstance(sources, list) else []), *rest]
    try:
        return TransferRun.model_validate(document)
    except ValidationError as error:
        raise refused(error) from None


def _with_files(request: TransferRun, files: dict[str, str]) -> TransferRun:
    try:
        return request.with_files(files)
    except ValueError as error:
        raise Invalid(str(error), zh="表单中缺少来源文件。", field="sources") from None


def refused(error: ValidationError) -> Invalid:
    """What is wrong with a body, field by field; never what was in it."""
    fields = [
        {
            "field": ".".join(str(part)[:100] for part in one["loc"]),
            "type": str(one["type"]),
            "message": str(one["msg"])[:300],
        }
        for one in error.errors(include_url=False, include_input=False, include_context=False)[:50]
    ]
    return Invalid(fields=fields)

"""What leaves a service when something went wrong, and what it says about itself."""

import re
from time import perf_counter
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.kit import metrics
from libs.kit.acting import arrived, left
from libs.kit.errors import (
    FAMILIES,
    AppError,
    Invalid,
    NotFound,
    Refused,
    Unauthenticated,
    render_error,
)
from libs.kit.ids import new_id
from libs.kit.logging import get_logger, language, request_id, trace_id
from libs.kit.refusals import Refusal, Refusals

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

log = get_logger(__name__)
seconds = metrics.histogram(
    "opsjob_http_seconds", "Time to answer a request.", ["service", "method", "status"]
)


def answer_errors(app: FastAPI) -> None:
    """The one place where errors become answers."""

    async def expected(request: Request, error: Exception) -> Response:
        assert isinstance(error, AppError)
        _note_refusal(request, error)
        return _error_response(request.scope, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _error_response(request.scope, Invalid(fields=_fields(error)))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        family = FAMILIES.get(error.status_code, NotFound)
        answer = _error_response(request.scope, family())
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer

    app.add_exception_handler(AppError, expected)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)


def _note_refusal(request: Request, error: AppError) -> None:
    """Refusals are accounted for: what says so itself, 403, and callers that are nobody."""
    about = error.refused
    if about is None and error.status != 403 and error.code != Unauthenticated.code:
        return
    if error.accounted:
        return
    about = about or Refused()
    refusals: Refusals = request.app.state.refusals
    refusals.note(
        Refusal(
            about.action,
            error.code,
            about.why or f"{request.method} {request.url.path[:180]}",
            about.kind,
            about.id[:64],
            about.name[:200],
        )
    )


def _fields(error: RequestValidationError) -> list[dict[str, str]]:
    """Which fields and why; never what was in them."""
    return [
        {
            "field": ".".join(str(part)[:100] for part in one["loc"]),
            "type": str(one["type"]),
            "message": str(one["msg"])[:300],
        }
        for one in list(error.errors())[:50]
    ]


def _error_response(scope: Scope, error: AppError) -> Response:
    language = next((v for k, v in scope["headers"] if k == b"accept-language"), b"")
    status, headers, body = render_error(
        error, request_id=request_id.get(), language=language.decode("latin-1")
    )
    return Response(body, status, headers=dict(headers))


def _language(scope: Scope) -> str:
    """The header Accept-Language, if it is short enough to be one."""
    found = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    return found.decode("ascii", "ignore") if len(found) <= 200 else ""


class Door:
    """The outermost layer: ids of the request, its time, and the last word on bugs."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted, trace = _ids(scope)
        request_token, trace_token = request_id.set(wanted), trace_id.set(trace)
        language_token = language.set(_language(scope))
        acting_token = arrived(self._service, *_origin(scope))
        began = perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                if not any(name == b"x-request-id" for name, _ in headers):
                    message["headers"] = [*headers, (b"x-request-id", wanted.encode())]
            await send(message)

        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = True
            await sending(message)

        try:
            if "\0" in scope["path"]:
                raise NotFound
            await self._app(scope, receive, watching)
        except NotFound as error:
            await _error_response(scope, error)(scope, receive, sending)
        except Exception as error:
            log.error("A request failed.", path=scope["path"][:200], exc_info=error)
            if started:
                raise
            await _error_response(scope, AppError())(scope, receive, sending)
        finally:
            passed = perf_counter() - began
            seconds.labels(self._service, scope["method"], str(status)).observe(passed)
            request_id.reset(request_token)
            language.reset(language_token)
            left(acting_token)
            trace_id.reset(trace_token)


def _origin(scope: Scope) -> tuple[str, str]:
    """Address and program that a request came from, as our gateway or another service says."""
    address: str | None = None
    agent = ""
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            address = value.decode("latin-1").rpartition(",")[2].strip()
        elif name == b"user-agent":
            agent = value.decode("utf-8", "replace")
    if address is None:
        address = scope["client"][0] if scope.get("client") else ""
    return address, agent


def _ids(scope: Scope) -> tuple[str, str]:
    """The id of this request and of what caused it; from the caller when it looks like one."""
    request = trace = ""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request = value.decode("latin-1")
        elif name == b"x-trace-id":
            trace = value.decode("latin-1")
    if not _REQUEST_ID.fullmatch(request):
        request = new_id()
    return request, trace if _REQUEST_ID.fullmatch(trace) else request


def describe(app: FastAPI) -> None:
    """OpenAPI that tells the truth about the envelope; made when first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            for path in document.get("paths", {}).values():
                for operation in path.values():
                    _enveloped(operation.get("responses", {}))
            parts = document.setdefault("components", {}).setdefault("schemas", {})
            parts.pop("HTTPValidationError", None)
            parts.pop("ValidationError", None)
            parts["Error"] = _ERROR_SCHEMA
            app.openapi_schema = document
        return app.openapi_schema

    app.__dict__["openapi"] = openapi


def _enveloped(responses: dict[str, Any]) -> None:
    for status, response in list(responses.items()):
        content = response.get("content", {}).get("application/json")
        if status == "422":
            content["schema"] = {"$ref": "#/components/schemas/Error"}
        elif content is not None:
            content["schema"] = _envelope_schema(content.get("schema", {}))
    responses["default"] = {
        "description": "Any error",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _envelope_schema(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["code", "message", "success", "content"],
        "properties": {
            "code": {"type": "integer"},
            "message": {"type": "string"},
            "success": {"type": "boolean"},
            "content": content,
        },
    }


_ERROR_SCHEMA: Final = _envelope_schema(
    {
        "type": "object",
        "required": ["error", "details", "request_id"],
        "properties": {
            "error": {"type": "string"},
            "details": {"type": "object"},
            "request_id": {"type": "string"},
        },
    }
)

"""The routes of a service: strict JSON in, one envelope out, a policy on each."""

import re
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from fastapi import APIRouter, params
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request

from libs.kit.auth import policy_of
from libs.kit.errors import Invalid, Malformed, TooLarge, UnsupportedMedia, speaks_chinese
from libs.kit.text import parse_json

_JSON_TYPE: Final = re.compile(
    r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.I | re.ASCII
)
_END: Final = b"}"


def _prefix(status: int, language: str | None) -> bytes:
    message = "成功" if speaks_chinese(language) else "OK"
    return f'{{"code":{status},"message":"{message}","success":true,"content":'.encode()


class Ready(Response):
    """An answer whose content is JSON bytes already, for hot paths; the envelope is put around."""

    media_type = "application/json"

    def __init__(self, content: bytes, status_code: int = 200) -> None:
        super().__init__(
            _prefix(status_code, None) + content + _END,
            status_code,
            headers={"cache-control": "no-store"},
        )

    @classmethod
    def plain(cls, content: bytes, media_type: str) -> "Ready":
        """Bytes of another kind, without an envelope."""
        answer = cls(b"null")
        answer.body = content
        answer.headers["content-length"] = str(len(content))
        answer.headers["content-type"] = media_type
        return answer


class _Checked(Request):
    """A request whose body has been read and found good."""

    def __init__(self, request: Request, body: bytes, document: object) -> None:
        super().__init__(request.scope, request.receive)
        self._bytes = body
        self._document = document

    async def body(self) -> bytes:
        return self._bytes

    async def json(self) -> object:
        return self._document


class EnvelopeRoute(APIRoute):
    """A route that takes strict JSON and answers with the envelope."""

    max_bytes: int = 0

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()
        expected = self.body_field
        takes_json = expected is not None and not isinstance(expected.field_info, params.Form)
        required = expected is not None and expected.field_info.is_required()

        async def answer(request: Request) -> Response:
            if b"%00" in request.scope["query_string"]:
                raise Invalid("The address contains U+0000.", zh="地址中包含 U+0000。")
            if takes_json:
                request = await _read_json(request, required=required, limit=self.max_bytes)
            response = await inner(request)
            if type(response) in (Response, JSONResponse):
                _wrap(response, request.headers.get("accept-language"))
            return response

        return answer


def _wrap(response: Response, language: str | None) -> None:
    status = response.status_code
    if status in (204, 304) or response.headers.get("content-type") != "application/json":
        return
    response.body = _prefix(status, language) + bytes(response.body) + _END
    response.headers["content-length"] = str(len(response.body))
    response.headers.setdefault("cache-control", "no-store")


async def _read_json(request: Request, *, required: bool, limit: int) -> Request:
    headers = request.headers
    if headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
        raise TooLarge(limit=limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(limit=limit)
    if not body and not required:
        return _Checked(request, b"", None)
    if not _JSON_TYPE.fullmatch(headers.get("content-type", "")):
        raise UnsupportedMedia
    if not body:
        raise Malformed("The body is empty.", zh="请求体为空。")
    raw = bytes(body)
    return _Checked(request, raw, parse_json(raw))


def made_routes(routers: Iterable[APIRouter], *, max_body_bytes: int) -> Sequence[APIRoute]:
    """The routes of a service as its apps have them; they hold nothing of an app.

    Raises TypeError for a route without a policy.
    """
    limited = type("EnvelopeRoute", (EnvelopeRoute,), {"max_bytes": max_body_bytes})
    made = APIRouter()
    for router in routers:
        for route in iter_route_contexts(router.routes):
            if not isinstance(route.original_route, APIRoute):
                message = f"{route.path} is not a plain HTTP route"
                raise TypeError(message)
            _install(made, route, limited)
    return tuple(route for route in made.routes if isinstance(route, APIRoute))


def _install(router: APIRouter, route: Any, kind: type[APIRoute]) -> None:
    internal = route.path.startswith("/internal/")
    router.add_api_route(
        route.path,
        route.endpoint,
        response_model=route.response_model,
        status_code=route.status_code,
        tags=route.tags,
        dependencies=route.dependencies,
        summary=route.summary,
        description=route.description,
        responses=route.responses,
        deprecated=route.deprecated,
        methods=list(route.methods),
        operation_id=route.operation_id,
        response_model_exclude_none=route.response_model_exclude_none,
        response_model_exclude_unset=route.response_model_exclude_unset,
        include_in_schema=route.include_in_schema and not internal,
        response_class=route.response_class,
        name=route.name,
        route_class_override=kind,
        openapi_extra=route.openapi_extra,
    )
    installed = router.routes[-1]
    assert isinstance(installed, APIRoute)
    policies = _policies(installed.dependant)
    if not policies:
        message = f"{sorted(route.methods)} {route.path} states no policy"
        raise TypeError(message)
    if internal and "internal" not in policies:
        message = f"{route.path} is internal and must say internal_only()"
        raise TypeError(message)


def _policies(dependant: Dependant) -> set[str]:
    own = policy_of(dependant.call)
    found = {own} if own else set()
    for inner in dependant.dependencies:
        found |= _policies(inner)
    return found

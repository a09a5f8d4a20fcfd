"""One OpenAPI document out of those of the services, as a caller of the gateway sees them."""

import asyncio
import copy
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.types import ASGIApp

from gateway.api.asking import ask
from gateway.api.credentials import CALLER, PLAIN_COOKIE
from gateway.api.errors import ServiceUnreachable
from gateway.api.routing import open_door, route_of
from libs.kit import clock
from libs.kit.auth import InternalTokens, Principal
from libs.kit.errors import AppError

Node = dict[str, object]

_ASK_SECONDS: Final = 10.0
_BELIEVED_SECONDS: Final = 60.0
_METHODS: Final = ("get", "put", "post", "delete", "patch")
_SCHEMA_REF: Final = re.compile(r"#/components/schemas/(.+)")
_TITLES: Final = {
    "auth": "Users, roles, sessions",
    "hosts": "Hosts, groups, agents",
    "execution": "Executions and live output",
}
_ABOUT: Final = (
    "Every answer is the envelope `{code, message, success, content}`; errors carry "
    "`content.error`, a stable code. Paths work with and without their trailing slash. "
    "Programs send `Authorization: Bearer <access_token>`; browsers use the session cookie and "
    "send `X-Requested-With: opsjob` with every change."
)


@dataclass(frozen=True, slots=True)
class Document:
    """The merged description as bytes, with its entity tag."""

    body: bytes
    etag: bytes
    made_at: float


class Schema:
    """Collects the services' descriptions; keeps the last good one while a service is away."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], tokens: InternalTokens) -> None:
        self._upstreams = upstreams
        self._tokens = tokens
        self._latest: Document | None = None
        self._lock = asyncio.Lock()

    async def document(self) -> Document:
        """The description, at most a minute old; ServiceUnreachable if there never was one."""
        async with self._lock:
            latest = self._latest
            if latest is not None and clock.monotonic() - latest.made_at < _BELIEVED_SECONDS:
                return latest
            try:
                merged = await self.collect()
            except AppError:
                if latest is None:
                    raise
                return latest
            body = msgspec.json.encode(merged)
            etag = hashlib.sha256(body).hexdigest()[:32].encode("ascii")
            self._latest = Document(body, b'"%b"' % etag, clock.monotonic())
            return self._latest

    async def collect(self) -> Node:
        """The merged description, made anew."""
        names = sorted(self._upstreams)
        parts = await asyncio.gather(*(self._part(name) for name in names))
        return merge(dict(zip(names, parts, strict=True)))

    async def _part(self, service: str) -> Node:
        token = self._tokens.issue(service, Principal.of_service(CALLER), CALLER)
        headers = [(b"authorization", b"Bearer " + token.encode("ascii"))]
        app = self._upstreams[service]
        answer = await ask(app, "/openapi.json", headers, seconds=_ASK_SECONDS)
        part = msgspec.json.decode(answer.body, type=Node) if answer.status == 200 else {}
        if "paths" not in part:
            raise ServiceUnreachable(service=service)
        return part


def merge(parts: Mapping[str, Node]) -> Node:
    """Puts descriptions together: public paths only, unique operation ids, no schema clashes."""
    paths: Node = {}
    schemas: Node = {}
    seen_ids: set[str] = set()
    for service, original in parts.items():
        part = copy.deepcopy(original)
        public = _public_paths(service, part)
        _rename_clashes(service, part, schemas)
        used = _used_schemas(public, _schemas_of(part))
        schemas.update(used)
        for path, item in public.items():
            _finish_operations(service, path, item, seen_ids)
            paths[path if path.endswith("/") else f"{path}/"] = item
    return {
        "openapi": "3.1.0",
        "info": {"title": "OPS Job", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": _TITLES.get(name, name)} for name in parts],
        "security": [{"bearer": []}, {"session": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": PLAIN_COOKIE.decode()},
            },
        },
    }


def _public_paths(service: str, part: Node) -> dict[str, Node]:
    """The paths that the URL map leads to this service."""
    public: dict[str, Node] = {}
    for path, item in _as_node(part.get("paths")).items():
        route = route_of(path.rstrip("/"))
        if route is not None and route.service == service:
            public[path] = _as_node(item)
    return public


def _finish_operations(service: str, path: str, item: Node, seen_ids: set[str]) -> None:
    """Tags by context, ids that are unique over all services, and which calls are open."""
    for method in _METHODS:
        operation = item.get(method)
        if not isinstance(operation, dict):
            continue
        operation["tags"] = [service]
        wanted = str(
            operation.get("operationId") or f"{method}{re.sub('[^a-zA-Z0-9]+', '_', path)}"
        )
        unique = wanted if wanted not in seen_ids else f"{service}_{wanted}"
        while unique in seen_ids:
            unique += "_"
        operation["operationId"] = unique
        seen_ids.add(unique)
        operation.pop("security", None)
        if open_door(method.upper(), path.rstrip("/")):
            operation["security"] = []


def _rename_clashes(service: str, part: Node, taken: Node) -> None:
    """A schema whose name means something else already gets the service's name in front."""
    own = _schemas_of(part)
    clashing = {name for name, schema in own.items() if name in taken and taken[name] != schema}
    # A schema that looks the same but is made of a clashing one means something else, too.
    while more := {
        name
        for name, schema in own.items()
        if name in taken and name not in clashing and _refers_to(schema, clashing)
    }:
        clashing |= more
    new_names = {name: f"{service.capitalize()}{name}" for name in sorted(clashing)}
    if not new_names:
        return
    for holder in _holders_of_refs(part):
        found = _SCHEMA_REF.fullmatch(str(holder["$ref"]))
        if found and found[1] in new_names:
            holder["$ref"] = f"#/components/schemas/{new_names[found[1]]}"
    for old, new in new_names.items():
        own[new] = own.pop(old)


def _refers_to(schema: object, names: set[str]) -> bool:
    found = (_SCHEMA_REF.fullmatch(str(holder["$ref"])) for holder in _holders_of_refs(schema))
    return any(match is not None and match[1] in names for match in found)


def _used_schemas(public: Mapping[str, Node], own: Node) -> Node:
    """Only the schemas that public paths reach; internal ones are nobody's business outside."""
    used: Node = {}
    waiting: list[object] = list(public.values())
    while waiting:
        for holder in _holders_of_refs(waiting.pop()):
            found = _SCHEMA_REF.fullmatch(str(holder["$ref"]))
            if found and found[1] in own and found[1] not in used:
                used[found[1]] = own[found[1]]
                waiting.append(own[found[1]])
    return used


def _holders_of_refs(node: object) -> Iterator[Node]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            if isinstance(current.get("$ref"), str):
                yield current
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)


def _schemas_of(part: Node) -> Node:
    components = part.setdefault("components", {})
    return _as_node(_as_node(components).setdefault("schemas", {}))


def _as_node(value: object) -> Node:
    return value if isinstance(value, dict) else {}

"""Every route of the platform with its stated policy, read from the apps and the gateway."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Route

from gateway.api.openapi import merge
from libs.kit.auth import AccessTokens, InternalTokens, asks_again_of, policy_of
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Runtime
from libs.kit.settings import Settings
from services import registry

WITHOUT_POLICY = {"/health/live", "/health/ready", "/metrics", "/openapi.json"}
"""Addresses that every service has for orchestrators and the gateway; no map leads to them."""


@dataclass(frozen=True)
class Row:
    """One method of one path, and what its route states."""

    service: str
    method: str
    path: str
    policies: frozenset[str]
    asks_again: str = ""
    """When the caller proves again to be that person: always, words, or never."""

    @property
    def key(self) -> str:
        """How entries name it."""
        return f"{self.method} {self.path}"

    @property
    def is_internal(self) -> bool:
        """Whether it is for services alone."""
        return self.path.startswith("/internal/")


def rows_of(service: str, app: FastAPI) -> Iterator[Row]:
    """Everything that an app answers; raises TypeError for what states nothing."""
    for route in app.router.routes:
        if isinstance(route, APIRoute):
            stated = frozenset(_policies(route.dependant))
            if not stated:
                message = f"{service} {route.path} states no policy"
                raise TypeError(message)
            again = max(_asks_again(route.dependant), default="")
            for method in sorted(route.methods or ()):
                yield Row(service, method, route.path, stated, again)
        elif not isinstance(route, Route) or route.path not in WITHOUT_POLICY:
            message = f"{service} has an address without a policy: {route}"
            raise TypeError(message)


def _policies(dependant: Dependant) -> set[str]:
    own = policy_of(dependant.call)
    found = {own} if own else set()
    for inner in dependant.dependencies:
        found |= _policies(inner)
    return found


def _asks_again(dependant: Dependant) -> set[str]:
    own = {asks_again_of(dependant.call)}
    return own.union(*map(_asks_again, dependant.dependencies))


def collected() -> tuple[list[Row], dict[str, object]]:
    """All rows, and the merged description; nothing is opened, the apps are only made."""
    return asyncio.run(_collected())


async def _collected() -> tuple[list[Row], dict[str, object]]:
    settings = Settings.model_validate(
        {
            "database_url": "sqlite:////nonexistent/{service}.db",
            "secret": "describing-only-0123456789abcdef",
            "environment": "test",
        }
    )
    async with httpx.AsyncClient(transport=InProcess()) as http:
        redis = connect(settings.redis_url)
        runtime = Runtime(
            settings,
            redis,
            http,
            InternalTokens(settings.secret),
            AccessTokens(settings.secret),
        )
        apps = {name: each.create_app(runtime) for name, each in registry.load_all().items()}
        rows = [row for name, app in apps.items() for row in rows_of(name, app)]
        parts = {name: dict(app.openapi()) for name, app in sorted(apps.items())}
        await redis.aclose()
    return sorted(rows, key=lambda row: (row.is_internal, row.path, row.method)), merge(parts)


def described(document: Mapping[str, object]) -> set[str]:
    """The keys of all operations of a description."""
    paths = document["paths"]
    assert isinstance(paths, dict)
    return {
        f"{method.upper()} {path.rstrip('/')}" for path, item in paths.items() for method in item
    }

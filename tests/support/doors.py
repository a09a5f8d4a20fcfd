"""One service behind its real HTTP door, with callers of any kind; Redis is down unless given."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp

from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Runtime, Service, entering
from libs.kit.settings import Settings

SECRET = SecretStr("a-secret-of-tests-0123456789-abcdefghij")

T = TypeVar("T")


FRESH = 2**33
"""A proof of being that person that outlasts every test."""


def person(
    *permissions: str, user_id: int = 7, session_id: str | None = None, proved_until: int = FRESH
) -> Principal:
    """Somebody who holds exactly these permissions."""
    return Principal(
        user_id,
        f"user-{user_id}",
        permissions=frozenset(permissions),
        session_id=session_id,
        proved_until=proved_until,
    )


ADMIN = person("*", user_id=1)
NOBODY = person()


class Door:
    """A running service: its use cases, and requests to it as somebody."""

    def __init__(self, app: FastAPI, service: Service, runtime: Runtime) -> None:
        self.app = app
        self.runtime = runtime
        self._service = service

    def use_cases(self, kind: type[T]) -> T:
        """The object that the routes use."""
        found: T = self.app.state.provided[kind]
        return found

    async def request(
        self,
        method: str,
        path: str,
        *,
        by: Principal | None = ADMIN,
        json: object = None,
        raw: bytes | None = None,
        params: str | Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """What the service answers; without `by` nobody is logged in."""
        sent = dict(headers or {})
        if by is not None:
            token = self.runtime.internal_tokens.issue(self._service.name, by, "gateway")
            sent["authorization"] = f"Bearer {token}"
        if raw is not None:
            sent.setdefault("content-type", "application/json")
        return await self.runtime.http.request(
            method,
            f"http://{self._service.name}{path}",
            json=json,
            content=raw,
            params=params,
            headers=sent,
        )

    async def content(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        by: Principal = ADMIN,
        json: object = None,
        params: str | Mapping[str, str | int] | None = None,
    ) -> dict[str, object]:
        """The content of a good answer."""
        answer = await self.request(method, path, by=by, json=json, params=params)
        assert answer.status_code == status, answer.text
        document = answer.json()
        assert document["success"] is True
        assert document["code"] == status
        content: dict[str, object] = document["content"]
        return content

    async def rows(
        self, method: str, path: str, *, params: Mapping[str, str | int] | None = None
    ) -> list[dict[str, object]]:
        """The results of a page."""
        results = (await self.content(method, path, params=params))["results"]
        assert isinstance(results, list)
        return results


def error_of(answer: httpx.Response, status: int) -> str:
    """The stable code of an error answer that wears the envelope as it should."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["success"] is False
    assert document["code"] == status
    assert document["message"]
    assert set(document["content"]) == {"error", "details", "request_id"}
    return str(document["content"]["error"])


@asynccontextmanager
async def opened(
    service: Service,
    url: str,
    folder: Path,
    *,
    redis_url: str | None = None,
    neighbours: Mapping[str, ASGIApp] | None = None,
    agent_port: int | None = None,
) -> AsyncIterator[Door]:
    """The service, started; `url` is the database of this one service."""
    settings = Settings(
        # The template names the service in a place that does not matter to one service.
        database_url=url.replace(f"{service.name}.db", "{service}.db")
        if url.startswith("sqlite")
        else f"{url}?{{service}}",
        secret=SECRET,
        environment="test",
        data_dir=folder,
        agent_port=agent_port,
    )
    redis = connect(redis_url or f"unix://{folder}/nobody.sock")
    network = InProcess()
    async with httpx.AsyncClient(transport=network) as http:
        runtime = Runtime(settings, redis, http, InternalTokens(SECRET), AccessTokens(SECRET))
        app = service.create_app(runtime)
        network.apps.update({**(neighbours or {}), service.name: app})
        async with entering([app]):
            yield Door(app, service, runtime)
    await redis.aclose()

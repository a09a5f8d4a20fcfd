"""The public API described without a running platform: `python -m services.embedded.describing`.

Nothing is opened: the apps are only asked what they would answer.
"""

import asyncio
import json
import sys

import httpx

from gateway.api.openapi import merge
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Runtime
from libs.kit.settings import Settings
from services import registry


def document() -> dict[str, object]:
    """The merged OpenAPI document of all services, as the gateway gives it at /api/schema/."""
    return asyncio.run(_document())


async def _document() -> dict[str, object]:
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
            settings=settings,
            redis=redis,
            http=http,
            internal_tokens=InternalTokens(settings.secret),
            access_tokens=AccessTokens(settings.secret),
        )
        apps = {name: service.create_app(runtime) for name, service in registry.load_all().items()}
        parts = {name: dict(app.openapi()) for name, app in sorted(apps.items())}
        await redis.aclose()
    return merge(parts)


def text() -> str:
    """The document as it is kept in the repository."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

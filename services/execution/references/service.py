"""Fetches secrets from where they lie, as far as the operator allows it."""

import asyncio
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from libs.kit.errors import AppError
from libs.kit.logging import get_logger
from libs.kit.outbound import Outbound, OutboundFailed, UrlRefused
from services.execution.errors import (
    SecretNotAllowed,
    SecretNotFound,
    SecretSourceUnavailable,
    SecretUnusable,
)
from services.execution.references.domain import Reference, Source, is_below, parse
from services.execution.settings import SecretSettings

MAX_SECRET_BYTES: Final = 32 * 1024
MOST_AT_ONCE: Final = 8

log = get_logger(__name__)


class _Inner(msgspec.Struct):
    data: dict[str, object] | None = None


class _Answer(msgspec.Struct):
    """What Vault says about a secret of a key-value engine of version 2."""

    data: _Inner


class References:
    """Secrets by reference. Nothing is kept: every question goes to the source.

    `environment` are the variables of this process; only those that settings name are given out.
    """

    def __init__(
        self, settings: SecretSettings, outbound: Outbound, environment: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._outbound = outbound
        self._environment = environment

    def check(self, text: str) -> Reference:
        """Whether settings allow this reference; raises SecretNotAllowed, and asks nobody."""
        try:
            reference = parse(text)
        except ValueError:
            raise SecretNotAllowed from None
        settings = self._settings
        match reference.source:
            case Source.ENV:
                allowed = reference.path in settings.env_names
            case Source.FILE:
                root = settings.file_root
                allowed = root is not None and Path(reference.path).is_relative_to(root)
            case Source.VAULT:
                is_set = settings.vault_url is not None
                allowed = is_set and is_below(reference.path, settings.vault_paths)
        if not allowed:
            raise SecretNotAllowed(source=str(reference.source))
        return reference

    async def resolve(self, texts: Iterable[str]) -> dict[str, str | AppError]:
        """Each secret, or why it cannot be had; never raises for a single one."""
        wanted = list(dict.fromkeys(texts))
        turns = asyncio.Semaphore(MOST_AT_ONCE)

        async def one(text: str) -> str | AppError:
            async with turns:
                try:
                    return _usable(await self._fetch(self.check(text)))
                except AppError as error:
                    return error

        return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))

    async def _fetch(self, reference: Reference) -> str:
        match reference.source:
            case Source.ENV:
                if reference.path not in self._environment:
                    raise SecretNotFound
                return self._environment[reference.path]
            case Source.FILE:
                assert self._settings.file_root is not None
                return await asyncio.to_thread(
                    _read, self._settings.file_root, Path(reference.path)
                )
            case Source.VAULT:
                return await self._from_vault(reference)

    async def _from_vault(self, reference: Reference) -> str:
        settings = self._settings
        assert settings.vault_url is not None
        headers = {"accept": "application/json", "x-vault-request": "true"}
        headers["x-vault-token"] = await asyncio.to_thread(self._token)
        if settings.vault_namespace:
            headers["x-vault-namespace"] = settings.vault_namespace
        base = settings.vault_url.rstrip("/")
        url = f"{base}/v1/{reference.mount}/data/{reference.inner}"
        try:
            answer = await self._outbound.send("GET", url, headers=headers)
        except (OutboundFailed, UrlRefused) as error:
            log.warning("Vault does not answer.", reason=error.details.get("reason"))
            raise SecretSourceUnavailable from None
        if answer.status_code == 404:
            raise SecretNotFound
        if answer.status_code == 403:
            raise SecretNotAllowed(source="vault")
        if answer.status_code != 200:
            log.warning("Vault answers with an error.", status=answer.status_code)
            raise SecretSourceUnavailable
        return _field_of(answer.content, reference.field)

    def _token(self) -> str:
        """Read anew each time, because agents of Vault renew it in its file."""
        settings = self._settings
        if settings.vault_token is not None:
            return settings.vault_token.get_secret_value()
        try:
            assert settings.vault_token_file is not None
            token = settings.vault_token_file.read_text("ascii").strip()
        except (AssertionError, OSError, ValueError):
            log.warning("There is no token for Vault.")
            raise SecretSourceUnavailable from None
        if not token or not token.isprintable():
            raise SecretSourceUnavailable
        return token


def _field_of(body: bytes, field: str) -> str:
    try:
        data = msgspec.json.decode(body, type=_Answer).data.data
    except msgspec.DecodeError:
        raise SecretSourceUnavailable from None
    value = (data or {}).get(field)
    if value is None:
        raise SecretNotFound
    if not isinstance(value, str):
        raise SecretUnusable
    return value


def _usable(text: str) -> str:
    if not text or "\0" in text or len(text.encode("utf-8", "replace")) > MAX_SECRET_BYTES:
        raise SecretUnusable
    return text


def _read(root: Path, path: Path) -> str:
    """A small text file below the root; links count only as far as they stay there.

    The way is resolved once and then walked folder by folder without following any link, so that
    a link that appears in between leads nowhere.
    """
    try:
        real_root = root.resolve(strict=True)
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise SecretNotFound from None
    if not real.is_relative_to(real_root) or real == real_root:
        raise SecretNotAllowed(source="file")
    try:
        raw = _read_beneath(real_root, real.relative_to(real_root).parts)
        return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretUnusable from None
    except OSError:
        raise SecretNotFound from None


def _read_beneath(root: Path, parts: tuple[str, ...]) -> bytes:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise SecretUnusable
        return os.read(file, MAX_SECRET_BYTES + 2)
    finally:
        os.close(file)

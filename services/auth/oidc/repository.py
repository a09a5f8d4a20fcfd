"""Logins under way in the database, and what providers publish, as far as it is remembered."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.auth import ClientAuth
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import ValidationError
from sqlalchemy import delete, select

from libs.kit import clock
from libs.kit.db import Transaction
from libs.kit.errors import AppError
from libs.kit.logging import get_logger
from libs.kit.outbound import Outbound
from services.auth.models import OidcFarewell, OidcFlow, Session
from services.auth.oidc.domain import Metadata, NotBelieved, OidcUnavailable
from services.auth.settings import OidcProvider

KEYS_SECONDS: Final = 300.0
METADATA_SECONDS: Final = 3600.0
REFETCH_SECONDS: Final = 10.0
"""How soon keys are fetched again because a token names one that is not known."""

log = get_logger(__name__)


class FlowRepository:
    """Logins that are at a provider; each can come back once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, flow: OidcFlow) -> None:
        """Stores a login that is about to leave."""
        self._tx.add(flow)

    def take(self, state_hash: str) -> OidcFlow | None:
        """Removes a login and says what it was; None for everybody but the first who asks."""
        found = self._tx.get(OidcFlow, state_hash)
        if found is None:
            return None
        self._tx.session.expunge(found)
        gone = self._tx.changed(delete(OidcFlow).where(OidcFlow.state_hash == state_hash))
        return found if gone == 1 and found.expires_at > self._tx.now else None

    def delete_expired(self, limit: int) -> int:
        """Deletes at most `limit` logins that never came back and says how many."""
        old = select(OidcFlow.state_hash).where(OidcFlow.expires_at <= self._tx.now).limit(limit)
        hashes = self._tx.scalars(old).all()
        if hashes:
            self._tx.execute(delete(OidcFlow).where(OidcFlow.state_hash.in_(hashes)))
        return len(hashes)


class FarewellRepository:
    """What logins keep for the way out."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def keep(self, session_id: str, sealed_token: str) -> None:
        """Stores the sealed ID token of a login."""
        self._tx.add(OidcFarewell(session_id=session_id, sealed_token=sealed_token))

    def take(self, session_id: str) -> str | None:
        """Removes it and says what it was."""
        found = self._tx.get(OidcFarewell, session_id)
        if found is None:
            return None
        self._tx.delete(found)
        return found.sealed_token

    def delete_ended(self, limit: int) -> int:
        """Deletes at most `limit` of logins that are over, however they ended; says how many."""
        alive = select(Session.id).where(Session.family_id == OidcFarewell.session_id)
        over = select(OidcFarewell.session_id).where(~alive.exists()).limit(limit)
        ids = self._tx.scalars(over).all()
        if ids:
            self._tx.execute(delete(OidcFarewell).where(OidcFarewell.session_id.in_(ids)))
        return len(ids)


@dataclass(frozen=True)
class Exchange:
    """A code that came back, and what proves that it is ours."""

    code: str
    verifier: str
    redirect_uri: str


class ProviderClient:
    """Asks one provider; only at its own host and those that the settings name."""

    def __init__(self, provider: OidcProvider, outbound: Outbound) -> None:
        self._provider = provider
        self._outbound = outbound
        self._hosts = {_host(provider.issuer), *provider.hosts}
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._fetching = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """What the provider says about itself, at most an hour old; OidcUnavailable without it."""
        async with self._fetching:
            known, now = self._metadata, clock.monotonic()
            if known is None or now - known[0] > METADATA_SECONDS:
                known = self._metadata = (now, await self._discover())
            return known[1]

    async def _discover(self) -> Metadata:
        issuer = self._provider.issuer
        document = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            metadata = Metadata.model_validate(document)
        except ValidationError as error:
            raise self._unavailable("The metadata is not good.") from error
        if metadata.issuer != issuer:
            raise self._unavailable("The metadata is of another issuer.")
        return metadata

    async def end_session_endpoint(self) -> str | None:
        """Where a browser ends its login at the provider (OpenID Connect RP-Initiated Logout).

        None where the provider states no such place, or one at a host that is not its own.
        """
        endpoint = (await self.metadata()).end_session_endpoint
        if endpoint is None or _host(endpoint) not in self._hosts:
            return None
        return endpoint if urlsplit(endpoint).scheme in ("https", "http") else None

    async def keys_for(self, key_id: str | None) -> KeySet:
        """The provider's public keys, fetched again when a token names one that is not known."""
        metadata = await self.metadata()
        async with self._fetching:
            known, now = self._keys, clock.monotonic()
            if known is not None and not _is_stale(now - known[0], known[1], key_id):
                return known[1]
            try:
                document = await self._get(metadata.jwks_uri)
                keys = KeySet.import_key_set(document)  # type: ignore[arg-type]  # its own check
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise self._unavailable("The keys are not good.") from error
            self._keys = (now, keys)
            return keys

    async def exchange(self, given: Exchange) -> str:
        """The ID token for a code. NotBelieved when the provider refuses it."""
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": given.code,
            "redirect_uri": given.redirect_uri,
            "code_verifier": given.verifier,
        }
        _, headers, body = self._authentication(metadata).prepare(
            "POST",
            metadata.token_endpoint,
            {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
            urlencode(form),
        )
        status, document = await self._ask(
            "POST", metadata.token_endpoint, headers=headers, content=body.encode()
        )
        if status in (400, 401, 403):
            raise NotBelieved(f"The provider refused the code (status {status}).")
        token = document.get("id_token") if status == 200 else None
        if not isinstance(token, str):
            raise self._unavailable(f"No token came with status {status}.")
        return token

    def _authentication(self, metadata: Metadata) -> ClientAuth:
        secret = self._provider.client_secret.get_secret_value()
        methods = metadata.token_endpoint_auth_methods_supported
        if not secret:
            method = "none"
        elif "client_secret_basic" in methods:
            method = "client_secret_basic"
        else:
            method = "client_secret_post"
        return ClientAuth(self._provider.client_id, secret, method)

    # ---- on the wire -----------------------------------------------------------------------

    async def _get(self, url: str) -> Mapping[str, object]:
        status, document = await self._ask("GET", url, headers={"accept": "application/json"})
        if status != 200:
            raise self._unavailable(f"Status {status} instead of a document.")
        return document

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> tuple[int, Mapping[str, object]]:
        if _host(url) not in self._hosts:
            raise self._unavailable(f"The host {_host(url)} is not one of this provider.")
        try:
            answer = await self._outbound.send(method, url, headers=headers, content=content)
        except AppError as error:
            raise self._unavailable(f"{error.code}: {error.details.get('reason')}") from error
        try:
            document = json.loads(answer.content)
        except ValueError as error:
            raise self._unavailable("The answer is not JSON.") from error
        if not isinstance(document, dict):
            raise self._unavailable("The answer is not an object.")
        return answer.status_code, document

    def _unavailable(self, why: str) -> OidcUnavailable:
        log.warning("An identity provider cannot be used.", issuer=self._provider.issuer, why=why)
        return OidcUnavailable()


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _is_stale(age: float, keys: KeySet, key_id: str | None) -> bool:
    if age <= REFETCH_SECONDS:
        return False
    return age > KEYS_SECONDS or not any(key.kid == key_id for key in keys)

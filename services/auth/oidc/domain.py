"""What makes an answer of an identity provider good. Asks nobody, knows no database."""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.kit.errors import NotFound, Unauthenticated, Unavailable
from services.auth.identities.domain import Person
from services.auth.settings import OidcProvider

FLOW_SECONDS: Final = 600
"""How long somebody may take at the provider."""
LEEWAY_SECONDS: Final = 60
MAX_TOKEN: Final = 32 * 1024
MAX_HINT: Final = 4096
"""Of an ID token that goes back to the provider: it has to fit into an address."""
MAX_RETURN: Final = 1024
MAX_GROUPS: Final = 1000

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""Signatures with a key that only the provider has; never `none` or one with a shared secret."""

_RETURN: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*", re.ASCII)


def port_of_issuer(issuer: str) -> int:
    """Where a provider listens, stated or by the scheme."""
    parts = urlsplit(issuer)
    return parts.port or (443 if parts.scheme == "https" else 80)


class NotBelieved(Exception):
    """The answer is not what this login asked for; the text says why, for the audit log."""


class Metadata(BaseModel):
    """What a provider publishes about itself (OpenID Connect Discovery), as far as it is used."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    says_issuer: bool = Field(default=False, alias="authorization_response_iss_parameter_supported")


class _Claims(BaseModel):
    """The claims of an ID token whose types matter."""

    model_config = ConfigDict(frozen=True, strict=True)

    iss: str
    sub: str = Field(min_length=1, max_length=255)
    aud: str | list[str]
    exp: int | float
    iat: int | float
    nonce: str
    azp: str | None = None
    amr: list[str] = Field(default_factory=list)
    auth_time: int | float | None = None


@dataclass(frozen=True)
class Expected:
    """What an ID token has to say."""

    issuer: str
    client_id: str
    nonce: str
    amr: Sequence[str] = ()
    signed_in_after: datetime | None = None
    """For who proves again: before this moment the person was asked for something else."""


def verified(
    token: str, keys: KeySet, expected: Expected, *, now: datetime
) -> Mapping[str, object]:
    """The claims of a good ID token; NotBelieved for any other.

    Rules: OpenID Connect Core 3.1.3.7, with `azp` for several audiences, and RFC 8725.
    """
    if len(token) > MAX_TOKEN:
        raise NotBelieved("The token is too long.")
    try:
        found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        registry = JWTClaimsRegistry(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        registry.validate(found.claims)
        claims = _Claims.model_validate(found.claims)
    except (JoseError, ValidationError, ValueError, TypeError, KeyError) as error:
        raise NotBelieved(f"The token is not good ({type(error).__name__}).") from error
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != expected.issuer:
        raise NotBelieved("The token is of another issuer.")
    if expected.client_id not in audience:
        raise NotBelieved("The token is for somebody else.")
    if claims.azp != expected.client_id and (len(audience) > 1 or claims.azp is not None):
        raise NotBelieved("The token was given to somebody else.")
    if not hmac.compare_digest(claims.nonce.encode(), expected.nonce.encode()):
        raise NotBelieved("The token belongs to another login.")
    if expected.amr and set(expected.amr).isdisjoint(claims.amr):
        raise NotBelieved("The provider did not use a required method.")
    if expected.signed_in_after is not None:
        earliest = expected.signed_in_after.timestamp() - LEEWAY_SECONDS
        if claims.auth_time is None or claims.auth_time < earliest:
            raise NotBelieved("The provider did not ask the person anew.")
    return dict(found.claims)


def person_of(key: str, provider: OidcProvider, claims: Mapping[str, object]) -> Person:
    """Who the claims of a good token are about."""
    groups = claims.get(provider.groups_claim)
    named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    subject = _text(claims, "sub")
    return Person(
        provider=f"oidc:{key}",
        origin="oidc",
        subject=subject,
        username=_text(claims, provider.username_claim),
        label=_text(claims, provider.username_claim) or subject,
        display_name=_text(claims, "name"),
        email=_text(claims, "email"),
        groups=frozenset(one for one in named[:MAX_GROUPS] if isinstance(one, str)),
    )


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def safe_return(path: str) -> str:
    """Where to go after the login: a path of this very site, or its start for anything else."""
    return path if len(path) <= MAX_RETURN and _RETURN.fullmatch(path) else "/"


class ProviderNotFound(NotFound):
    """There is no identity provider of that name."""

    code = "provider_not_found"
    message = "There is no such identity provider."
    message_zh = "没有这个身份提供方。"


class OidcRefused(Unauthenticated):
    """What came back from an identity provider opens no login; the audit log says why."""

    code = "oidc_refused"
    message = "The login by the identity provider did not work. Try again."
    message_zh = "通过身份提供方登录失败，请重试。"


class OidcUnavailable(Unavailable):
    """The identity provider does not answer, or not as it should."""

    code = "oidc_unavailable"
    message = "The identity provider does not answer. Try again in a moment."
    message_zh = "身份提供方暂时无响应，请稍后再试。"

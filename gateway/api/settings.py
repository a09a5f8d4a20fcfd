"""What an operator may set for the API gateway; prefix OPSJOB_GATEWAY_."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from limits import parse_many
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DISABLED_USER_IS_OUT_SECONDS = 5.0
"""How long a disabled user may still get anything, open streams included."""


class GatewaySettings(BaseSettings):
    """Sizes are bytes, times are seconds, rates are written as `600/minute`.

    The default rates never stop one busy client of a normal installation; they bound guessing of
    passwords and tokens, and floods. They count per process unless `rate_storage` is `redis`.
    """

    model_config = SettingsConfigDict(env_prefix="OPSJOB_GATEWAY_", frozen=True)

    static_dir: Path | None = None
    """The built console (`frontend/dist`); None or a folder without index.html: a hint instead."""
    docs: bool = True
    """Whether /api/docs/ and /api/schema/ answer."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    max_head_bytes: Annotated[int, Field(ge=4096)] = 32 * 1024
    max_headers: Annotated[int, Field(ge=20)] = 100
    max_path_bytes: Annotated[int, Field(ge=256)] = 2048
    max_query_bytes: Annotated[int, Field(ge=256)] = 8192

    head_seconds: Annotated[float, Field(gt=0)] = 10.0
    """From the first byte of a request to the end of its headers."""
    body_idle_seconds: Annotated[float, Field(gt=0)] = 30.0
    """Longest pause inside a request body."""

    public_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of the console besides the one of the request itself, such as https://jobs.example;
    needed only behind a proxy that changes the Host header."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    hsts_seconds: Annotated[int, Field(ge=0)] = 31_536_000
    """Sent on HTTPS answers only; 0 switches it off."""

    user_rate: str = "1200000/minute"
    address_rate: str = "12000/minute"
    """Requests without any credential, from one address."""
    login_rate: str = "60/minute"
    """Log-ins and refreshes from one address; auth itself slows down guessing of one account."""
    failure_rate: str = "300/minute"
    """Refused credentials from one address; above it no further credential is even looked at."""
    rate_storage: Literal["memory", "redis"] = "memory"
    streams_per_user: Annotated[int, Field(ge=1)] = 64
    stalled_reader_seconds: Annotated[float, Field(gt=0)] = 60.0
    """A stream whose reader takes nothing for so long is cut; its last event id resumes it."""

    credential_seconds: Annotated[float, Field(ge=0, le=2)] = 2.0
    """How long an answer of auth about a credential is believed."""
    stream_check_seconds: Annotated[float, Field(gt=0)] = 2.5

    metrics_token: SecretStr | None = None
    """With it /metrics answers to that bearer token alone; without it to direct loopback only."""

    @field_validator("public_origins", "trusted_proxies", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if isinstance(value, tuple | list):
            return tuple(ip_network(part) if isinstance(part, str) else part for part in value)
        return value

    @field_validator("user_rate", "address_rate", "login_rate", "failure_rate")
    @classmethod
    def _rate_is_readable(cls, value: str) -> str:
        parse_many(value)
        return value

    @model_validator(mode="after")
    def _pairs_fit(self) -> Self:
        if self.credential_seconds + self.stream_check_seconds >= DISABLED_USER_IS_OUT_SECONDS:
            raise ValueError("credential_seconds + stream_check_seconds must be less than 5")
        return self

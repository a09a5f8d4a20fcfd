"""The auth service's own settings; every time is in seconds."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.auth.domain import SessionKind


class AuthSettings(BaseSettings):
    """How long sessions and tokens live, and how many passwords are hashed at once."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AUTH_")

    access_token_seconds: int = Field(default=900, ge=60, le=3600)
    """Life of an access token; a disabled user is refused earlier, by its session."""
    browser_idle_seconds: int = Field(default=12 * 3600, ge=300, le=30 * 86400)
    browser_absolute_seconds: int = Field(default=7 * 86400, ge=300, le=90 * 86400)
    refresh_idle_seconds: int = Field(default=7 * 86400, ge=300, le=90 * 86400)
    refresh_absolute_seconds: int = Field(default=30 * 86400, ge=300, le=365 * 86400)
    remember_idle_seconds: int = Field(default=14 * 86400, ge=300, le=90 * 86400)
    remember_absolute_seconds: int = Field(default=60 * 86400, ge=300, le=365 * 86400)
    """Both for cookies and refresh tokens of people who asked to stay logged in."""
    hashing_threads: int = Field(default=2, ge=1, le=64)
    """Each hash takes 19 MiB and tens of milliseconds; more at once would starve the rest."""

    captcha: bool = True
    """Whether failed logins lead to a picture that has to be answered with the next one."""
    captcha_after_failures: int = Field(default=3, ge=0, le=1000)
    """Failures of one account from one address; 0 asks with every login."""
    captcha_seconds: int = Field(default=120, ge=20, le=120)
    """How long a picture can be answered."""

    @model_validator(mode="after")
    def _pairs(self) -> "AuthSettings":
        if self.browser_idle_seconds > self.browser_absolute_seconds:
            raise ValueError("browser_idle_seconds must not exceed browser_absolute_seconds")
        if self.refresh_idle_seconds > self.refresh_absolute_seconds:
            raise ValueError("refresh_idle_seconds must not exceed refresh_absolute_seconds")
        if self.remember_idle_seconds > self.remember_absolute_seconds:
            raise ValueError("remember_idle_seconds must not exceed remember_absolute_seconds")
        if self.access_token_seconds >= self.refresh_idle_seconds:
            raise ValueError("access_token_seconds must be less than refresh_idle_seconds")
        return self

    def lifetimes(self, kind: str, *, remembered: bool) -> tuple[int, int]:
        """Seconds without use, and seconds in all, after which a credential of a login ends."""
        if remembered:
            return self.remember_idle_seconds, self.remember_absolute_seconds
        if kind == SessionKind.BROWSER:
            return self.browser_idle_seconds, self.browser_absolute_seconds
        return self.refresh_idle_seconds, self.refresh_absolute_seconds


class MfaSettings(BaseSettings):
    """Who needs a second factor, and the name under which authenticators show it."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AUTH_MFA_", frozen=True)

    policy: Literal["optional", "required"] = "optional"
    """`required` asks everybody who logs in with a password."""
    required_for_roles: Annotated[tuple[str, ...], NoDecode] = ()
    """Roles that need one in any case, separated by commas."""
    issuer: str = Field(default="OPS Job", min_length=1, max_length=64, pattern=r"^[^:]+$")

    @field_validator("required_for_roles", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

"""The auth service's own settings; every time is in seconds."""

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class AuthSettings(BaseSettings):
    """How long sessions and tokens live, and how many passwords are hashed at once."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AUTH_")

    access_token_seconds: int = Field(default=900, ge=60, le=3600)
    """Life of an access token; a disabled user is refused earlier, by its session."""
    browser_idle_seconds: int = Field(default=12 * 3600, ge=300, le=30 * 86400)
    browser_absolute_seconds: int = Field(default=7 * 86400, ge=300, le=90 * 86400)
    refresh_idle_seconds: int = Field(default=7 * 86400, ge=300, le=90 * 86400)
    refresh_absolute_seconds: int = Field(default=30 * 86400, ge=300, le=365 * 86400)
    hashing_threads: int = Field(default=2, ge=1, le=64)
    """Each hash takes 19 MiB and tens of milliseconds; more at once would starve the rest."""

    @model_validator(mode="after")
    def _pairs(self) -> "AuthSettings":
        if self.browser_idle_seconds > self.browser_absolute_seconds:
            raise ValueError("browser_idle_seconds must not exceed browser_absolute_seconds")
        if self.refresh_idle_seconds > self.refresh_absolute_seconds:
            raise ValueError("refresh_idle_seconds must not exceed refresh_absolute_seconds")
        if self.access_token_seconds >= self.refresh_idle_seconds:
            raise ValueError("access_token_seconds must be less than refresh_idle_seconds")
        return self

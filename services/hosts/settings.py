"""The hosts service's own settings; every time is in seconds."""

from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HEARTBEAT_SECONDS = 10.0


class HostsSettings(BaseSettings):
    """When an agent counts as absent, and how exact the total of a list is."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_HOSTS_")

    offline_seconds: float = Field(default=30.0, ge=5, le=3600)
    """An agent silent for longer is offline; at least two heartbeats (10 s each). Those that beat
    more slowly, because their gateway holds many, have three heartbeats."""
    sweep_seconds: float = Field(default=3.0, ge=0.05, le=30)
    """The period of the sweeper, which works from the database alone."""
    total_seconds: float = Field(default=1.0, ge=0, le=60)
    """How long the total of a list is remembered; changes made by this process show at once."""

    gateway_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s'\"\\$`]+$", max_length=300
    )
    """The address at which agents reach their gateway; it is part of the line that enrols them."""
    gateway_certificate_file: Path | None = None
    """The certificate (PEM) that they are shown there, or that of its authority: the line pins it.
    Read anew for each line."""

    @model_validator(mode="after")
    def _pairs(self) -> "HostsSettings":
        if self.offline_seconds < 2 * HEARTBEAT_SECONDS:
            raise ValueError("offline_seconds must be at least two heartbeats (20 s)")
        if self.sweep_seconds > self.offline_seconds / 3:
            raise ValueError("sweep_seconds must be at most a third of offline_seconds")
        return self

"""The execution service's own settings; every time is in seconds."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

HEARTBEAT_SECONDS = 10.0
MIB = 1024 * 1024


class ExecutionSettings(BaseSettings):
    """Timers of a task's life; the pairs are checked at start, or the service refuses to start."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_EXECUTION_")

    start_seconds: int = Field(default=600, ge=1, le=7 * 86400)
    """How long a task may wait for its agent unless the run says otherwise; then it expires."""
    lost_seconds: float = Field(default=300.0, ge=60, le=86400)
    """How long a host may be silent before its running tasks are called lost."""
    failover_seconds: float = Field(default=300.0, ge=0, le=3600)
    """After a start nobody is called lost because of silence for this long (R39)."""
    reoffer_seconds: float = Field(default=15.0, ge=1, le=300)
    """When an offer or a grant that nobody answered is sent again."""
    sweep_seconds: float = Field(default=5.0, ge=0.05, le=30)
    """The period of the sweepers, which work from the database alone."""
    settle_seconds: float = Field(default=120.0, ge=1, le=3600)
    """How long nothing of an output may arrive after its result before a gap is recorded; more than
    the minute after which an agent at the latest sends again what nobody acknowledged."""

    tasks_per_host: int = Field(default=50, ge=0, le=10_000)
    """How many tasks a host may have been offered or run at once; 0 sets no limit."""
    tasks_per_user: int = Field(default=0, ge=0, le=1_000_000)
    """How many tasks of one user may be offered or run at once; 0 sets no limit."""
    tasks_per_execution: int = Field(default=0, ge=0, le=1_000_000)
    """How many tasks of one execution may be offered or run at once; 0 sets no limit."""
    max_concurrent_retries: int = Field(default=10, ge=1, le=1000)
    """How many unfinished executions may repeat something, in place or as a new record."""
    approval_look_seconds: float = Field(default=10.0, ge=0.05, le=300)
    """How soon an approval is looked at that auth did not tell about."""
    secret_seconds: int = Field(default=86_400, ge=60, le=30 * 86_400)
    """How long after its end an execution keeps its secrets, so that it can be retried."""
    step_up_root_hosts: int = Field(default=50, ge=0, le=20_000)
    """A run as root on more hosts than this asks people to prove themselves again."""
    typed_count_above: int = Field(default=0, ge=0, le=20_000)
    """A run on more hosts, or a stop of more executions, than this needs the number in the request;
    0 never asks for it."""
    log_segment_bytes: int = Field(default=64 * MIB, ge=256 * 1024, le=256 * MIB)
    """How long a segment of output may grow before the next one begins."""
    log_pack_seconds: float = Field(default=60.0, ge=0.05, le=86400)
    """How long after the end of an execution its output is compressed and sealed."""
    log_replaced_seconds: float = Field(default=600.0, ge=0.05, le=86400)
    """How long the file that was compressed stays, for those who began to read it."""
    log_archive_days: float = Field(default=7.0, ge=0, le=36500)
    """How long after it was compressed output moves to the object store, where there is one."""
    log_keep_days: int = Field(default=90, ge=0, le=36500)
    """How long output is kept after the end of its execution; 0 keeps it for ever."""
    log_keep_bytes: int = Field(default=0, ge=0)
    """How much output is kept in all, the oldest goes first; 0 sets no limit."""

    file_max_bytes: int = Field(default=10 * 1024 * MIB, ge=MIB, le=2**50)
    """The largest file that may be uploaded or collected."""
    file_quota_bytes: int = Field(default=100 * 1024 * MIB, ge=0, le=2**60)
    """What all files of one person may take together."""
    file_reserve_bytes: int = Field(default=1024 * MIB, ge=0)
    """What files leave free on the disk of the platform."""
    file_piece_bytes: int = Field(default=8 * MIB, ge=64 * 1024, le=64 * MIB)
    """The largest piece of an upload."""
    file_uploads_per_user: int = Field(default=100, ge=1, le=10_000)
    file_upload_seconds: float = Field(default=540.0, ge=1, le=7 * 86400)
    """How long an upload may stand still before what has come of it is removed."""
    file_keep_days: int = Field(default=0, ge=0, le=36500)
    """How long uploaded files are kept; 0 keeps them until somebody deletes them."""
    file_collected_days: int = Field(default=7, ge=1, le=36500)
    """How long collected archives are kept."""
    file_unused_seconds: float = Field(default=600.0, ge=0, le=86400)
    """How long content stays after its last file was deleted."""
    file_roots: tuple[str, ...] = ("/",)
    """Folders of hosts that files may be put into and collected from, as a JSON list."""

    @model_validator(mode="after")
    def _pairs(self) -> "ExecutionSettings":
        if self.start_seconds <= 2 * HEARTBEAT_SECONDS:
            raise ValueError("start_seconds must be more than two heartbeats (20 s)")
        if self.lost_seconds <= 5 * HEARTBEAT_SECONDS:
            raise ValueError("lost_seconds must be more than five heartbeats (50 s)")
        if self.sweep_seconds > self.lost_seconds / 10:
            raise ValueError("sweep_seconds must be at most a tenth of lost_seconds")
        if self.sweep_seconds > self.reoffer_seconds:
            raise ValueError("sweep_seconds must be at most reoffer_seconds, which it keeps")
        if 2 * self.reoffer_seconds > min(self.start_seconds, self.lost_seconds):
            raise ValueError("reoffer_seconds must be at most half of start_ and lost_seconds")
        if 0 < self.failover_seconds < 3 * HEARTBEAT_SECONDS:
            raise ValueError("failover_seconds must be 0 or at least three heartbeats (30 s)")
        return self


class SignerSettings(BaseSettings):
    """Who may have orders signed, and how many; read by the signer and by whoever asks it."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_SIGNER_")

    folder: Path | None = None
    """Keys, certificates and the log of decisions; `trust` in the data folder unless given."""
    users: tuple[str, ...] = ()
    """Names or numbers of the users whose processes may ask, as a JSON list; the signer's own
    user and root always may."""
    certificate_days: int = Field(default=30, ge=1, le=3660)
    """How long the signer's key is certified; renewed at half of it while the root key is here."""
    tasks_per_minute: int = Field(default=0, ge=0)
    """How many tasks may be signed in a minute; the others wait. 0 sets no limit."""
    hosts_per_execution: int = Field(default=0, ge=0)
    """Tasks of an execution with more than so many are refused; 0 sets no limit."""


class SecretSettings(BaseSettings):
    """Which secrets that lie elsewhere executions may refer to; without settings there are none.

    Lists have commas. Whoever may run scripts can read every secret that is named here.
    """

    model_config = SettingsConfigDict(env_prefix="OPSJOB_SECRETS_", extra="ignore", frozen=True)

    env_names: Annotated[tuple[str, ...], NoDecode] = ()
    """For `env:NAME`: variables of the process that writes orders."""
    file_root: Path | None = None
    """For `file:/path`: the folder below which such files lie."""
    vault_url: str | None = None
    """For `vault:mount/path#field`: HashiCorp Vault, a key-value engine of version 2."""
    vault_token: SecretStr | None = None
    vault_token_file: Path | None = None
    """Read for each question, so that it can be renewed; the other way to give a token."""
    vault_namespace: str | None = None
    vault_paths: Annotated[tuple[str, ...], NoDecode] = ()
    """Mounts and paths that may be referred to, with everything below them."""

    @field_validator("env_names", "vault_paths", mode="before")
    @classmethod
    def _with_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("file_root")
    @classmethod
    def _root_is_absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value

    def environment(self) -> Mapping[str, str]:
        """The variables that may be referred to, as far as this process has them."""
        return {name: os.environ[name] for name in self.env_names if name in os.environ}

    @model_validator(mode="after")
    def _vault_has_a_token(self) -> Self:
        if self.vault_url is not None and (self.vault_token is None) == (
            self.vault_token_file is None
        ):
            raise ValueError("vault_url needs either vault_token or vault_token_file")
        return self

"""Settings that every part of the platform shares; the only reader of the environment."""

from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Common settings, prefix OPSJOB_; a service adds its own class with OPSJOB_<SERVICE>_.

    ``database_url`` and ``service_url`` are templates with ``{service}``, and ``redis_url`` may be
    one, with a user for each part (see services/embedded/valkey_users.py). ``service_urls`` (JSON)
    names the services that answer elsewhere, such as several on one machine; ``database_urls`` does
    the same for a part that works on several databases, each with a password of its own.
    ``secret`` has no default: keys of all purposes are derived from it. ``accepted_secrets`` (with
    commas) are others whose tokens and sealed values still count, while the secret changes.
    ``sealing_key_file`` holds the keys of values in the databases. ``signer_socket`` is where
    execution has orders signed; without it they are signed by the service itself in development
    and tests, and nowhere else. With the three ``tls_`` files (PEM) services that are processes of
    their own listen for, and connect to, holders of certificates of that authority alone.
    ``agent_port`` is where agents connect on the host name of the console, for the line that enrols
    them; the embedded platform knows it.
    """

    model_config = SettingsConfigDict(env_prefix="OPSJOB_", extra="ignore", frozen=True)

    database_url: str
    database_urls: dict[str, str] = Field(default_factory=dict)
    redis_url: str = "redis://127.0.0.1:6379/0"
    secret: SecretStr
    accepted_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    sealing_key_file: Path | None = None
    data_dir: Path = Path("data")
    environment: Literal["embedded", "production", "development", "test"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    service_url: str = "http://{service}:8000"
    service_urls: dict[str, str] = Field(default_factory=dict)
    internal_socket: Path | None = None
    agent_port: int | None = Field(default=None, ge=1, le=65_535)
    signer_socket: Path | None = None
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_ca_file: Path | None = None
    database_pool_size: int = Field(default=10, ge=1, le=200)

    @field_validator("accepted_secrets", mode="before")
    @classmethod
    def _with_commas(cls, value: object) -> object:
        return _split(value)

    @field_validator("secret", "accepted_secrets")
    @classmethod
    def _secrets_are_strong(
        cls, value: SecretStr | tuple[SecretStr, ...]
    ) -> SecretStr | tuple[SecretStr, ...]:
        for one in value if isinstance(value, tuple) else (value,):
            text = one.get_secret_value()
            if len(text) < 32 or len(set(text)) < 8:
                message = "needs at least 32 random characters"
                raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _templates_name_the_service(self) -> Self:
        if "{service}" not in self.database_url or "{service}" not in self.service_url:
            message = "OPSJOB_DATABASE_URL and OPSJOB_SERVICE_URL must contain {service}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        files = (self.tls_certificate_file, self.tls_key_file, self.tls_ca_file)
        if any(files) and not all(files):
            message = "OPSJOB_TLS_CERTIFICATE_FILE, _KEY_FILE and _CA_FILE belong together"
            raise ValueError(message)
        addresses = (self.service_url, *self.service_urls.values())
        if all(files) and not all(address.startswith("https://") for address in addresses):
            message = "with OPSJOB_TLS_… files every address of a service begins with https://"
            raise ValueError(message)
        return self

    def database_url_of(self, service: str) -> str:
        """The database of one service; no two services share one."""
        template = self.database_urls.get(service, self.database_url)
        return template.replace("{service}", service)

    def redis_url_of(self, part: str) -> str:
        """Redis as one part of the platform reaches it: a service, a gateway, the worker."""
        return self.redis_url.replace("{service}", part)

    def service_url_of(self, service: str) -> str:
        """Where a service answers when it is a process of its own."""
        template = self.service_urls.get(service, self.service_url)
        return template.replace("{service}", service)


class FaultSettings(BaseSettings):
    """Where tests put what a process does at named places (see `kit.faults`); nothing otherwise."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_", extra="ignore", frozen=True)

    faults: str | None = None


class OutboundSettings(BaseSettings):
    """Whom the platform itself may ask over HTTP, prefix OPSJOB_OUTBOUND_ (see `kit.outbound`).

    Public addresses may be asked by https. ``networks`` and ``ports`` are lists with commas;
    networks are those private ones that may be asked too. Addresses where clouds give out
    credentials (169.254.0.0/16 and the like) need a network of their own in the list.
    """

    model_config = SettingsConfigDict(env_prefix="OPSJOB_OUTBOUND_", extra="ignore", frozen=True)

    networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    ports: Annotated[tuple[int, ...], NoDecode] = (443,)
    allow_http: bool = False
    """Also without TLS; what is sent can be read on its way then."""
    ca_file: Path | None = None
    """Certificates (PEM) that are believed besides the public ones."""
    max_bytes: int = Field(default=64 * 1024, ge=1024, le=16 * 1024 * 1024)
    """The longest body that is read."""
    seconds: float = Field(default=10.0, gt=0, le=60)
    """For one request from the name's resolution to the last byte."""

    @field_validator("networks", "ports", mode="before")
    @classmethod
    def _with_commas(cls, value: object) -> object:
        return _split(value)


class ObjectSettings(BaseSettings):
    """An object store that speaks S3, prefix OPSJOB_S3_ (see `kit.objects`); none without a bucket.

    It is the operator's own: any address may be given, also a private one and one without TLS.
    The two keys stand here or, one below the other, in ``keys_file``, which may change.
    """

    model_config = SettingsConfigDict(
        env_prefix="OPSJOB_S3_", extra="ignore", frozen=True, env_ignore_empty=True
    )

    bucket: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")
    endpoint: str | None = Field(default=None, pattern=r"^https?://[^/?#@\s]+/?$")
    """Where the store is, if it is not Amazon's."""
    region: str = "us-east-1"
    prefix: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*/)*$", max_length=200)
    """What the names of all objects begin with: nothing, or words that end in a slash."""
    access_key: str | None = None
    secret_key: SecretStr | None = None
    keys_file: Path | None = None
    path_style: bool | None = None
    """Whether the bucket stands in the path of an address; unless given, where `endpoint` is."""
    ca_file: Path | None = None
    """Certificates (PEM) that are believed instead of the public ones."""
    seconds: float = Field(default=30.0, ge=1, le=600)
    """How long the store may be silent in the middle of an answer."""
    part_bytes: int = Field(default=8 * 1024 * 1024, ge=5 * 1024 * 1024, le=1024 * 1024 * 1024)
    """Larger files are sent in parts of this size."""
    cache_bytes: int = Field(default=10 * 1024**3, ge=0)
    """What copies of objects may take on the disk, for files and for output each."""

    @model_validator(mode="after")
    def _bucket_can_be_opened(self) -> Self:
        if self.bucket is None:
            return self
        in_settings = self.access_key is not None and self.secret_key is not None
        if in_settings == (self.keys_file is not None):
            raise ValueError("needs either access_key and secret_key, or keys_file")
        if find_spec("botocore") is None:
            raise ValueError("needs the packages of requirements/cloud.lock")
        return self

    @property
    def uses_paths(self) -> bool:
        """Whether the bucket stands in the path of an address."""
        return self.endpoint is not None if self.path_style is None else self.path_style

    def keys(self) -> tuple[str, str]:
        """The access key and the secret one, as they are now; raises OSError, ValueError."""
        if self.keys_file is None:
            assert self.access_key is not None
            assert self.secret_key is not None
            return self.access_key, self.secret_key.get_secret_value()
        access_key, secret_key = self.keys_file.read_text("ascii").split()
        return access_key, secret_key


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value

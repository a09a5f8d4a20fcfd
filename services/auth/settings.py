"""The auth service's own settings; every time is in seconds."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.auth.domain import SessionKind

FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


class AuthSettings(BaseSettings):
    """How long sessions, tokens and proofs hold, and how many passwords are hashed at once."""

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

    one_time_password_seconds: int = Field(default=1800, ge=60, le=7 * 86400)
    """How long a password made by an administrator's reset or invitation can be used."""
    step_up_minutes: int = Field(default=15, ge=0, le=1440)
    """How long a proof of being that person opens delicate things; 0 never asks again."""
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

    @property
    def one_time(self) -> timedelta:
        """The life of a one-time password."""
        return timedelta(seconds=self.one_time_password_seconds)

    def proved_until(self, proved_at: datetime | None) -> datetime | None:
        """Until when a proof holds; `FOREVER` where nobody is asked again, None without a proof."""
        if not self.step_up_minutes:
            return FOREVER
        return proved_at and proved_at + timedelta(minutes=self.step_up_minutes)

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
        return _parts(value)


ROLE: Final = "role:"
GROUP: Final = "group:"

Provision = Literal["all", "mapped", "known"]
"""Who may come in: everybody who proves to be there, members of groups that count here, or only
those who have been here before."""


class Provisioning(BaseSettings):
    """Who becomes a user here, and which groups of the other side mean what (JSON)."""

    model_config = SettingsConfigDict(frozen=True)

    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Such as `{"cn=ops,ou=groups,dc=corp": ["role:operator", "group:Operations"]}`."""
    default_roles: Annotated[tuple[str, ...], NoDecode] = ()
    """Roles of everybody who comes in for the first time, separated by commas."""
    provision: Provision = "all"

    @field_validator("default_roles", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return _parts(value)

    @field_validator("groups")
    @classmethod
    def _effects(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return _effects(value)


class DirectorySettings(Provisioning):
    """An LDAP directory or an Active Directory; without `urls` there is none.

    The connection is encrypted in any case: `ldaps://` from its first byte, `ldap://` by StartTLS,
    and the certificate is checked. There is no switch to turn that off.
    """

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AUTH_DIRECTORY_", frozen=True)

    urls: Annotated[tuple[str, ...], NoDecode] = ()
    """Servers with the same content, separated by commas; the first that answers is asked."""
    ca_file: Path | None = None
    """Certificates (PEM) that are believed instead of the system's."""
    bind_dn: str = ""
    bind_password: SecretStr = SecretStr("")
    """Of the account that searches; both empty for a directory that lets anybody search."""
    base_dn: str = ""
    user_filter: str = "(&(objectClass=person)(uid={username}))"
    username_attribute: str = "uid"
    subject_attribute: str = "entryUUID"
    """The id that never changes; `objectGUID` in an Active Directory."""
    display_name_attribute: str = "displayName"
    email_attribute: str = "mail"
    disabled_filter: str = "(userAccountControl:1.2.840.113556.1.4.803:=2)"
    """Who fits is disabled there; empty for a directory that lets no disabled user bind."""
    group_attribute: str = "memberOf"
    """The attribute of a user that names groups, where the directory has one."""
    group_base_dn: str = ""
    group_filter: str = "(member={dn})"
    """Both to search groups in place of that attribute; for nested groups of an Active Directory
    `(member:1.2.840.113556.1.4.1941:={dn})`."""
    seconds: int = Field(default=5, ge=1, le=30)
    """For each step of a conversation; a login waits at most four times as long."""

    @field_validator("urls", mode="before")
    @classmethod
    def _urls(cls, value: object) -> object:
        return _parts(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.urls:
            return self
        if not all(re.fullmatch(r"ldaps?://[^/?#@]+", url) for url in self.urls):
            raise ValueError("a directory's URL is ldaps://host[:port] or ldap://host[:port]")
        if not self.base_dn:
            raise ValueError("a directory needs OPSJOB_AUTH_DIRECTORY_BASE_DN")
        if "{username}" not in self.user_filter or "{dn}" not in self.group_filter:
            raise ValueError("user_filter needs {username}, group_filter needs {dn}")
        if bool(self.bind_dn) != bool(self.bind_password.get_secret_value()):
            raise ValueError("bind_dn and bind_password go together")
        return self


class OidcProvider(BaseModel):
    """One OpenID Connect provider. Only codes with PKCE and asymmetric signatures are used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64)
    """What the button of the login says."""
    issuer: str = Field(pattern=r"^https?://[^?#@\s]+$")
    """As the provider writes it, to the letter."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    """Empty for a public client."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    hosts: tuple[str, ...] = ()
    """Where the provider's endpoints are, if not at the host of the issuer."""
    username_claim: str = "preferred_username"
    groups_claim: str = "groups"
    required_amr: tuple[str, ...] = ()
    """If set, the provider must say that it used one of these methods, such as `mfa` or `otp`."""
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Such as `{"ops": ["role:operator", "group:Operations"]}`."""
    default_roles: tuple[str, ...] = ()
    provision: Provision = "all"

    @field_validator("groups")
    @classmethod
    def _effects(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return _effects(value)

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return value if "openid" in value else ("openid", *value)


class OidcSettings(BaseSettings):
    """The identity providers, by a short name that stands in addresses (JSON)."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AUTH_OIDC_", frozen=True)

    public_url: str = Field(default="", pattern=r"^(https?://[^/?#@\s]+)?$")
    """Where browsers find this installation; providers send them back to it."""
    providers: dict[str, OidcProvider] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not all(re.fullmatch(r"[a-z0-9-]{1,32}", key) for key in self.providers):
            raise ValueError("a provider's key has 1 to 32 of the characters a-z, 0-9 and -")
        if self.providers and not self.public_url:
            raise ValueError("identity providers need OPSJOB_AUTH_OIDC_PUBLIC_URL")
        return self


def _parts(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _is_effect(text: str) -> bool:
    return any(text.startswith(kind) and text.removeprefix(kind).strip() for kind in (ROLE, GROUP))


class AuditSettings(BaseSettings):
    """How often the audit log is signed, and how long its records are kept."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AUTH_AUDIT_", frozen=True)

    checkpoint_records: int = Field(default=1000, ge=1, le=1_000_000)
    """A checkpoint is written after so many records …"""
    checkpoint_seconds: int = Field(default=60, ge=1, le=86_400)
    """… or so much time, whichever comes first, if there is anything new."""
    keep_days: int = Field(default=365, ge=1, le=36_500)


def _effects(value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if not all(_is_effect(effect) for effects in value.values() for effect in effects):
        raise ValueError("a group leads to role:… and group:… only")
    return value

"""What the API of logins takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from libs.kit.service import Row, Schema, refuse_null
from libs.kit.text import Name, unhidden
from services.auth.domain import MAX_USERNAME

Username = Annotated[Name, StringConstraints(max_length=MAX_USERNAME)]


RoleKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
"""What a role is referred to by: its name if it is built in, else `custom-` and its id."""


def _line(value: str) -> str:
    """One visible line, or nothing at all."""
    return unhidden(value) if value.strip() else ""


Line = Annotated[str, StringConstraints(max_length=128), AfterValidator(_line)]
Email = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^([^\s@<>\"',;:\\()\[\]]{1,64}@[A-Za-z0-9.-]{1,189})?$"
    ),
    AfterValidator(_line),
]
Phone = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9+()/ .-]*$")]


class Profile(Schema):
    """What is known about a person besides the name; an empty text means not known."""

    display_name: Line = ""
    email: Email = ""
    phone: Phone = ""
    department: Line = ""
    position: Line = ""


class ProfilePatch(Schema):
    """What may be changed about a person; an absent field stays, an empty text clears."""

    display_name: Line | None = None
    email: Email | None = None
    phone: Phone | None = None
    department: Line | None = None
    position: Line | None = None

    _not_null = field_validator("*", mode="before")(refuse_null)

    @property
    def profile(self) -> dict[str, str]:
        """The fields of the profile that were given."""
        return self.model_dump(include=set(Profile.model_fields), exclude_none=True)


class MeOut(Row):
    """Who the caller is and what the caller may do; `*` stands for everything."""

    id: int
    username: str
    roles: list[str]
    permissions: list[str]
    is_active: bool
    must_change_password: bool
    proved_until: datetime | None
    """Until when delicate things are open without proving oneself again (`/api/auth/step_up/`)."""


class ProfileOut(MeOut):
    """The caller, with the profile and the groups that the caller belongs to."""

    display_name: str
    email: str
    phone: str
    department: str
    position: str
    groups: list[str]


class LoginIn(Schema):
    """Credentials. Their form is not judged here: a bad one gets the answer of a wrong one."""

    username: str
    password: str
    otp_token: Annotated[str, Field(max_length=64)] | None = None
    """A code of the second factor, or a recovery code; wanted after `otp_required`."""
    remember_me: bool = False
    """Longer lifetimes, and a cookie that outlives the browser."""
    captcha_key: str = ""
    captcha_value: str = ""
    """What is read on the picture of this key; wanted after failures (`captcha_required`)."""


class ProviderOption(Row):
    """An identity provider; the login begins at `/api/auth/oidc/{id}/start/`."""

    id: str
    name: str


class PasswordPolicy(Row):
    """What a password has to be, in characters."""

    min_length: int
    max_length: int


class OptionsOut(Row):
    """How somebody can log in. `captcha` says whether this address has to answer a picture now."""

    captcha: bool
    directory: bool
    oidc_providers: list[ProviderOption]
    second_factor: str
    """`optional` or `required`."""
    password_policy: PasswordPolicy


class LoggedOut(Row):
    """The login has ended; at `continue_at` a browser ends the one at its identity provider."""

    continue_at: str | None = None


class RefreshIn(Schema):
    """The newest refresh token of a login; an older one ends the login."""

    refresh_token: str


class TokensOut(Row):
    """A pair of tokens; `expires_in` is the life of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: MeOut


class RoleOut(Row):
    """A role and what it allows."""

    name: str
    permissions: list[str]


class PasswordChange(Schema):
    """The present password proves that it is really the user who asks."""

    current_password: str
    new_password: str


# ---- internal --------------------------------------------------------------------------------


class ResolveSession(Schema):
    """SHA-256 of a session cookie's value, lower-case hex."""

    token_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ResolveToken(ResolveSession):
    """SHA-256 of an API token, lower-case hex, and the address that it comes from, if known."""

    address: Annotated[str, StringConstraints(max_length=64)] = ""


class PrincipalOfSession(Schema):
    """The id of a login, as access tokens carry it."""

    session_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ActiveUsers(Schema):
    """Users to be looked up at once."""

    user_ids: Annotated[list[int], Field(max_length=1000)]


class FirstAdminCreate(Schema):
    """The name of the first administrator."""

    username: Username

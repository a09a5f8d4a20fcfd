"""What the API of the second factor takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from libs.kit.service import Row, Schema

Code = Annotated[str, Field(max_length=64)]
"""Six digits, or a recovery code where one is accepted. A bad form is a wrong code."""
Secret = Annotated[str, Field(max_length=1024)]


class FactorStatus(Row):
    """Whether the second factor is on, has to be on, and how many recovery codes remain."""

    enabled: bool
    required: bool
    enabled_at: datetime | None
    recovery_codes_left: int


class SetupIn(Schema):
    """The password proves that it is really the user who asks."""

    current_password: Secret


class SetupOut(Row):
    """A new secret, shown once: as text, as address, and as picture (an SVG `data:` address)."""

    secret: str
    otpauth_uri: str
    qr_code: str


class VerifyIn(Schema):
    """A code of the authenticator."""

    otp_token: Code


class RecoveryCodesOut(Row):
    """Ten codes, each good for one login; shown once."""

    recovery_codes: list[str]


class DisableIn(Schema):
    """Password and a code together; a recovery code will do."""

    current_password: Secret
    otp_token: Code


class TicketIn(Schema):
    """What a login answered that asks for enrolment (`details.enrolment_token`)."""

    enrolment_token: Secret


class TicketVerifyIn(TicketIn):
    """The same with a code of the authenticator."""

    otp_token: Code

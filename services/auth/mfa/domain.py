"""One-time codes (RFC 6238) and recovery codes: how they look, when they count. No database."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyotp
import segno

from libs.kit.errors import Conflict, Forbidden, Invalid, Unauthenticated
from services.auth.domain import token_hash

STEP_SECONDS: Final = 30
DRIFT_STEPS: Final = 1
"""How far the clock of an authenticator may be off, in steps of half a minute."""
RECOVERY_CODES: Final = 10
TICKET_SECONDS: Final = 600
"""How long somebody who has to enrol has time for it."""

_DIGITS: Final = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY: Final = re.compile(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", re.ASCII)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Status:
    """Whether a user's factor is on, has to be on, and how many recovery codes remain."""

    enabled: bool
    required: bool
    enabled_at: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True)
class Setup:
    """A new secret in three forms; it is never shown again."""

    secret: str
    otpauth_uri: str
    qr_code: str


def new_secret() -> str:
    """160 random bits in base32, as authenticators take them."""
    return pyotp.random_base32(32)


def provisioning_uri(secret: str, *, username: str, issuer: str) -> str:
    """The `otpauth://` address that an authenticator reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def picture(uri: str) -> str:
    """The address as a QR code: an SVG picture in a `data:` address."""
    return segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="white")


def step_of(secret: str, code: str, *, at: datetime, after: int) -> int | None:
    """The time step to which a code of six digits belongs; None if it is not good.

    Good are the present step, the one before and the next, but only steps later than `after`: a
    code counts once. Nothing is trimmed and only ASCII digits count.
    """
    if not _DIGITS.fullmatch(code):
        return None
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // STEP_SECONDS
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), code) and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 bits each, such as `k3ab-…`."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(16))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def recovery_hash(code: str) -> str | None:
    """How a recovery code is stored; None for what cannot be one. Letter case does not matter."""
    folded = code.lower() if code.isascii() else ""
    return token_hash(folded) if _RECOVERY.fullmatch(folded) else None


# ---- what can be wrong -------------------------------------------------------------------------


class OtpRequired(Unauthenticated):
    """The password is right; a code of the second factor is missing. Nobody is logged in yet."""

    code = "otp_required"
    message = "Enter the code of your authenticator, or a recovery code."
    message_zh = "请输入身份验证器的动态码或恢复码。"


class OtpRefused(Unauthenticated):
    """Not a code of now, or one that was used before."""

    code = "otp_refused"
    message = "The code is wrong or was used before. Wait for the next one."
    message_zh = "动态码错误或已被使用，请等待下一个动态码。"


MOST_REFUSED: Final = 100
"""So many wrong codes in a row stop a factor (NIST SP 800-63B). Who tries knows the password."""


class SecondFactorStopped(Forbidden):
    """Too many wrong codes in a row; it accepts nothing until an administrator takes it away."""

    code = "second_factor_stopped"
    message = "After too many wrong codes an administrator has to reset your second factor."
    message_zh = "动态码错误次数过多，请联系管理员重置您的双因素认证。"


class OtpEnrolmentRequired(Unauthenticated):
    """The password is right, but the user needs a second factor first.

    `enrolment_token` in the details opens the way to it for ten minutes.
    """

    code = "otp_enrolment_required"
    message = "You need a second factor. Set up an authenticator, then log in."
    message_zh = "您需要启用双因素认证，请先设置身份验证器再登录。"


class EnrolmentRefused(Unauthenticated):
    """An enrolment token that is unknown, used or too old."""

    code = "enrolment_refused"
    message = "This enrolment is over. Log in again to start another one."
    message_zh = "本次启用已失效，请重新登录后再试。"


class OtpWrong(Invalid):
    """A code given by somebody who is logged in is not good."""

    code = "otp_wrong"
    message = "The code is wrong or was used before. Wait for the next one."
    message_zh = "动态码错误或已被使用，请等待下一个动态码。"


class SecondFactorOn(Conflict):
    """It has to be turned off before another one can be set up."""

    code = "second_factor_on"
    message = "The second factor is on already. Turn it off before you set up another one."
    message_zh = "双因素认证已启用，如需更换请先停用。"


class SecondFactorOff(Conflict):
    """There is nothing to confirm, to turn off or to renew."""

    code = "second_factor_off"
    message = "There is no second factor yet. Set one up first."
    message_zh = "尚未设置双因素认证，请先设置。"


class SecondFactorElsewhere(Conflict):
    """Who logs in through an identity provider has the factors of that provider."""

    code = "second_factor_elsewhere"
    message = "Your identity provider is in charge of your second factor."
    message_zh = "您的双因素认证由身份提供方负责。"

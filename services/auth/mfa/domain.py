"""One-time codes (RFC 6238) and recovery codes: how they look, when they count. No database."""

import hmac
import re
import secrets
from datetime import datetime
from typing import Final

import pyotp
import segno

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

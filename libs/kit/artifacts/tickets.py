"""Short-lived words with which an agent fetches or brings one file, and nothing else."""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from libs.kit import clock
from libs.kit.errors import Unauthenticated

_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{1,3000}\.[A-Za-z0-9_-]{43}", re.ASCII)


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What its bearer may do: fetch the content `sha256`, or bring what a task collected.

    Times are seconds since 1970, `bytes_per_second` is for everybody with the same `step_id`
    together (0 is no limit), `max_bytes` bounds what may be brought.
    """

    purpose: Literal["fetch", "bring"]
    task_id: str
    attempt: int
    agent_id: str
    expires_at: int
    sha256: str = ""
    step_id: str = ""
    bytes_per_second: int = 0
    max_bytes: int = 0


class FileTickets:
    """Signs and reads tickets; the platform's secret yields a key for this purpose alone.

    Tickets of the ``accepted`` secrets are read, too, while the secret changes.
    """

    def __init__(self, secret: SecretStr, *, accepted: Sequence[SecretStr] = ()) -> None:
        self._keys = [
            HKDF(SHA256(), 32, salt=None, info=b"opsjob/file-ticket/v1").derive(
                one.get_secret_value().encode()
            )
            for one in (secret, *accepted)
        ]

    def issue(self, ticket: Ticket) -> str:
        """The text to show."""
        claims = urlsafe_b64encode(msgspec.json.encode(ticket)).rstrip(b"=")
        return (claims + b"." + _mac(self._keys[0], claims)).decode()

    def read(self, text: str) -> Ticket:
        """What a good ticket says; Unauthenticated for any other, without saying why."""
        if not _SHAPE.fullmatch(text):
            raise Unauthenticated
        claims, _, mac = text.encode().partition(b".")
        if not any(hmac.compare_digest(mac, _mac(key, claims)) for key in self._keys):
            raise Unauthenticated
        try:
            raw = urlsafe_b64decode(claims + b"=" * (-len(claims) % 4))
            ticket = msgspec.json.decode(raw, type=Ticket)
        except ValueError as error:
            raise Unauthenticated from error
        if ticket.expires_at <= clock.now().timestamp():
            raise Unauthenticated
        return ticket


def _mac(key: bytes, claims: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(key, claims, "sha256")).rstrip(b"=")

"""What the line that installs an agent pins: where to go, and whom to believe there."""

import base64
import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.hosts.errors import GatewayCertificateUnreadable

_CERTIFICATE: Final = re.compile(
    "-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Gateway:
    """Where agents connect, and the file (PEM) with what is shown there, or with its authority.

    Without `url` they connect to `port` on the host name of the console, if it is known.
    """

    url: str | None = None
    certificate_file: Path | None = None
    port: int | None = None

    def fingerprint(self) -> str | None:
        """That of the first certificate in the file as it is now, None without a file.

        Raises GatewayCertificateUnreadable: a line without its pin is not made by mistake.
        """
        if self.certificate_file is None:
            return None
        try:
            with self.certificate_file.open("rb") as file:
                text = file.read(_MAX_BYTES).decode("ascii", "replace")
            found = _CERTIFICATE.search(text)
            der = ssl.PEM_cert_to_DER_cert(found.group()) if found else b""
        except (OSError, ValueError) as error:
            raise GatewayCertificateUnreadable(file=self.certificate_file.name) from error
        if not der:
            raise GatewayCertificateUnreadable(file=self.certificate_file.name)
        return _sha256(der)


def root_fingerprint(root: str | None) -> str | None:
    """That of the root key, which is given in base64; None before there is one."""
    return None if root is None else _sha256(base64.b64decode(root))


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"

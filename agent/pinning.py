"""Looks at the certificate of a gateway, and compares, before anything is said to it."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from cryptography import x509

_HTTPS_PORT = 443
_TIMEOUT_SECONDS = 30
_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class PinDiffers(Exception):
    """The gateway is not the one that was meant, or cannot show that it is."""


@dataclass(frozen=True)
class Pinned:
    """How to talk to a gateway: what to believe, and which certificate it must show (or any).

    `certificate` (PEM) is one that vouches for itself: sessions need it as their authority.
    """

    context: ssl.SSLContext
    shown: str = ""
    certificate: str = ""

    def handler(self) -> urllib.request.BaseHandler:
        """Opens https addresses; raises PinDiffers inside of it before a request is sent."""
        return _PinnedHandler(self)


def fingerprint(content: bytes) -> str:
    """The name of a certificate (DER) or of a key (raw)."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def pinned(gateway: str, *, ca_file: str, pin: str) -> Pinned:
    """Without a pin the usual rules. A pin names the gateway's certificate, or one of `ca_file`.

    Raises PinDiffers if it does neither, OSError if the gateway or the file cannot be had.
    """
    if not pin:
        return Pinned(ssl.create_default_context(cafile=ca_file or None))
    if urlsplit(gateway).scheme != "https":
        raise PinDiffers(f"{gateway} has no certificate: it is no https address.")
    for text in _certificates_in(ca_file):
        if fingerprint(ssl.PEM_cert_to_DER_cert(text)) == pin:
            return Pinned(_believing(text))
    shown = _shown_by(gateway)
    if fingerprint(shown) != pin:
        raise PinDiffers(
            f"{gateway} shows the certificate {fingerprint(shown)}, expected was {pin}. "
            "The token was not sent."
        )
    if _vouches_for_itself(shown):
        text = ssl.DER_cert_to_PEM_cert(shown)
        return Pinned(_believing(text), pin, text)
    return Pinned(ssl.create_default_context(cafile=ca_file or None), pin)


def _certificates_in(ca_file: str) -> list[str]:
    if not ca_file:
        return []
    with open(ca_file, encoding="ascii", errors="replace") as file:
        return _PEM.findall(file.read())


def _believing(certificate: str) -> ssl.SSLContext:
    """Believes this one and what it signed, and nothing that the system believes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    return context


def _shown_by(gateway: str) -> bytes:
    """The certificate (DER) in a handshake after which nothing is said; it is only looked at."""
    address = urlsplit(gateway)
    host = address.hostname or ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((host, address.port or _HTTPS_PORT), _TIMEOUT_SECONDS)
    with plain, context.wrap_socket(plain, server_hostname=host) as secure:
        return secure.getpeercert(binary_form=True) or b""


def _vouches_for_itself(certificate: bytes) -> bool:
    found = x509.load_der_x509_certificate(certificate)
    return found.issuer == found.subject


class _PinnedConnection(HTTPSConnection):
    """Compares again on the connection that is used."""

    pin = ""

    def connect(self) -> None:
        super().connect()
        if not self.pin:
            return
        assert isinstance(self.sock, ssl.SSLSocket)
        if fingerprint(self.sock.getpeercert(binary_form=True) or b"") != self.pin:
            self.close()
            raise PinDiffers("The gateway showed another certificate. The token was not sent.")


class _PinnedHandler(urllib.request.HTTPSHandler):
    def __init__(self, pinned: Pinned) -> None:
        super().__init__(context=pinned.context)
        self._pinned = pinned

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        """Called by urllib."""
        shown = self._pinned.shown

        class Connection(_PinnedConnection):
            pin = shown

        return self.do_open(Connection, req, context=self._pinned.context)

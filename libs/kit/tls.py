"""Certificates of services that are processes of their own: who asks, who answers."""

import ssl
from pathlib import Path
from typing import NamedTuple

from libs.kit.settings import Settings


class TlsFiles(NamedTuple):
    """Files (PEM): who this process is, and the authority that the other side must come from."""

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def of(cls, settings: Settings) -> "TlsFiles | None":
        """None where services are reached without TLS: in one process, or in a closed network."""
        certificate, key = settings.tls_certificate_file, settings.tls_key_file
        authority = settings.tls_ca_file
        if certificate is None or key is None or authority is None:
            return None
        return cls(certificate, key, authority)

    def to_ask(self) -> ssl.SSLContext:
        """For the side that connects: believes this authority alone, and shows who it is.

        Raises OSError (ssl.SSLError is one) for files that cannot be used.
        """
        context = ssl.create_default_context(cafile=str(self.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate, self.key)
        return context

    def to_answer(self) -> ssl.SSLContext:
        """For the side that listens: nobody is heard who shows nothing of this authority's.

        Raises OSError for files that cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority)
        context.load_cert_chain(self.certificate, self.key)
        return context

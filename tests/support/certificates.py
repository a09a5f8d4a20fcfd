"""A small authority of the tests' own, and TLS servers with its certificates."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from libs.kit import clock


class Authority:
    """Signs certificates for names; its own certificate is the file `ca_file`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        own = self._builder(self._name, self._key, issuer=self._name).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca_file = folder / "authority.pem"
        self.ca_file.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def server(self, name: str) -> ssl.SSLContext:
        """What a server needs that is called so; its key and certificate are `<name>.pem`."""
        return _context(self.file(name))

    def itself(self, name: str) -> ssl.SSLContext:
        """The same with a certificate that nobody but its own key signed."""
        return _context(self.file(name, signs_itself=True))

    def file(self, name: str, *, signs_itself: bool = False) -> Path:
        """Key and certificate of something that is called so, for both ends of a connection."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key, issuer=subject if signs_itself else self._name)
        certificate = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
        ).sign(key if signs_itself else self._key, SHA256())
        file = self._folder / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        return file

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, issuer: x509.Name
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(clock.now() - timedelta(hours=1))
            .not_valid_after(clock.now() + timedelta(days=1))
        )


def _context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@contextmanager
def tls_front(plain_address: str, context: ssl.SSLContext) -> Iterator[str]:
    """A proxy that ends TLS at `https://localhost:…` and passes bytes on to an address."""
    behind = urlsplit(plain_address)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                visitor, _ = listener.accept()
                with visitor, contextlib.suppress(OSError):
                    visitor.settimeout(5)
                    with context.wrap_socket(visitor, server_side=True) as secure:
                        _pass_on(secure, (behind.hostname or "", behind.port or 0))

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        try:
            yield f"https://localhost:{port}"
        finally:
            stop.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()


def _pass_on(secure: ssl.SSLSocket, address: tuple[str, int]) -> None:
    """Bytes both ways until one side ends."""
    with socket.create_connection(address) as plain:
        while True:
            ready = [secure] if secure.pending() else select.select([secure, plain], [], [], 5)[0]
            for source in ready:
                data = source.recv(65_536)
                if not data:
                    return
                (plain if source is secure else secure).sendall(data)

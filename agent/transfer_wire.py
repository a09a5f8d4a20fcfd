"""Plain HTTP to the agents' port: one request per connection, resumable in both directions.

The standard library's client would cost the spawner, and all of its forks, 2 MB of memory.
"""

from __future__ import annotations

import json
import socket
import time

from agent.transfer_address import Address
from agent.transfer_report import TransferFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from ssl import SSLContext
    from typing import Callable

_CONNECT_SECONDS = 15.0
_IDLE_SECONDS = 30.0
_MOST_HEAD = 16 * 1024
_MOST_ANSWER = 64 * 1024
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 10.0
READ_BYTES = 1024 * 1024


class LinkBroken(Exception):
    """The connection failed, or the gateway cannot answer now; to be tried again."""


class Answer:
    """An answer's head, and the part of its body that came along with it."""

    __slots__ = ("begun", "headers", "length", "status")

    def __init__(self, status: int, headers: dict[str, str], begun: bytes, length: int) -> None:
        self.status = status
        self.headers = headers
        self.begun = begun
        self.length = length


class Link:
    """One connection to a gateway, for one request."""

    def __init__(self, gateway: str, tls: SSLContext | None) -> None:
        address = Address(gateway)
        host, self._host, self._base = address.host, address.shown, address.base
        try:
            # As bytes: text would load the codec of international names, from a folder that the
            # user that we have become may not be allowed to read.
            place = (host.encode("ascii"), address.port)
            self._socket = socket.create_connection(place, _CONNECT_SECONDS)  # type: ignore[arg-type]
            if tls is not None and address.is_secure:
                self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        except OSError as error:
            raise LinkBroken(str(error)) from None
        self._socket.settimeout(_IDLE_SECONDS)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def ask(self, method: str, path: str, headers: dict[str, str]) -> None:
        """Send the head of a request."""
        lines = [f"{method} {self._base}{path} HTTP/1.1", f"host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("connection: close")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))

    def send(self, content: bytes | memoryview) -> None:
        """Send a part of the body."""
        try:
            self._socket.sendall(content)
        except OSError as error:
            raise LinkBroken(str(error)) from None

    def receive(self, buffer: memoryview) -> int:
        """Read into a buffer; 0 at the end."""
        try:
            return self._socket.recv_into(buffer)
        except OSError as error:
            raise LinkBroken(str(error)) from None

    def answer(self) -> Answer:
        """The head of the answer; LinkBroken if there is none."""
        received = b""
        buffer = bytearray(_MOST_HEAD)
        while b"\r\n\r\n" not in received:
            count = self.receive(memoryview(buffer))
            if not count or len(received) > _MOST_HEAD:
                raise LinkBroken("no answer")
            received += bytes(buffer[:count])
        head, _, begun = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        try:
            return Answer(int(lines[0].split()[1]), headers, begun, int(headers["content-length"]))
        except (ValueError, IndexError, KeyError):
            raise LinkBroken("an answer that is none") from None

    def document(self, answer: Answer) -> dict[str, object]:
        """The content of an answer in JSON; empty if it is not one."""
        body = bytearray(answer.begun)
        buffer = bytearray(_MOST_ANSWER)
        while len(body) < min(answer.length, _MOST_ANSWER):
            count = self.receive(memoryview(buffer))
            if not count:
                raise LinkBroken("half an answer")
            body += buffer[:count]
        try:
            content = json.loads(body)["content"]
        except (ValueError, KeyError, TypeError):
            return {}
        return content if isinstance(content, dict) else {}


class Gateways:
    """The agent's gateways; a broken link goes on at the next one."""

    def __init__(
        self, addresses: tuple[str, ...], tls: SSLContext | None, patience_seconds: float
    ) -> None:
        self.addresses = addresses
        self.tls = tls
        self.patience_seconds = patience_seconds

    @classmethod
    def of(cls, addresses: tuple[str, ...], ca_file: str, patience_seconds: float) -> Gateways:
        """With all that https needs, which only the agent's own user may be able to read."""
        if not any(Address(address).is_secure for address in addresses):
            return cls(addresses, None, patience_seconds)
        import ssl  # noqa: PLC0415 - costs 10 ms, and plain addresses do not need it

        context = ssl.create_default_context(cafile=ca_file or None)
        return cls(addresses, context, patience_seconds)

    def turns(self, progress: Callable[[], int]) -> Iterator[str]:
        """Addresses to try one after the other, with growing pauses; ends by TransferFailed.

        `progress` counts the bytes that are over: whenever it has grown, patience begins anew.
        """
        pause, before, since = _FIRST_PAUSE_SECONDS, progress(), time.monotonic()
        turn = 0
        while True:
            yield self.addresses[turn % len(self.addresses)]
            turn += 1
            if progress() > before:
                pause, before, since = _FIRST_PAUSE_SECONDS, progress(), time.monotonic()
            if time.monotonic() - since > self.patience_seconds:
                raise TransferFailed("connection_lost", "No gateway could be reached any more.")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def link(self, address: str) -> Link:
        """A connection to one of them; raises LinkBroken."""
        return Link(address, self.tls)


_REFUSALS = {
    401: ("ticket_refused", "The gateway does not accept the ticket (any longer)."),
    403: ("ticket_refused", "The gateway does not let this agent transfer files."),
    404: ("source_missing", "The platform does not have this content any more."),
    413: ("limits_exceeded", "More than this task may bring."),
}


def refused(answer: Answer, document: dict[str, object]) -> Exception:
    """What an answer that is no success means: LinkBroken if it may be tried again."""
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return LinkBroken(str(answer.status))
    word = str(document.get("error", ""))
    if word == "file_quota_exceeded":
        return TransferFailed("quota_exceeded", "The files of the person would pass the quota.")
    reason, sentence = _REFUSALS.get(
        answer.status, ("order_invalid", f"The gateway refused ({answer.status} {word}).")
    )
    return TransferFailed(reason, sentence)

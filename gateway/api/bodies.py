"""Keeps request bodies within their limit, declared or not, before a service sees them."""

from collections.abc import Callable

from starlette.types import Message, Receive

from gateway.api.errors import BadHead, BodyTooLarge
from gateway.api.heads import RequestHead
from libs.kit.errors import UnsupportedMedia


class CountedBody:
    """A `receive` that stops handing out a body of undeclared size once it passes the limit.

    The service sees a client that went away; `exceeded` tells the gateway the truth.
    """

    def __init__(self, receive: Receive, limit: int, on_exceeded: Callable[[], None]) -> None:
        self._receive = receive
        self.limit = limit
        self._left = limit
        self._on_exceeded = on_exceeded
        self.exceeded = False

    async def __call__(self) -> Message:
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.exceeded = True
                self._on_exceeded()
                return {"type": "http.disconnect"}
        return message


def check_body(head: RequestHead, limit: int) -> bool:
    """Refuses what can be refused by the headers; True if the body must be counted as it comes.

    The server holds a peer to its declared length, so only undeclared ones are counted.
    """
    if head.content_encoding not in (None, b"identity"):
        raise UnsupportedMedia(header="content-encoding")
    length = head.content_length
    if length is not None:
        if head.chunked:
            raise BadHead(header="transfer-encoding")
        if length > limit:
            raise BodyTooLarge(limit=limit)
    return head.chunked

"""Where a request for an execution came from; the routes stand where their URLs say."""

import ipaddress
from typing import Annotated

from fastapi import Depends, Request

from services.execution.plans.domain import Client

USER_AGENT_LENGTH = 300


def client_of(request: Request) -> Client:
    """Address and program of the caller, as our own gateway says; both only for the record."""
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    peer = request.client.host if request.client else ""
    program = request.headers.get("user-agent", "")[:USER_AGENT_LENGTH]
    shown = "".join(char for char in program if char.isprintable())
    return Client(ip=_address(told) or _address(peer), user_agent=shown or None)


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


Origin = Annotated[Client, Depends(client_of)]

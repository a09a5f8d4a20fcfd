"""What every door that leads to a login has in common: where it comes from, what it leaves."""

from fastapi import Request, Response

from services.auth.domain import network_address

SECURE_COOKIE = "__Host-opsjob"
PLAIN_COOKIE = "opsjob_session"
"""For plain http, where browsers refuse the prefix; a loopback or test installation."""


def client_address(request: Request) -> str:
    """Where a login comes from, as our gateway says; an IPv6 network counts as one address."""
    peer = request.client.host if request.client else ""
    return network_address(request.headers.get("x-forwarded-for", ""), peer)


def is_secure(request: Request) -> bool:
    """Whether the browser speaks https, as our gateway says."""
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def set_session_cookie(
    request: Request, response: Response, value: str, *, seconds: int | None
) -> None:
    """Gives the browser the session; without `seconds` it goes when the browser is closed."""
    secure = is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def delete_session_cookies(response: Response) -> None:
    """Takes the session from the browser, whatever it speaks."""
    for name in (SECURE_COOKIE, PLAIN_COOKIE):
        response.delete_cookie(
            name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="strict"
        )

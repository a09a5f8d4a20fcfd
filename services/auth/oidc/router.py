"""The way to an identity provider and back, for logins and for proofs of those who are in."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from libs.kit.auth import Principal, authenticated, public
from libs.kit.errors import AppError
from libs.kit.service import provided
from services.auth.domain import refuse_api_token
from services.auth.oidc.domain import MAX_RETURN
from services.auth.oidc.schemas import ProofDeparture, ProofWay
from services.auth.oidc.service import OidcLogins, Return
from services.auth.service import Visit
from services.auth.signin.router import client_address, is_secure, set_session_cookie

router = APIRouter(prefix="/api/auth/oidc", tags=["auth"])

OidcUseCases = Annotated[OidcLogins, provided(OidcLogins)]
ProviderKey = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$")]
Text = Annotated[str, Query(max_length=4096)]

SECURE_COOKIE = "__Host-opsjob-login"
PLAIN_COOKIE = "opsjob_login"
"""Kept from the start to the way back; `Lax`, because the way back begins at another site."""
LOGIN_PAGE = "/login"


@router.get(
    "/{provider}/start",
    status_code=303,
    dependencies=[public()],
    response_class=RedirectResponse,
)
async def start(
    provider: ProviderKey,
    request: Request,
    logins: OidcUseCases,
    return_to: Annotated[str, Query(max_length=MAX_RETURN)] = "/",
) -> Response:
    """Sends the browser to the provider; afterwards it goes to `return_to`, a path of this site."""
    departure = await logins.start(provider, return_to=return_to, address=client_address(request))
    answer = RedirectResponse(departure.url, status_code=303)
    _keep(request, answer, departure.browser, seconds=departure.seconds)
    return answer


@router.post("/{provider}/prove")
async def prove(
    provider: ProviderKey,
    body: ProofWay,
    request: Request,
    response: Response,
    logins: OidcUseCases,
    by: Annotated[Principal, authenticated()],
) -> ProofDeparture:
    """Where the browser has to go to prove again to be the person of this login.

    The provider asks anew, whatever it remembers; afterwards the browser is sent to `return_to`
    and `GET /api/auth/step_up/` says until when the proof holds.
    """
    refuse_api_token(by)
    departure = await logins.start(
        provider,
        return_to=body.return_to,
        address=client_address(request),
        proves=by.session_id,
    )
    _keep(request, response, departure.browser, seconds=departure.seconds)
    return ProofDeparture(url=departure.url)


@router.get(
    "/{provider}/callback",
    status_code=303,
    dependencies=[public()],
    response_class=RedirectResponse,
)
async def come_back(
    provider: ProviderKey,
    request: Request,
    logins: OidcUseCases,
    state: Text = "",
    code: Text | None = None,
    iss: Text | None = None,
    error: Text | None = None,
) -> Response:
    """Opens the session and sends the browser on; to the page of the login if that fails.

    There the code of the error is in `error`: `oidc_refused`, `oidc_unavailable`, `too_many`.
    """
    name = SECURE_COOKIE if is_secure(request) else PLAIN_COOKIE
    back = Return(
        state=state, browser=request.cookies.get(name, ""), code=code, issuer=iss, error=error
    )
    visit = Visit(client_address(request), request.headers.get("user-agent", ""))
    try:
        arrival = await logins.arrive(provider, back, visit=visit)
    except AppError as failure:
        query = urlencode({"error": failure.code})
        answer = RedirectResponse(f"{LOGIN_PAGE}?{query}", status_code=303)
    else:
        answer = RedirectResponse(arrival.return_to, status_code=303)
        tokens = arrival.tokens
        if tokens is not None and tokens.cookie is not None:
            set_session_cookie(request, answer, tokens.cookie, seconds=tokens.cookie_seconds)
    _keep(request, answer, "", seconds=0)
    return answer


def _keep(request: Request, answer: Response, value: str, *, seconds: int) -> None:
    secure = is_secure(request)
    answer.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )

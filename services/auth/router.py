"""Logging in and out, and what people see and change about themselves."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from libs.contracts.auth import PrincipalInfo
from libs.kit.auth import Principal, authenticated, public, require
from libs.kit.service import provided
from services.auth.account.service import OwnAccount, Person
from services.auth.captcha.domain import CaptchaAnswer
from services.auth.domain import Role, permissions_of
from services.auth.oidc.service import OidcLogins
from services.auth.schemas import (
    LoggedOut,
    LoginIn,
    MeOut,
    OptionsOut,
    PasswordChange,
    ProfileOut,
    ProfilePatch,
    RefreshIn,
    RoleOut,
    TokensOut,
)
from services.auth.service import Sessions, Tokens
from services.auth.signin.router import (
    client_address,
    delete_session_cookies,
    set_session_cookie,
)
from services.auth.signin.service import Attempt, SignIn, WaysIn

router = APIRouter(prefix="/api/auth", tags=["auth"])

SessionsUseCases = Annotated[Sessions, provided(Sessions)]
SignInUseCases = Annotated[SignIn, provided(SignIn)]
WaysInUseCases = Annotated[WaysIn, provided(WaysIn)]
OwnAccountUseCases = Annotated[OwnAccount, provided(OwnAccount)]
OidcUseCases = Annotated[OidcLogins, provided(OidcLogins)]
Caller = Annotated[Principal, authenticated()]


@router.post("/login", dependencies=[public()])
async def login(
    credentials: LoginIn, request: Request, response: Response, sign_in: SignInUseCases
) -> TokensOut:
    """Opens a session: a cookie for browsers, a pair of tokens for other clients.

    Wrong credentials are 401 `invalid_credentials`, whatever is wrong. After some of them comes
    401 `captcha_required` (or `captcha_wrong`), after too many 429 `too_many` with Retry-After.
    With the right password 401 `otp_required` asks for a second factor, 401
    `otp_enrolment_required` for setting one up first; 401 `otp_refused` is a wrong or used code.
    """
    tokens = await sign_in.login(
        Attempt(
            credentials.username,
            credentials.password,
            client_address(request),
            user_agent=request.headers.get("user-agent", ""),
            remember_me=credentials.remember_me,
            otp_token=credentials.otp_token,
            captcha=CaptchaAnswer(credentials.captcha_key, credentials.captcha_value),
        )
    )
    if tokens.cookie is not None:
        set_session_cookie(request, response, tokens.cookie, seconds=tokens.cookie_seconds)
    return _tokens_out(tokens)


@router.get("/options", dependencies=[public()])
async def show_options(request: Request, ways: WaysInUseCases) -> OptionsOut:
    """What the page of the login offers: captcha, directory, identity providers, second factor."""
    return await ways.options(address=client_address(request))


@router.post("/refresh", dependencies=[public()])
async def refresh(body: RefreshIn, sessions: SessionsUseCases) -> TokensOut:
    """Exchanges a refresh token for a new pair; each works once, and using one again ends all."""
    return _tokens_out(await sessions.refresh(body.refresh_token))


@router.post("/logout")
async def logout(
    response: Response, sessions: SessionsUseCases, oidc: OidcUseCases, by: Caller
) -> LoggedOut:
    """Ends the session with its cookie and tokens.

    Who came in through an identity provider is still logged in there: `continue_at` is where a
    browser ends that, too, if the provider states such a place.
    """
    if by.session_id is not None:
        await sessions.logout(by.session_id)
    delete_session_cookies(response)
    return LoggedOut(continue_at=await oidc.farewell(by.id, by.session_id))


@router.get("/me")
async def me(account: OwnAccountUseCases, by: Caller) -> ProfileOut:
    """Who the caller is and what the caller may do; an API token sees its own permissions."""
    return _profile_out(await account.me(by))


@router.patch("/me")
async def change_profile(
    patch: ProfilePatch, account: OwnAccountUseCases, by: Caller
) -> ProfileOut:
    """Changes what is known about the caller; 403 `not_by_api_token`."""
    return _profile_out(await account.change_profile(by, patch))


@router.post("/password")
async def change_password(body: PasswordChange, account: OwnAccountUseCases, by: Caller) -> None:
    """Changes the caller's password; all other sessions of the caller end."""
    await account.change_password(by, current=body.current_password, new=body.new_password)


@router.get("/roles")
async def list_roles(by: Annotated[Principal, require("users:read")]) -> list[RoleOut]:
    """The roles and what each allows; there are few, so this list has no pages."""
    return [RoleOut(name=role, permissions=sorted(permissions_of([role]))) for role in Role]


def _tokens_out(tokens: Tokens) -> TokensOut:
    return TokensOut(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=tokens.expires_in,
        user=_me_out(tokens.user),
    )


def _me_out(info: PrincipalInfo) -> MeOut:
    return MeOut(
        id=info.user_id,
        username=info.username,
        roles=info.roles,
        permissions=info.permissions,
        is_active=info.is_active,
        must_change_password=info.must_change_password,
        proved_until=info.proved_until,
    )


def _profile_out(person: Person) -> ProfileOut:
    user = person.user
    return ProfileOut(
        **_me_out(person.info).model_dump(),
        display_name=user.display_name,
        email=user.email,
        phone=user.phone,
        department=user.department,
        position=user.position,
        groups=[group.name for group in user.groups],
    )

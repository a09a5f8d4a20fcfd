"""Pictures for the page of the login."""

import base64
from typing import Annotated

from fastapi import APIRouter, Request

from libs.kit.auth import public
from libs.kit.service import provided
from services.auth.captcha.schemas import CaptchaOut
from services.auth.captcha.service import Captchas
from services.auth.domain import network_address

router = APIRouter(prefix="/api/auth/captcha", tags=["auth"])

CaptchasUseCases = Annotated[Captchas, provided(Captchas)]


@router.get("", dependencies=[public()])
async def new_captcha(request: Request, captchas: CaptchasUseCases) -> CaptchaOut:
    """A picture to be answered with the next login; 429 `too_many_captchas` for hoarders."""
    told, peer = request.headers.get("x-forwarded-for", ""), request.client
    picture = await captchas.new(address=network_address(told, peer.host if peer else ""))
    image = base64.b64encode(picture.png).decode("ascii")
    return CaptchaOut(
        captcha_key=picture.key,
        captcha_image=f"data:image/png;base64,{image}",
        expires_in=picture.seconds,
    )

"""The second factor of the caller, enrolment before the first login, resets by administrators."""

from typing import Annotated

from fastapi import APIRouter

from libs.kit.auth import Principal, authenticated, public, require
from libs.kit.ids import Id
from libs.kit.service import provided
from services.auth.mfa.domain import Setup
from services.auth.mfa.schemas import (
    DisableIn,
    FactorStatus,
    RecoveryCodesOut,
    SetupIn,
    SetupOut,
    TicketIn,
    TicketVerifyIn,
    VerifyIn,
)
from services.auth.mfa.service import SecondFactors

router = APIRouter(prefix="/api/auth/mfa", tags=["mfa"])

FactorsUseCases = Annotated[SecondFactors, provided(SecondFactors)]
Caller = Annotated[Principal, authenticated()]
Administrator = Annotated[Principal, require("users:write", proved=True)]


@router.get("/status")
async def show_status(factors: FactorsUseCases, by: Caller) -> FactorStatus:
    """Whether the caller's second factor is on, and whether it has to be."""
    return FactorStatus.model_validate(await factors.status(by))


@router.post("/setup")
async def set_up(body: SetupIn, factors: FactorsUseCases, by: Caller) -> SetupOut:
    """A new secret with its QR code; it counts after `verify`.

    422 `current_password_wrong`, 409 `second_factor_on` or `second_factor_elsewhere`.
    """
    return _setup_out(await factors.setup(by, password=body.current_password))


@router.post("/verify")
async def verify(body: VerifyIn, factors: FactorsUseCases, by: Caller) -> RecoveryCodesOut:
    """Turns the factor on with a first code and answers with recovery codes; 422 `otp_wrong`."""
    return RecoveryCodesOut(recovery_codes=await factors.verify(by, body.otp_token))


@router.post("/disable")
async def disable(body: DisableIn, factors: FactorsUseCases, by: Caller) -> None:
    """Turns the factor off; needs the password and a code.

    Where a second factor is required, all logins of the caller end.
    """
    await factors.disable(by, password=body.current_password, code=body.otp_token)


@router.post("/recovery_codes")
async def renew_recovery_codes(
    body: VerifyIn, factors: FactorsUseCases, by: Caller
) -> RecoveryCodesOut:
    """Ten new recovery codes; the old ones are worth nothing from now on."""
    return RecoveryCodesOut(recovery_codes=await factors.renew_codes(by, body.otp_token))


@router.post("/enrolment/setup", dependencies=[public()])
async def set_up_before_login(body: TicketIn, factors: FactorsUseCases) -> SetupOut:
    """For somebody whose login was answered `otp_enrolment_required`; 401 `enrolment_refused`."""
    return _setup_out(await factors.setup_by_ticket(body.enrolment_token))


@router.post("/enrolment/verify", dependencies=[public()])
async def verify_before_login(body: TicketVerifyIn, factors: FactorsUseCases) -> RecoveryCodesOut:
    """Turns the factor on; then log in with the authenticator's next code."""
    codes = await factors.verify_by_ticket(body.enrolment_token, body.otp_token)
    return RecoveryCodesOut(recovery_codes=codes)


@router.post("/users/{user_id}/reset")
async def reset(user_id: Id, factors: FactorsUseCases, by: Administrator) -> None:
    """Takes the factor of somebody who lost it away, and ends that user's logins."""
    await factors.reset(user_id, by)


def _setup_out(setup: Setup) -> SetupOut:
    return SetupOut.model_validate(setup)

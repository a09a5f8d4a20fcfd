"""Proving again to be the person of this login."""

from typing import Annotated

from fastapi import APIRouter, Request

from libs.kit.auth import Principal, authenticated
from libs.kit.service import provided
from services.auth.signin.router import client_address
from services.auth.step_up.schemas import ProofIn, ProofOut
from services.auth.step_up.service import Proofs

router = APIRouter(prefix="/api/auth/step_up", tags=["auth"])

ProofUseCases = Annotated[Proofs, provided(Proofs)]
Caller = Annotated[Principal, authenticated()]


@router.get("")
async def show_proof(proofs: ProofUseCases, by: Caller) -> ProofOut:
    """Until when this login counts as proved, and what a new proof consists of."""
    return await proofs.show(by)


@router.post("")
async def prove(body: ProofIn, request: Request, proofs: ProofUseCases, by: Caller) -> ProofOut:
    """Proves with password, and code where there is one, that it is still the same person.

    The answer says until when that opens delicate things (403 `step_up_required`) for this login.
    422 `proof_refused` whatever was wrong; failures count as those of logins do, and after too
    many comes 429 `too_many` with Retry-After. 409 `proof_elsewhere` for who has no password here.
    """
    return await proofs.prove(
        by, password=body.password, code=body.otp_token, address=client_address(request)
    )

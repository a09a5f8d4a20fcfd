"""API tokens of the caller, and of users for those who administer them."""

from typing import Annotated

from fastapi import APIRouter

from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.service import provided
from services.auth.tokens.schemas import TokenCreate, TokenCreated, TokenOut, TokensRevoked
from services.auth.tokens.service import Tokens

router = APIRouter(prefix="/api/auth", tags=["API tokens"])

TokensUseCases = Annotated[Tokens, provided(Tokens)]
Caller = Annotated[Principal, authenticated()]
Maker = Annotated[Principal, authenticated(proved=True)]
Reader = Annotated[Principal, require("users:read")]
Writer = Annotated[Principal, require("users:write")]


@router.get("/tokens")
async def list_own_tokens(tokens: TokensUseCases, by: Caller) -> list[TokenOut]:
    """The caller's API tokens; there are at most fifty, so this list has no pages."""
    return await tokens.own(by)


@router.post("/tokens", status_code=201)
async def create_token(spec: TokenCreate, tokens: TokensUseCases, by: Maker) -> TokenCreated:
    """Makes an API token, told in this answer and never again.

    403 `exceeds_own_rights` or `not_by_api_token`, 409 `token_name_taken` or `too_many_tokens`,
    422 `token_expiry_refused`.
    """
    return await tokens.create(spec, by)


@router.delete("/tokens/{token_id}")
async def revoke_own_token(token_id: Id, tokens: TokensUseCases, by: Caller) -> None:
    """Ends one of the caller's API tokens; 404 `token_not_found` for anybody else's."""
    await tokens.revoke(by, token_id)


@router.get("/users/{user_id}/tokens")
async def list_tokens_of_user(user_id: Id, tokens: TokensUseCases, by: Reader) -> list[TokenOut]:
    """The API tokens of a user."""
    return await tokens.of_user(user_id)


@router.delete("/users/{user_id}/tokens")
async def revoke_tokens_of_user(user_id: Id, tokens: TokensUseCases, by: Writer) -> TokensRevoked:
    """Ends all API tokens of a user; 403 `exceeds_own_rights`."""
    return TokensRevoked(revoked=await tokens.revoke_all_of(user_id, by))


@router.delete("/users/{user_id}/tokens/{token_id}")
async def revoke_token_of_user(
    user_id: Id, token_id: Id, tokens: TokensUseCases, by: Writer
) -> None:
    """Ends one API token of a user; 404 `token_not_found`."""
    await tokens.revoke_of(user_id, token_id, by)

"""Rules about dangerous commands: kept by few, tried by everybody who may run something."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.execution.access.router import running
from services.execution.rules.schemas import (
    CheckIn,
    CheckOut,
    RuleCreate,
    RuleOut,
    RulePatch,
    RuleQuery,
)
from services.execution.rules.service import Rules

router = APIRouter(prefix="/api/executor/command_rules", tags=["command rules"])

RuleUseCases = Annotated[Rules, provided(Rules)]
Reader = Annotated[Principal, require("rules:read")]
Writer = Annotated[Principal, require("rules:write", proved=True)]
Runner = Annotated[Principal, running()]


@router.get("")
async def list_rules(
    query: Annotated[RuleQuery, Query()], rules: RuleUseCases, by: Reader
) -> Page[RuleOut]:
    """Rules, by name."""
    total, found = await rules.page(query)
    shown = [RuleOut.model_validate(rule) for rule in found]
    return Page.of(shown, total=total, params=query.paging)


@router.post("", status_code=201)
async def create_rule(wanted: RuleCreate, rules: RuleUseCases, by: Writer) -> RuleOut:
    """Makes a rule; 409 `rule_name_taken`, 422 `rule_pattern_invalid` or `rule_incomplete`."""
    return RuleOut.model_validate(await rules.create(wanted))


@router.post("/check")
async def check_script(wanted: CheckIn, rules: RuleUseCases, by: Runner) -> CheckOut:
    """What the rules say about a script, with its lines; nothing is stored or run."""
    return await rules.check(wanted, by)


@router.get("/{rule_id}")
async def show_rule(rule_id: Id, rules: RuleUseCases, by: Reader) -> RuleOut:
    """One rule."""
    return RuleOut.model_validate(await rules.one(rule_id))


@router.patch("/{rule_id}")
async def change_rule(rule_id: Id, patch: RulePatch, rules: RuleUseCases, by: Writer) -> RuleOut:
    """Changes a rule; counts for everything that starts two seconds later."""
    return RuleOut.model_validate(await rules.change(rule_id, patch))


@router.delete("/{rule_id}")
async def delete_rule(rule_id: Id, rules: RuleUseCases, by: Writer) -> None:
    """Deletes a rule."""
    await rules.delete(rule_id)

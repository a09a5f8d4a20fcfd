"""What must come of a request, worked out of the stated policy of its route and nothing else."""

from dataclasses import dataclass
from enum import StrEnum

from libs.contracts.grants import RIGHTS, RUN, RUN_AS_ROOT, Action, ObjectType
from libs.kit.auth import ALWAYS
from services.auth.domain import PERMISSIONS
from tests.matrix.callers import NOBODIES, Caller, Holding, holding_of

SAFE = frozenset(("GET", "HEAD"))
INTERVENING = frozenset(("execution:run", "execution:operate", "execution:cancel"))
"""The permission of that name, or a grant to execute on this execution; its starter may, too."""


class Outcome(StrEnum):
    """What a caller gets."""

    IN = "yes"
    """The use case answers."""
    NOBODY = "401"
    FORBIDDEN = "403"
    HIDDEN = "404"
    """The same answer as for an object that does not exist."""
    LEFT_OUT = "–"
    """Not tried: another site's page may cause a reading request and never sees its answer."""


@dataclass(frozen=True)
class Rule:
    """What the use case of a route decides, where the policy of the route leaves it to it.

    `kind` and `action`: a grant on the object is enough. `also`: a permission that is needed in
    addition. `shown_with`: without this permission the object is hidden. `programs`: whether API
    tokens may. `theirs`: the object belongs to somebody else, so it is hidden from everybody.
    `gives`: the caller has to hold what the request gives away. `named`: only for those whom the
    object names, who are none of the callers.
    """

    note: str = ""
    kind: ObjectType | None = None
    action: Action | None = None
    also: str | None = None
    shown_with: str | None = None
    programs: bool = True
    theirs: bool = False
    gives: bool = False
    named: bool = False
    anywhere: bool = False
    """Whether a grant on any object stands in for the permission `also`."""
    begun_by_admin: bool = False
    """Whether it is hidden from another administrator, too."""


class UnknownPolicy(Exception):
    """A route states something that nobody has told the matrix the meaning of."""


def expected(
    policies: frozenset[str], rule: Rule, method: str, caller: Caller, *, asks_again: str = ""
) -> Outcome:
    """What a caller must get from the gateway; raises UnknownPolicy."""
    if "internal" in policies:
        return Outcome.HIDDEN if caller is not Caller.ELSEWHERE else Outcome.LEFT_OUT
    if caller is Caller.ELSEWHERE:
        return Outcome.FORBIDDEN if method not in SAFE else Outcome.LEFT_OUT
    if "public" in policies:
        return Outcome.IN
    if caller in NOBODIES:
        return Outcome.NOBODY
    held = holding_of(caller)
    for policy in sorted(policies):
        stated = _stated(policy, held)
        if stated is not Outcome.IN:
            return stated
    if asks_again == ALWAYS and not held.is_proved:
        return Outcome.FORBIDDEN
    if rule.begun_by_admin and caller is Caller.STALE:
        return Outcome.HIDDEN
    return _used(rule, held, is_program=caller is Caller.TOKEN)


def _stated(policy: str, held: Holding) -> Outcome:
    if policy == "authenticated":
        return Outcome.IN
    if policy in PERMISSIONS:
        return Outcome.IN if held.can(policy) else Outcome.FORBIDDEN
    if policy == "hosts:execute":
        return Outcome.IN if held.can(RUN) or held.runs_somewhere else Outcome.FORBIDDEN
    if policy == "execution:view":
        return on_object(held, ObjectType.EXECUTION, Action.VIEW)
    if policy in INTERVENING:
        if held.can(policy.replace("execution:", "executions:")) or held.may(Action.EXECUTE):
            return Outcome.IN
        seen = on_object(held, ObjectType.EXECUTION, Action.VIEW)
        return Outcome.FORBIDDEN if seen is Outcome.IN else seen
    message = f"nobody has said what the policy {policy} means"
    raise UnknownPolicy(message)


def on_object(held: Holding, kind: ObjectType, action: Action) -> Outcome:
    """By a permission for all objects of the kind, or by a grant on this one."""
    runs = action is Action.EXECUTE and kind in (ObjectType.HOST, ObjectType.HOST_GROUP)
    if held.may(action):
        return Outcome.IN
    if held.can(RIGHTS[kind, action]) and (not runs or held.can(RUN_AS_ROOT)):
        return Outcome.IN
    seen = held.can(RIGHTS[kind, Action.VIEW]) or held.may(Action.VIEW)
    return Outcome.FORBIDDEN if seen else Outcome.HIDDEN


def _used(rule: Rule, held: Holding, *, is_program: bool) -> Outcome:
    if is_program and not rule.programs:
        return Outcome.FORBIDDEN
    if rule.theirs:
        return Outcome.HIDDEN
    if rule.shown_with is not None and not held.can(rule.shown_with):
        return Outcome.HIDDEN
    if rule.gives and not (held.can("permissions:write") or held.may(Action.GRANT)):
        return Outcome.FORBIDDEN
    if rule.named:
        return Outcome.FORBIDDEN
    has_some = rule.anywhere and (held.may(Action.VIEW) or held.runs_somewhere)
    if rule.also is not None and not held.can(rule.also) and not has_some:
        return Outcome.FORBIDDEN
    if rule.kind is not None and rule.action is not None:
        return on_object(held, rule.kind, rule.action)
    return Outcome.IN

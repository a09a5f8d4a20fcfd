"""Every route with every kind of caller: who gets in, who does not, and that nothing changes."""

import json
import re

import pytest

from libs.kit.auth import ALWAYS, Principal
from services.auth.domain import PERMISSIONS
from tests.matrix.asking import Answer, ask
from tests.matrix.callers import Caller
from tests.matrix.entries import check, entry_of
from tests.matrix.examples import Entry
from tests.matrix.platform import PASSWORD
from tests.matrix.policies import SAFE, Outcome, expected
from tests.matrix.routes import Row, collected, described
from tests.matrix.trying import missing, prepared
from tests.matrix.world import World

ROWS, DOCUMENT = collected()
check(ROWS)  # a route without policy or example fails the collection, with its name

REFUSED = {Outcome.NOBODY: 401, Outcome.FORBIDDEN: 403, Outcome.HIDDEN: 404}
_IDS_OF_REQUEST = re.compile(rb'"request_id": *"[^"]*"')


def outcome_of(row: Row, caller: Caller) -> Outcome:
    """What the stated policy says."""
    rule = entry_of(row).rule
    return expected(row.policies, rule, row.method, caller, asks_again=row.asks_again)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
async def test_each_caller_gets_what_the_policy_says(world: World, row: Row) -> None:
    entry, wrong = entry_of(row), []
    before = await world.platform.snapshot()
    for caller in Caller:
        outcome = outcome_of(row, caller)
        if outcome in REFUSED:
            answer = await (await prepared(world, row, entry)).send(world, world.callers[caller])
            if answer.status != REFUSED[outcome]:
                wrong.append(_told(caller, outcome, answer))
    if not wrong and await world.platform.snapshot() != before:
        wrong.append("a refused request changed something")
    wrong += await _let_in(world, row, entry)

    assert not wrong, "\n".join(wrong)


async def _let_in(world: World, row: Row, entry: Entry) -> list[str]:
    """Those who may, each on objects of their own where something is used up."""
    callers = [caller for caller in Caller if outcome_of(row, caller) is Outcome.IN]
    if entry.once:
        callers = [Caller.MEMBER]
    wrong = []
    for caller in callers:
        if entry.once:
            headers = await world.thrown_away()
        else:
            headers = dict(world.callers[caller])
        request = await prepared(world, row, entry, fresh=entry.uses_up)
        answer = await request.send(world, headers)
        if answer.status not in entry.answers:
            wrong.append(_told(caller, Outcome.IN, answer))
    return wrong


def _told(caller: Caller, outcome: Outcome, answer: Answer) -> str:
    return f"{caller}: wanted {outcome}, got {answer.status} {answer.body[:300]!r}"


HIDING = [
    row
    for row in ROWS
    if entry_of(row).things and any(outcome_of(row, c) is Outcome.HIDDEN for c in Caller)
]


@pytest.mark.parametrize("row", HIDING, ids=lambda row: row.key)
async def test_hidden_is_as_missing(world: World, row: Row) -> None:
    """The same status and body, but for the id that the caller sent."""
    entry = entry_of(row)
    there, gone = await prepared(world, row, entry), missing(world, row, entry)
    for caller in Caller:
        if outcome_of(row, caller) is Outcome.HIDDEN:
            hidden = await there.send(world, world.callers[caller])
            absent = await gone.send(world, world.callers[caller])
            assert hidden.status == absent.status == 404, caller
            assert _bare(hidden, there.path) == _bare(absent, gone.path), caller


def _bare(answer: Answer, path: str) -> tuple[object, list[bytes]]:
    text = _IDS_OF_REQUEST.sub(b"", answer.body)
    for part in sorted(path.strip("/").split("/"), key=len, reverse=True):
        if re.search(r"\d", part):
            text = text.replace(json.dumps(part).encode(), b"ID")
            text = re.sub(rb"\b" + re.escape(part.encode()) + rb"\b", b"ID", text)
    names = sorted(n for n, _ in answer.headers if n != b"content-length")
    return text, names


@pytest.mark.parametrize("scope", PERMISSIONS)
async def test_a_token_opens_what_its_one_scope_opens(world: World, scope: str) -> None:
    """Routes that ask for one permission; changing ones are tried where they must be refused."""
    token, wrong = await world.token(scope), []
    for row in ROWS:
        if len(row.policies) == 1 and row.policies <= PERMISSIONS.keys():
            opens = scope in row.policies
            if opens and row.method not in SAFE:
                continue
            answer = await (await prepared(world, row, entry_of(row))).send(world, token)
            if (answer.status == 403) == opens:
                wrong.append(f"{row.key}: {answer.status} {answer.error}")

    assert not wrong, "\n".join(wrong)


async def test_no_other_method_is_answered(world: World) -> None:
    """Whatever the map does not name is refused, for the administrator too; HEAD is GET's."""
    known: dict[str, set[str]] = {}
    for row in ROWS:
        if not row.is_internal:
            known.setdefault(row.path, set()).add(row.method)
    answered = []
    for path, methods in known.items():
        row = next(r for r in ROWS if r.path == path)
        request = await prepared(world, row, entry_of(row))
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            answer = await world.platform.ask(method, request.path, headers=world.admin)
            if not 400 <= answer.status < 500:
                answered.append(f"{method} {path}: {answer.status}")

    assert not answered


DELICATE = [row for row in ROWS if row.asks_again == ALWAYS]


async def test_a_new_proof_opens_what_an_old_one_does_not(world: World) -> None:
    """Each delicate route, for the login that is proved and for no other of the same person."""
    name = world.ids[f"name of {Caller.STALE}"]
    wrong, headers = [], await world.platform.came_long_ago(name)
    for row in DELICATE:
        old = await (await prepared(world, row, entry_of(row))).send(world, headers)
        if old.error != "step_up_required":
            wrong.append(f"{row.key} before: {old.status} {old.error}")
    proof = await world.platform.ask(
        "POST", "/api/auth/step_up/", headers=headers, body={"password": PASSWORD}
    )
    assert proof.status == 200, proof.body
    for row in DELICATE:
        entry = entry_of(row)
        other = await (await prepared(world, row, entry)).send(world, world.callers[Caller.STALE])
        if other.error != "step_up_required":
            wrong.append(f"{row.key} by another login: {other.status} {other.error}")
        new = await (await prepared(world, row, entry, fresh=entry.uses_up)).send(world, headers)
        if new.status not in entry.answers:
            wrong.append(f"{row.key} after: {new.status} {new.body[:300]!r}")

    assert DELICATE
    assert not wrong, "\n".join(wrong)


INTERNAL = [row for row in ROWS if row.is_internal]


@pytest.mark.parametrize("row", INTERNAL, ids=lambda row: row.key)
async def test_services_answer_only_services(world: World, row: Row) -> None:
    """At the service itself: nobody, a person by the gateway, and a token meant for another."""
    tokens, app = world.platform.runtime.internal_tokens, world.platform.apps[row.service]
    person = Principal(1, "first", permissions=frozenset("*"))
    other = "hosts" if row.service == "auth" else "auth"
    given = (
        ("", 401),
        (tokens.issue(row.service, person, "gateway"), 403),
        (tokens.issue(other, Principal.of_service("execution"), "execution"), 401),
        (str(world.admin["authorization"]).removeprefix("Bearer "), 401),
    )
    before = await world.platform.snapshot()
    for token, status in given:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = b"" if row.method in SAFE else b"{}"
        headers["content-type"] = "application/json"
        answer = await ask(app, row.method, row.path, headers=headers, body=body)
        assert answer.status == status, (token, answer.body)
    assert await world.platform.snapshot() == before


def test_the_description_names_exactly_the_public_routes() -> None:
    assert described(DOCUMENT) == {row.key for row in ROWS if not row.is_internal}


def test_a_reading_request_needs_no_proof_and_a_changing_one_does() -> None:
    for row in ROWS:
        outcome = outcome_of(row, Caller.ELSEWHERE)
        assert (outcome is Outcome.FORBIDDEN) == (row.method not in SAFE and not row.is_internal)

"""What the description promises holds for requests that are made of it, whoever sends them.

Schemathesis makes the requests, good ones and bad ones, always the same; each goes to the platform
as every role. `-m long` (`make fuzz`) sends many more, other ones for every FUZZ_SEED.
"""

import os
from dataclasses import dataclass
from typing import Any
from unittest import SkipTest

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.matrix.asking import Answer
from tests.matrix.callers import Caller
from tests.matrix.entries import ENTRIES
from tests.matrix.platform import Headers
from tests.matrix.routes import collected
from tests.matrix.world import World

_, DOCUMENT = collected()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Operation]
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
PEOPLE = (
    Caller.ANONYMOUS,
    Caller.MEMBER,
    Caller.GRANTED,
    Caller.VIEWER,
    Caller.AUDITOR,
    Caller.OPERATOR,
    Caller.TOKEN,
    Caller.ADMIN,
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BASE = "http://console.test"
SEED = int(os.environ.get("FUZZ_SEED", "1"))
GOOD, BAD = 6, 24
"""So many requests of each kind for an operation, that all end within ten minutes."""


@dataclass(frozen=True)
class Drawn:
    """A generated request in the form in which it is sent."""

    case: Request
    path: str
    query: str
    body: bytes
    headers: dict[str, str]
    prepared: requests.PreparedRequest

    async def send(self, world: World, credential: Headers) -> Answer:
        """What the platform answers."""
        method = str(self.prepared.method)
        return await world.platform.ask(
            method,
            self.path,
            query=self.query,
            headers={**self.headers, **credential},
            body=self.body,
        )


def drawn(
    operation: Operation, mode: GenerationMode, count: int, number: int | None
) -> list[Request]:
    """The same requests every time; of a number that is a seed, the same for that seed."""
    found: list[Request] = []

    @seed(number)
    @settings(
        max_examples=count,
        derandomize=number is None,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Request) -> None:
        found.append(case)

    try:
        draw()
    except (Unsatisfiable, SkipTest):
        return found  # nothing about this operation can be wrong
    return found


def sendable(case: Request, key: str, world: World, number: int) -> Drawn | None:
    """The bytes of a request, every second one about an object that exists; None if it has none."""
    entry = ENTRIES[key]
    for name, thing in entry.things.items():
        if (name == "user_id" or number % 2) and thing in world.ids:
            case.path_parameters = {**(case.path_parameters or {}), name: world.ids[thing]}
    kept = {"content-type", "accept-language", "range", "idempotency-key", "content-range"}
    try:
        prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    except (requests.RequestException, ValueError):
        return None
    url = str(prepared.url).removeprefix(BASE)
    path, _, query = url.partition("?")
    body = prepared.body or b""
    headers = {k.lower(): v for k, v in prepared.headers.items() if k.lower() in kept}
    return Drawn(
        case,
        path,
        query,
        body if isinstance(body, bytes) else str(body).encode(),
        {k: v if isinstance(v, str) else v.decode("latin-1") for k, v in headers.items()},
        prepared,
    )


def complaints(made: Drawn, answer: Answer, caller: Caller) -> list[str]:
    """What the description does not promise about this answer."""
    operation = made.case.operation
    documented = set(operation.definition.raw["responses"])
    wrong: list[str] = []
    if answer.status < 400 and str(answer.status) not in documented:
        wrong.append("a success that the description does not know")
    if answer.status >= 500:
        wrong.append("a server error")
    needs_login = operation.definition.raw.get("security") != []
    if caller is Caller.ANONYMOUS and needs_login and answer.status not in (401, 404, 400, 413):
        wrong.append("let in without a credential")
    if answer.kind != b"text/event-stream":
        wrong += _conforms(made, answer)
    place = f"{made.prepared.method} {made.path}?{made.query} {made.body[:200]!r} as {caller}"
    return [f"{place}: {what}; got {answer.status} {answer.body[:200]!r}" for what in wrong]


def _conforms(made: Drawn, answer: Answer) -> list[str]:
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.decode(), []).append(value.decode("latin-1"))
    response = Response(
        status_code=answer.status,
        headers=headers,
        content=answer.body,
        request=made.prepared,
        elapsed=0.0,
        verify=False,
    )
    try:
        made.case.validate_response(response, checks=CHECKS)
    except (Failure, FailureGroup) as failure:
        return [str(failure).replace("\n", " ")[:400]]
    return []


async def tried(
    world: World, operation: Operation, good: int, bad: int, number: int | None = None
) -> list[str]:
    """Every complaint about an operation."""
    key = f"{operation.method.upper()} {operation.path.rstrip('/')}"
    wrong: list[str] = []
    plan = ((GenerationMode.POSITIVE, good, PEOPLE), (GenerationMode.NEGATIVE, bad, PEOPLE[-1:]))
    for mode, count, callers in plan:
        for place, case in enumerate(drawn(operation, mode, count, number)):
            made = sendable(case, key, world, place)
            if made is None:
                continue
            for caller in _callers(key, callers):
                credential = world.callers[caller]
                if ENTRIES[key].once and caller is not Caller.ANONYMOUS:
                    credential = await world.thrown_away()
                wrong += complaints(made, await made.send(world, credential), caller)
    return wrong


def _callers(key: str, callers: tuple[Caller, ...]) -> tuple[Caller, ...]:
    return callers[:2] if ENTRIES[key].once else callers


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
async def test_answers_are_as_described(world: World, operation: Operation) -> None:
    wrong = await tried(world, operation, good=3, bad=3)

    assert not wrong, "\n".join(wrong[:5])


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
async def test_answers_are_as_described_many_times(world: World, operation: Operation) -> None:
    wrong = await tried(world, operation, GOOD, BAD, SEED)

    assert not wrong, "\n".join(wrong[:5])

"""`POST /api/agents/register`: a one-time token and a new key become an agent identity."""

import json
from collections.abc import Iterable
from typing import Protocol

from pydantic import ValidationError

from gateway.agents.admission import Admission, PeerRates
from gateway.agents.counting import ENROLMENTS
from gateway.agents.web import WebAnswer, WebRequest
from libs.contracts.hosts import EnrolAnswer, EnrolRequest
from libs.kit.acting import acting_as
from libs.kit.errors import (
    JSON_HEADERS,
    AppError,
    Invalid,
    Malformed,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
    envelope,
)
from libs.protocol.codec import parse_object
from libs.protocol.errors import ProtocolError


class EnrolmentRefused(Unauthenticated):
    """The same answer for every bad token or signature, so that nothing can be learnt from it."""

    code = "enrolment_refused"
    message = "This enrolment token is not valid. Ask for a new one."
    message_zh = "该注册令牌无效，请重新获取。"


class Registrar(Protocol):
    """The one question asked of hosts here; HostsClient answers it."""

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Turns a one-time token into an agent identity."""


class Enrolment:
    """Checks the form of a request and asks hosts; knows nothing about tokens itself."""

    def __init__(self, hosts: Registrar, *, everybody: Admission, peers: PeerRates) -> None:
        self._hosts = hosts
        self._everybody = everybody
        self._peers = peers

    async def register(self, request: WebRequest) -> WebAnswer:
        """201 with the identity; 400, 401, 415, 422, 429 or 503 as an envelope."""
        self._hold_back(request.peer)
        with acting_as(0, "agent", "agent", address=request.peer):
            answer = await self._enrol(_read(request))
        ENROLMENTS.labels("accepted").inc()
        document = envelope(answer.model_dump(mode="json"), status=201)
        headers = [*JSON_HEADERS, ("x-request-id", request.request_id)]
        return WebAnswer(201, headers, json.dumps(document, ensure_ascii=False).encode())

    def _hold_back(self, peer: str) -> None:
        wait = self._everybody.admit()
        if wait is None and not self._peers.take(peer):
            wait = self._everybody.hint()
        if wait is not None:
            ENROLMENTS.labels("held_back").inc()
            raise TooMany(retry_after=max(1, round(wait)))

    async def _enrol(self, request: EnrolRequest) -> EnrolAnswer:
        try:
            return await self._hosts.enrol(request)
        except (Unavailable, TooMany):
            ENROLMENTS.labels("unavailable").inc()
            raise
        except AppError as error:
            ENROLMENTS.labels("refused").inc()
            raise EnrolmentRefused from error


def _read(request: WebRequest) -> EnrolRequest:
    if not _is_json(request.headers):
        raise UnsupportedMedia
    try:
        raw = parse_object(request.body)
        _refuse_surrogates(raw.values())
    except ProtocolError as error:
        raise Malformed(reason=error.reason) from error
    try:
        return EnrolRequest.model_validate(raw)
    except ValidationError as error:
        fields = sorted({".".join(map(str, entry["loc"])) for entry in error.errors()})
        raise Invalid(fields=fields) from None


def _is_json(headers: dict[str, str]) -> bool:
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    return (
        kind.strip() == "application/json"
        and charset in ("", "utf-8")
        and "content-encoding" not in headers
    )


def _refuse_surrogates(values: Iterable[object]) -> None:
    for value in values:
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ProtocolError("bad_field", "a lone surrogate") from None

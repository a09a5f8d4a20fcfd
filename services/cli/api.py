"""The platform's HTTP API as the commands use it: envelope, errors, tokens, retries."""

import contextlib
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeAlias

import httpx

from services.cli import terminal
from services.cli.connection import ConnectionOptions, Place, locate
from services.cli.credentials import Tokens
from services.cli.failure import CommandFailed
from services.cli.proving import COUNT, STEP_UP, proved, typed_count

JSON: TypeAlias = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None
Params: TypeAlias = Mapping[str, str | int]

PATIENCE_SECONDS = 30.0  # how long a request is repeated while the platform does not answer
REFRESH_EARLY_SECONDS = 30.0
BELIEVED_SECONDS = 2.1  # after which another gateway has noticed a proof, too
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_LOGIN_HINT = "Log in first: opsjob login"


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: Mapping[str, JSON] | None
    params: Params | None
    headers: dict[str, str]

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice is the same as sending it once."""
        return self.method == "GET" or "Idempotency-Key" in self.headers


class Api:
    """One user on one server. Use as a context manager."""

    def __init__(self, options: ConnectionOptions, *, transport: httpx.BaseTransport | None = None):
        self.place: Place = locate(options)
        self.options = options
        https = self.place.server.startswith("https:")
        self._http = httpx.Client(
            base_url=self.place.server,
            timeout=_TIMEOUT,
            trust_env=False,  # a proxy from the environment would see the tokens
            verify=ssl.create_default_context() if https else False,
            follow_redirects=False,
            headers={"Accept-Language": "zh-CN" if terminal.speaks_chinese() else "en"},
            transport=transport,
        )
        self._tokens: Tokens | None = None
        self._api_token = os.environ.get("OPSJOB_TOKEN", "").strip()
        if self._api_token and not self._api_token.isascii():
            raise CommandFailed("OPSJOB_TOKEN is not an API token.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    # ---- calls -------------------------------------------------------------------------------

    def get(self, path: str, params: Params | None = None) -> dict[str, JSON]:
        """The `content` of a GET, which has to be an object."""
        return _object(self.call("GET", path, params=params))

    def post(
        self, path: str, body: Mapping[str, JSON] | None = None, *, idempotency_key: str = ""
    ) -> dict[str, JSON]:
        """The `content` of a POST. Repeated while the platform is away only with a key."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return _object(self.call("POST", path, body=body or {}, headers=headers))

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, JSON] | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        authenticated: bool = True,
    ) -> JSON:
        """One request as the logged-in user; answers `content` or raises what the API said."""
        request = _Request(method, path, body, params, dict(headers or {}))
        if not authenticated:
            return _content(self._send(request))
        token = self.access_token()
        answer = self._send(request, token)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._renew(rejected=token)
            answer = self._send(request, self.access_token())
        return _content(self._insisted(request, answer))

    def _insisted(self, request: "_Request", answer: httpx.Response) -> httpx.Response:
        """The answer after whatever the platform asked for in addition, if that can be given."""
        code, details = _refusal(answer)
        if code == COUNT:
            typed = typed_count(details.get("count"))
            if typed is None:
                return answer
            body = {**(request.body or {}), str(details.get("field")): typed}
            request = replace(request, body=body)
            answer = self._send(request, self.access_token())
            code, _ = _refusal(answer)
        if code == STEP_UP and not self._api_token and proved(self):
            answer = self._send(request, self.access_token())
            if _refusal(answer)[0] == STEP_UP:
                time.sleep(BELIEVED_SECONDS)
                answer = self._send(request, self.access_token())
        return answer

    def means(self) -> Mapping[str, JSON]:
        """What a proof of this login consists of."""
        return self.get("/api/auth/step_up/")

    def prove(self, password: str, code: str) -> None:
        """Proves again to be the person of this login; raises CommandFailed."""
        further: dict[str, JSON] = {"otp_token": code} if code else {}
        self.post("/api/auth/step_up/", {"password": password, **further})

    def first_password(self) -> str | None:
        """The first administrator's, if it lies beside the platform and that is who is here."""
        admin, tokens = self.place.first_admin, self._tokens
        is_here = admin is not None and tokens is not None and tokens.username == admin.username
        return admin.password if admin is not None and is_here else None

    def _send(self, request: "_Request", token: str = "") -> httpx.Response:
        """Sends it, again and again while the platform is away if that changes nothing."""
        headers = {**request.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        deadline = time.monotonic() + (PATIENCE_SECONDS if request.repeatable else 0.0)
        while True:
            pause = 0.5
            answer: httpx.Response | None = None
            try:
                answer = self._http.request(
                    request.method,
                    request.path,
                    json=request.body,
                    params=request.params,
                    headers=headers,
                )
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return answer
                pause = min(_retry_after(answer), 5.0)
            except httpx.HTTPError as error:
                if time.monotonic() + pause >= deadline:
                    raise self._unreachable(error) from None
            if answer is not None and time.monotonic() + pause >= deadline:
                return answer
            time.sleep(pause)

    @contextlib.contextmanager
    def stream(self, path: str, *, last_event_id: str, params: Params) -> Iterator[httpx.Response]:
        """An open event stream; errors of the API are raised, a broken line is httpx's."""
        headers = {
            "Authorization": f"Bearer {self.access_token()}",
            "Accept": "text/event-stream",
        }
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx.Timeout(45.0, connect=5.0)  # three pings of the server
        with self._http.stream(
            "GET", path, params=params, headers=headers, timeout=timeout
        ) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    self._renew(rejected=headers["Authorization"].removeprefix("Bearer "))
                _content(answer)
            yield answer

    def send_bytes(self, path: str, content: bytes, params: Params) -> dict[str, JSON]:
        """The `content` of a PUT of raw bytes; repeating it is the caller's business."""
        answer = self._http.put(
            path,
            content=content,
            params=params,
            headers={
                "Authorization": f"Bearer {self.access_token()}",
                "Content-Type": "application/octet-stream",
            },
        )
        return _object(_content(answer))

    @contextlib.contextmanager
    def reading(self, path: str, params: Params) -> Iterator[Iterator[bytes]]:
        """The body of a GET in pieces; errors of the API and a broken line are CommandFailed."""
        headers = {"Authorization": f"Bearer {self.access_token()}"}
        try:
            with self._http.stream("GET", path, params=params, headers=headers) as answer:
                if answer.status_code != httpx.codes.OK:
                    answer.read()
                    _content(answer)
                yield answer.iter_bytes()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    # ---- tokens ------------------------------------------------------------------------------

    def access_token(self) -> str:
        """A token that is still good, renewed or taken from the platform's own files if needed.

        An API token in OPSJOB_TOKEN goes before everything else.
        """
        if self._api_token:
            return self._api_token
        tokens = self._tokens or self.place.store.tokens(self.place.server)
        if tokens is None:
            tokens = self._log_in_as_first_admin()
        self._tokens = tokens
        if tokens.expires_at - time.time() < REFRESH_EARLY_SECONDS:
            self._renew(rejected=tokens.access_token)
        return self._tokens.access_token

    def log_in(
        self, username: str, password: str, further: Mapping[str, JSON] | None = None
    ) -> Tokens:
        """Exchanges a password, and whatever else is asked for, for tokens and keeps them."""
        content = _object(
            self.call(
                "POST",
                "/api/auth/login/",
                body={"username": username, "password": password, **(further or {})},
                authenticated=False,
            )
        )
        self._tokens = _tokens(content, username)
        self.place.store.keep(self.place.server, self._tokens)
        return self._tokens

    def forget(self) -> None:
        """Drops the kept tokens of this server."""
        self._tokens = None
        self.place.store.forget(self.place.server)

    def _log_in_as_first_admin(self) -> Tokens:
        admin = self.place.first_admin
        if admin is None:
            raise CommandFailed(_LOGIN_HINT, code="unauthenticated")
        return self.log_in(admin.username, admin.password)

    def _renew(self, *, rejected: str) -> None:
        """Rotates the tokens once, also when several commands find them expired together."""
        if self._api_token:
            raise CommandFailed(
                "The API token in OPSJOB_TOKEN is not accepted: revoked, expired or misspelt.",
                code="unauthenticated",
                status=401,
            )
        store, server = self.place.store, self.place.server
        with store.locked():
            kept = store.tokens(server)
            if kept is not None and kept.access_token != rejected:
                self._tokens = kept
                return
            renewed = self._rotate(kept) if kept else None
        if renewed is None:
            store.forget(server)
            self._tokens = self._log_in_as_first_admin()
            return
        self._tokens = renewed

    def _rotate(self, kept: Tokens) -> Tokens | None:
        try:
            answer = self._http.post(
                "/api/auth/refresh/", json={"refresh_token": kept.refresh_token}
            )
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return None
        renewed = _tokens(_object(_content(answer)), kept.username)
        self.place.store.keep_locked(self.place.server, renewed)
        return renewed

    def _unreachable(self, error: httpx.HTTPError) -> CommandFailed:
        why = str(error) if self.options.debug and str(error) else type(error).__name__
        return CommandFailed(
            f"{self.place.server} does not answer ({why}).", code="unreachable", status=503
        )


def _tokens(content: Mapping[str, JSON], username: str) -> Tokens:
    lasts = content.get("expires_in")
    return Tokens(
        username=username,
        access_token=str(content["access_token"]),
        refresh_token=str(content["refresh_token"]),
        expires_at=time.time() + (float(lasts) if isinstance(lasts, int | float) else 60.0),
    )


def _retry_after(answer: httpx.Response) -> float:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 2.0


def _content(answer: httpx.Response) -> JSON:
    if answer.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        envelope = answer.json()
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict) or "success" not in envelope:
        raise CommandFailed(
            f"The server answered {answer.status_code} without the platform's envelope; "
            "is this the right address?",
            status=answer.status_code,
        )
    content: JSON = envelope.get("content")
    if envelope["success"]:
        return content
    details = content if isinstance(content, dict) else {}
    raise CommandFailed(
        terminal.harmless(str(envelope.get("message", "The request was refused.")))
        + _which(details.get("details")),
        code=str(details.get("error", "")),
        status=answer.status_code,
    )


def _refusal(answer: httpx.Response) -> tuple[str, Mapping[str, JSON]]:
    """The code of a refusal with its details; nothing for what is none."""
    if answer.is_success:
        return "", {}
    try:
        content = answer.json()["content"]
        return str(content["error"]), dict(content["details"])
    except (ValueError, KeyError, TypeError):
        return "", {}


def _which(details: JSON) -> str:
    """What the details of an error say about which values are meant."""
    if not isinstance(details, dict):
        return ""
    fields = details.get("fields")
    words = [
        f"{str(each.get('field')).removeprefix('body.')}: {each.get('message')}"
        for each in (fields if isinstance(fields, list) else [])
        if isinstance(each, dict)
    ]
    if "count" in details and "field" in details:
        words.append(f"{details['field']}: {details['count']}")
    missing = details.get("missing")
    if isinstance(missing, list):
        words += [str(each) for each in missing]
    return terminal.harmless(f" ({'; '.join(words)[:500]})").replace("\n", " ") if words else ""


def _object(content: JSON) -> dict[str, JSON]:
    if not isinstance(content, dict):
        raise CommandFailed("The server answered something unexpected.")
    return content

"""A small OpenID Connect provider on a real port, with real keys; tests make it lie."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from libs.kit import clock

CLIENT_ID = "ops job/client"
CLIENT_SECRET = "a secret: of the client"

Claims = dict[str, object]


@dataclass
class Asked:
    """What one visit to the page of the login asked for."""

    query: dict[str, str]
    is_used: bool = False


@dataclass
class Provider:
    """Behaves well until a test changes `claims`, `sign`, `metadata` or `status`."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "u-1", "preferred_username": "olga"})
    claims: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[["Provider", Claims], str] | None = None
    metadata: dict[str, object] = field(default_factory=dict)
    token_status: int = 200
    key: RSAKey | ECKey | OKPKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"})
    )
    algorithm: str = "RS256"
    asked: dict[str, Asked] = field(default_factory=dict)
    fetched_keys: int = 0
    farewells: list[dict[str, str]] = field(default_factory=list)
    """What each browser brought that came to log out here, too."""
    reached_at: str = ""
    """Where browsers really find the client, if its redirect address leads nowhere."""

    def back(self, url: str) -> str:
        """Where a browser is sent that has visited the page of the login."""
        code = self.visit(url)
        asked = self.asked[code].query
        parts = urlsplit(asked["redirect_uri"])
        place = self.reached_at or f"{parts.scheme}://{parts.netloc}"
        return f"{place}{parts.path}?{urlencode({'code': code, 'state': asked['state']})}"

    def visit(self, url: str) -> str:
        """What a browser does there: the person agrees, and a code comes of it."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.asked[code] = Asked(query)
        return code

    def farewell(self, url: str) -> str:
        """Where a browser is sent that has logged out here."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.farewells.append(query)
        parts = urlsplit(query["post_logout_redirect_uri"])
        return f"{self.reached_at or f'{parts.scheme}://{parts.netloc}'}{parts.path}"

    def document(self) -> dict[str, object]:
        """What is published about it."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.metadata,
        }

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, object]]:
        """The answer to a code; checks client, address and PKCE like a real one."""
        user, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).partition(b":")
        asked = self.asked.get(form.get("code", ""))
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        ).rstrip(b"=")
        is_good = (
            asked is not None
            and not asked.is_used
            and (user.decode(), secret.decode()) == (CLIENT_ID, CLIENT_SECRET)
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == asked.query["redirect_uri"]
            and challenge.decode() == asked.query["code_challenge"]
        )
        if asked is None or not is_good:
            return 400, {"error": "invalid_grant"}
        asked.is_used = True
        now = int(clock.now().timestamp())
        claims = self.claims(
            {
                "iss": self.issuer,
                "aud": CLIENT_ID,
                "iat": now,
                "exp": now + 300,
                "nonce": asked.query["nonce"],
                **self.person,
            }
        )
        sign = self.sign or signed
        return self.token_status, {"token_type": "Bearer", "id_token": sign(self, claims)}


def signed(provider: Provider, claims: Claims, **header: object) -> str:
    """A token as the provider signs it."""
    whole: dict[str, Any] = {"alg": provider.algorithm, "kid": provider.key.kid, **header}
    return jwt.encode(whole, dict(claims), provider.key, algorithms=[provider.algorithm])


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """The provider on a free port of this machine."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/.well-known/openid-configuration":
                self._answer(200, provider.document())
            elif self.path == "/keys":
                provider.fetched_keys += 1
                self._answer(200, {"keys": [provider.key.as_dict(private=False)]})
            elif self.path.startswith("/authorize?"):
                self._send_to(provider.back(f"{provider.issuer}{self.path}"))
            elif self.path.startswith("/logout?"):
                self._send_to(provider.farewell(self.path))
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("authorization", "")))

        def _send_to(self, place: str) -> None:
            self.send_response(302)
            self.send_header("location", place)
            self.send_header("content-length", "0")
            self.end_headers()

        def _answer(self, status: int, document: dict[str, object]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    provider.issuer = provider.issuer or f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

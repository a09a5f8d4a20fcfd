"""The way to an identity provider and back: each login leaves once and comes back once."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from libs.contracts.audit import audit
from libs.kit import clock
from libs.kit.acting import Actor, recognised
from libs.kit.db import Database, Transaction, writes
from libs.kit.ids import new_secret
from libs.kit.seal import Seal, WrongSealingKey
from services.auth.domain import delay_keys, token_hash
from services.auth.identities.domain import Rules
from services.auth.identities.service import Identities
from services.auth.models import OidcFlow
from services.auth.oidc.domain import (
    FLOW_SECONDS,
    MAX_HINT,
    Expected,
    NotBelieved,
    OidcRefused,
    OidcUnavailable,
    ProviderNotFound,
    person_of,
    safe_return,
    verified,
)
from services.auth.oidc.repository import (
    Exchange,
    FarewellRepository,
    FlowRepository,
    ProviderClient,
)
from services.auth.service import Sessions, Tokens, Visit, refuse_while_delayed
from services.auth.settings import OidcProvider, OidcSettings

PURGE_WITH_EACH: Final = 50
PURGE_AT_ONCE: Final = 1000
FAREWELL_SECONDS: Final = 3.0
"""How long somebody who logs out waits for what a provider says about that."""
PREFIX: Final = "oidc:"
ANEW: Final = {"prompt": "login", "max_age": "0"}
"""What makes a provider ask again and say when it did (OpenID Connect Core 3.1.2.1)."""


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and what it keeps until it comes back."""

    url: str
    browser: str
    seconds: int = FLOW_SECONDS


@dataclass(frozen=True)
class Return:
    """What a browser brings back from a provider, and the cookie that it kept."""

    state: str
    browser: str
    code: str | None = None
    issuer: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Arrival:
    """A login that worked, and where the person wanted to go; no tokens for a mere proof."""

    tokens: Tokens | None
    return_to: str


class OidcLogins:
    """Use cases of logging in through identity providers; `clients` by the same keys."""

    def __init__(
        self,
        db: Database,
        *,
        settings: OidcSettings,
        clients: Mapping[str, ProviderClient],
        seal: Seal,
        sessions: Sessions,
        identities: Identities,
    ) -> None:
        self._db = db
        self._settings = settings
        self._clients = clients
        self._seal = seal
        self._sessions = sessions
        self._identities = identities

    # ---- there -----------------------------------------------------------------------------

    async def start(
        self, key: str, *, return_to: str, address: str, proves: str | None = None
    ) -> Departure:
        """The address at the provider for a new login, or for a proof of the login `proves`.

        For a proof the provider has to ask the person anew, whatever it remembers. Raises
        ProviderNotFound, OidcUnavailable, and TooManyFailures for an address that waits.
        """
        provider, client = self._of(key)
        metadata = await client.metadata()
        state, browser, nonce, verifier = (new_secret() for _ in range(4))
        await self._leave(
            OidcFlow(
                state_hash=token_hash(state),
                provider=key,
                browser_hash=token_hash(browser),
                nonce=nonce,
                sealed_verifier=self._seal.seal(verifier, place=verifier_place(token_hash(state))),
                return_to=safe_return(return_to),
                proves=proves,
                expires_at=clock.now() + timedelta(seconds=FLOW_SECONDS),
            ),
            address,
        )
        url = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=provider.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri(key),
            scope=list(provider.scopes),
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **(ANEW if proves else {}),
        )
        return Departure(str(url), browser)

    def _of(self, key: str) -> tuple[OidcProvider, ProviderClient]:
        provider, client = self._settings.providers.get(key), self._clients.get(key)
        if provider is None or client is None:
            raise ProviderNotFound(provider=key[:64])
        return provider, client

    def _redirect_uri(self, key: str) -> str:
        return f"{self._settings.public_url}/api/auth/oidc/{key}/callback/"

    @writes
    def _leave(self, tx: Transaction, flow: OidcFlow, address: str) -> None:
        refuse_while_delayed(tx, [delay_keys("", address).address])
        flows = FlowRepository(tx)
        flows.delete_expired(PURGE_WITH_EACH)
        flows.add(flow)

    # ---- and back --------------------------------------------------------------------------

    async def arrive(self, key: str, back: Return, *, visit: Visit) -> Arrival:
        """Opens a login for whoever the provider vouches for.

        Raises OidcRefused for anything that this login did not ask for: the person learns no
        reason, the audit log does. Also ProviderNotFound, OidcUnavailable, TooManyFailures.
        """
        provider, client = self._of(key)
        flow = await self._take(token_hash(back.state))
        try:
            if flow is None:
                raise NotBelieved("The state is not known, used, or too old.")
            token, claims = await self._claims(provider, client, key, flow, back)
        except NotBelieved as error:
            await self._note_refusal(key, str(error), visit)
            raise OidcRefused from error
        if flow.proves is not None:
            await self._prove(flow.proves, f"oidc:{key}", str(claims["sub"]), visit)
            return Arrival(None, safe_return(flow.return_to))
        rules = Rules(provider.groups, provider.default_roles, provider.provision)
        person = person_of(key, provider, claims)
        proven = await self._identities.admit(person, rules)
        if proven is None:
            raise OidcRefused
        delays = delay_keys(f"{person.provider}\n{person.subject}", visit.address)
        tokens = await self._sessions.open(proven, delays=delays, visit=visit)
        await self._remember(client, tokens.user.session_id, token)
        return Arrival(tokens, safe_return(flow.return_to))

    async def _remember(self, client: ProviderClient, session_id: str | None, token: str) -> None:
        """For `farewell`; neither where nobody logs out, nor too long for an address."""
        if session_id is None or len(token) > MAX_HINT:
            return
        if await client.end_session_endpoint() is not None:
            await self._keep(session_id, token)

    @writes
    def _keep(self, tx: Transaction, session_id: str, token: str) -> None:
        sealed = self._seal.seal(token, place=farewell_place(session_id))
        FarewellRepository(tx).keep(session_id, sealed)

    async def _prove(self, session_id: str, provider: str, subject: str, visit: Visit) -> None:
        info = await self._sessions.principal_of(session_id)
        user_id = 0 if info is None else info.user_id
        known = await self._identities.subject_of(provider, user_id)
        if info is None or known != subject:
            await self._note_refusal(provider, "Somebody else proved to be there.", visit)
            raise OidcRefused
        recognised(user_id, info.username, "user")
        await self._sessions.prove(session_id, user_id)

    @writes
    def _take(self, tx: Transaction, state_hash: str) -> OidcFlow | None:
        return FlowRepository(tx).take(state_hash)

    async def _claims(
        self,
        provider: OidcProvider,
        client: ProviderClient,
        key: str,
        flow: OidcFlow,
        back: Return,
    ) -> tuple[str, Mapping[str, object]]:
        if flow.provider != key:
            raise NotBelieved("The login went to another provider.")
        if not hmac.compare_digest(flow.browser_hash, token_hash(back.browser)):
            raise NotBelieved("Another browser began this login.")
        metadata = await client.metadata()
        if back.issuer != provider.issuer and (back.issuer is not None or metadata.says_issuer):
            raise NotBelieved("The answer is of another issuer.")
        if back.error is not None or not back.code:
            raise NotBelieved(f"The provider answered with {(back.error or 'no code')[:64]}.")
        try:
            verifier = self._seal.open(flow.sealed_verifier, place=verifier_place(flow.state_hash))
        except WrongSealingKey as error:
            raise NotBelieved("The proof of this login cannot be opened.") from error
        token = await client.exchange(Exchange(back.code, verifier, self._redirect_uri(key)))
        keys = await client.keys_for(_key_id(token))
        began = flow.expires_at - timedelta(seconds=FLOW_SECONDS) if flow.proves else None
        expected = Expected(
            provider.issuer, provider.client_id, flow.nonce, provider.required_amr, began
        )
        return token, verified(token, keys, expected, now=clock.now())

    @writes
    def _note_refusal(self, tx: Transaction, key: str, why: str, visit: Visit) -> None:
        by = Actor(0, "", "anonymous", visit.address, visit.user_agent, "auth")
        audit(tx, "login.failed", kind="oidc", name=key, outcome="failure", detail=why, by=by)

    # ---- out -------------------------------------------------------------------------------

    async def farewell(self, user_id: int, session_id: str | None) -> str | None:
        """Where the browser of a user ends the login at the provider too, if there is such a place.

        The ID token of this login names it there, so that the provider need not ask (OpenID Connect
        RP-Initiated Logout). None also while the provider does not answer; the login here has ended
        in any case.
        """
        found = await self._identities.provider_of(user_id)
        key = found.removeprefix(PREFIX) if found and found.startswith(PREFIX) else ""
        if key not in self._settings.providers or key not in self._clients:
            return None
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                endpoint = await self._clients[key].end_session_endpoint()
        except (OidcUnavailable, TimeoutError):
            return None
        if endpoint is None:
            return None
        token = None if session_id is None else await self._hint(session_id)
        query = {
            "client_id": self._settings.providers[key].client_id,
            "post_logout_redirect_uri": f"{self._settings.public_url}/login",
            **({"id_token_hint": token} if token else {}),
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    @writes
    def _hint(self, tx: Transaction, session_id: str) -> str | None:
        sealed = FarewellRepository(tx).take(session_id)
        if sealed is None:
            return None
        try:
            return self._seal.open(sealed, place=farewell_place(session_id))
        except WrongSealingKey:
            return None

    async def purge(self) -> None:
        """Deletes what is left of logins that never came back or are over, step by step."""
        while await self._purge_some():
            pass

    @writes
    def _purge_some(self, tx: Transaction) -> int:
        over = FarewellRepository(tx).delete_ended(PURGE_AT_ONCE)
        return FlowRepository(tx).delete_expired(PURGE_AT_ONCE) + over


def _key_id(token: str) -> str | None:
    """Which key a token says it was signed with; no more than a hint where to look."""
    try:
        found = extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError, TypeError):
        raise NotBelieved("The token cannot be read.") from None
    return found if isinstance(found, str) else None


def verifier_place(state_hash: str) -> str:
    """Where the proof of a login on its way is sealed for; it opens nowhere else."""
    return f"oidc_flows/{state_hash}/verifier"


def farewell_place(session_id: str) -> str:
    """Where the ID token of a login is sealed for."""
    return f"oidc_farewells/{session_id}/token"

"""Who may come in: credentials, proof against other sites, rates."""

from typing import Final

from gateway.api.callers import Caller, network_of
from gateway.api.credentials import CredentialKey, Credentials, Identity, credential_of
from gateway.api.csrf import SAFE_METHODS, check_cookie_change, refuse_foreign_site
from gateway.api.heads import RequestHead
from gateway.api.limits import Rates
from gateway.api.routing import OpenDoor
from gateway.api.settings import GatewaySettings
from libs.kit import clock
from libs.kit.errors import Unauthenticated

_MOST_SHOWN: Final = 20_000

_Shown = tuple[bytes | None, bytes | None, str]
"""Authorization, Cookie and scheme of a request: all that decides who it is from."""


class Admission:
    """Decides before a service is bothered; raises the error that the caller gets."""

    def __init__(self, settings: GatewaySettings, credentials: Credentials, rates: Rates) -> None:
        self._credentials = credentials
        self._rates = rates
        self._origins = frozenset(settings.public_origins)
        self._shown: dict[_Shown, Identity] = {}

    def recognise(self, head: RequestHead, caller: Caller, method: str) -> Identity | None:
        """The person, if everything about the request was settled a moment ago; else `admit`."""
        identity = self._shown.get((head.authorization, head.cookie, caller.scheme))
        if identity is None or identity.fresh_until <= clock.monotonic():
            return None
        if identity.by_cookie_alone and method not in SAFE_METHODS:
            return None
        return identity if self._rates.users.take(identity.rate_key) else None

    async def admit(self, head: RequestHead, caller: Caller, method: str) -> Identity:
        """The person behind a request for something that needs one."""
        identity = await self._identify(head, caller)
        if len(self._shown) >= _MOST_SHOWN:
            self._shown.clear()
        self._shown[head.authorization, head.cookie, caller.scheme] = identity
        if identity.by_cookie_alone and method not in SAFE_METHODS:
            check_cookie_change(head, caller, self._origins)
        if not self._rates.users.take(identity.rate_key):
            await self._rates.users.pay(identity.rate_key)
        return identity

    async def _identify(self, head: RequestHead, caller: Caller) -> Identity:
        """Reads the credential and, unless that was done a moment ago, asks auth about it."""
        try:
            key = credential_of(head, scheme=caller.scheme)
        except Unauthenticated:
            await self._rates.failures.count(network_of(caller.address))
            raise
        if key is None:
            await self._count_anonymous(caller)
            raise Unauthenticated()
        return self._credentials.known(key) or await self._confirm(key, caller)

    async def admit_anybody(self, head: RequestHead, caller: Caller, door: OpenDoor) -> None:
        """A call that gets one in, such as a log-in: bounded by address, not from other sites."""
        if not door.from_elsewhere:
            refuse_foreign_site(head, caller, self._origins)
        await self._rates.logins.pay(network_of(caller.address))

    async def _count_anonymous(self, caller: Caller) -> None:
        address = network_of(caller.address)
        if not self._rates.addresses.take(address):
            await self._rates.addresses.pay(address)

    async def _confirm(self, key: CredentialKey, caller: Caller) -> Identity:
        """Asks auth. An address that guesses too much gets no answer about new credentials;
        people who were in already are not hurt by a guesser next door."""
        address = network_of(caller.address)
        if not self._credentials.was_known(key):
            await self._rates.failures.check(address)
        try:
            return await self._credentials.resolve(key, caller.address)
        except Unauthenticated:
            await self._rates.failures.count(address)
            raise

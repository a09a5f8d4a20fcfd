"""The rules of identity: roles and what they allow, passwords, delays. Knows no database."""

import hashlib
import ipaddress
import typing
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from casbin import Enforcer, Model


class Role(StrEnum):
    """What a user can be; permissions follow from the policy below."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class SessionKind(StrEnum):
    """How a session is carried: a cookie that stays the same, or a refresh token that rotates."""

    BROWSER = "browser"
    REFRESH = "refresh"


# ---- roles -----------------------------------------------------------------------------------

MODEL = """
[request_definition]
r = sub, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = (p.act == "*" || r.act == p.act) && g(r.sub, p.sub)
"""

GRANTS: tuple[tuple[Role, str], ...] = (
    (Role.ADMIN, "*"),
    (Role.OPERATOR, "executions:run"),
    (Role.OPERATOR, "executions:cancel"),
    (Role.OPERATOR, "executions:operate"),
    (Role.VIEWER, "hosts:read"),
    (Role.VIEWER, "agents:read"),
    (Role.VIEWER, "executions:read"),
)

INHERITS: tuple[tuple[Role, Role], ...] = ((Role.OPERATOR, Role.VIEWER),)

POLICY_VERSION = hashlib.sha256(repr((MODEL, GRANTS, INHERITS)).encode()).hexdigest()[:12]
"""Changes with every change of model or rules; remembered permission sets are kept per version."""


@cache
def enforcer() -> Enforcer:
    """The policy as casbin holds it; it explains and is compiled from, never asked per request."""
    model = Model()
    model.load_model_from_text(MODEL)
    built = Enforcer(model)
    built.add_policies([[str(role), permission] for role, permission in GRANTS])
    built.add_grouping_policies([[str(role), str(parent)] for role, parent in INHERITS])
    return built


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything that these roles allow together; `*` alone stands for all there is.

    Unknown roles allow nothing.
    """
    return _compiled(POLICY_VERSION, frozenset(roles))


@cache
def _compiled(_version: str, roles: frozenset[str]) -> frozenset[str]:
    # Only names of roles that exist reach the cache key in practice, so it stays small.
    rules = enforcer()
    granted = {
        rule[1]
        for role in roles & frozenset(Role)
        for rule in rules.get_implicit_permissions_for_user(role)
    }
    return frozenset({"*"}) if "*" in granted else frozenset(granted)


# ---- names and passwords ---------------------------------------------------------------------

MAX_USERNAME = 64
MIN_PASSWORD = 8
MAX_PASSWORD = 256
"""In characters; checked before anything is hashed."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def username_key(username: str) -> str:
    """What makes two user names the same: composed form, case folded, outer spaces gone."""
    folded = unicodedata.normalize("NFC", username.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def hash_password(password: str) -> str:
    """Argon2id with the OWASP parameters (19 MiB, t=2, p=1); takes tens of milliseconds."""
    return _HASHER.hash(unicodedata.normalize("NFC", password))


def password_matches(stored: str, password: str) -> bool:
    """Whether the password is the hashed one; as slow as hashing."""
    try:
        return _HASHER.verify(stored, unicodedata.normalize("NFC", password))
    except (VerificationError, InvalidHashError):
        return False


def token_hash(token: str) -> str:
    """How cookies and refresh tokens are stored; they are random, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# ---- delays ----------------------------------------------------------------------------------

_FREE_PER_ACCOUNT = 5
_FREE_PER_ADDRESS = 100
_LONGEST_PER_ACCOUNT = 300
_LONGEST_PER_ADDRESS = 30

FORGET_FAILURES_AFTER = timedelta(hours=1)


def account_delay(failures: int) -> timedelta:
    """How long an address waits before it may try this account again: 1, 2, 4 … 300 seconds.

    It concerns one account from one address, so nobody can lock out somebody elsewhere.
    """
    return _exponential(failures - _FREE_PER_ACCOUNT, _LONGEST_PER_ACCOUNT)


def address_delay(failures: int) -> timedelta:
    """How long an address waits after failures on any accounts; at most half a minute."""
    return _exponential(failures - _FREE_PER_ADDRESS, _LONGEST_PER_ADDRESS)


def _exponential(excess: int, longest: int) -> timedelta:
    if excess < 0:
        return timedelta()
    return timedelta(seconds=min(longest, 2 ** min(excess, 20)))
class DelayKeys(typing.NamedTuple):
    """What failures of a login are counted by; hashed, so of one length."""

    account_here: str
    """The account as seen from one address."""
    address: str
    account: str
    """The account from anywhere; it never makes anybody wait."""


class Failures(typing.NamedTuple):
    """Failures that still count, by each of the `DelayKeys`."""

    account_here: int
    address: int
    account: int


def delay_keys(username_key: str, address: str) -> DelayKeys:
    """The keys of an attempt; the same whether or not there is such an account."""
    return DelayKeys(
        token_hash(f"{username_key}\n{address}"),
        token_hash(f"\n{address}"),
        token_hash(f"{username_key}\n"),
    )


def no_delay(_failures: int) -> timedelta:
    """Failures of an account from anywhere only ask for a captcha; waiting would lock it out."""
    return timedelta()




# ---- addresses -------------------------------------------------------------------------------


def network_address(told: str, peer: str) -> str:
    """Where a request comes from: what our gateway told (X-Forwarded-For), else the peer.

    An IPv6 network counts as one address, because its owner has all of them.
    """
    for candidate in (told.rpartition(",")[2].strip(), peer):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is None:
                return str(ipaddress.IPv6Network((int(address), 64), strict=False))
            return str(address.ipv4_mapped)
        return str(address)
    return "unknown"

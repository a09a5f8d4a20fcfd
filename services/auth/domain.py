"""The rules of identity: roles and what they allow, passwords, delays. Knows no database."""

import hashlib
import ipaddress
import typing
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from casbin import Enforcer, Model

from libs.contracts.auth import is_by_api_token
from libs.kit.auth import EVERYTHING, Principal
from services.auth.errors import NotByApiToken


class Role(StrEnum):
    """The roles that are built in; permissions follow from the policy below.

    A custom role has a key made of its id (`custom-12`), never of its name.
    """

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    MEMBER = "member"
    """Only what grants on single objects give."""


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

PERMISSIONS: Mapping[str, tuple[str, str]] = {
    "hosts:read": ("See all hosts and host groups", "查看所有主机和主机组"),
    "hosts:write": ("Add, change and remove hosts and host groups", "新增、修改和删除主机及主机组"),
    "agents:read": ("See agents and enrolment tokens", "查看 Agent 和注册令牌"),
    "agents:write": ("Enrol, disable and retire agents", "注册、停用和移除 Agent"),
    "accounts:read": ("See all accounts of hosts", "查看所有主机账号"),
    "accounts:use": ("Use all accounts of hosts", "使用所有主机账号"),
    "accounts:write": ("Add, change and remove accounts of hosts", "新增、修改和删除主机账号"),
    "templates:read": ("See and use all templates", "查看和使用所有模板"),
    "templates:write": ("Add, change and remove templates", "新增、修改和删除模板"),
    "plans:read": ("See all plans", "查看所有执行方案"),
    "plans:write": ("Add, change and remove plans", "新增、修改和删除执行方案"),
    "schedules:read": ("See all schedules", "查看所有定时任务"),
    "schedules:write": ("Add, change and remove schedules", "新增、修改和删除定时任务"),
    "executions:read": ("See the executions of everybody", "查看所有人的执行记录"),
    "executions:run": ("Run on all hosts", "在所有主机上执行"),
    "executions:run_as_root": ("Run on all hosts as root", "以 root 身份在所有主机上执行"),
    "executions:cancel": ("Stop the executions of everybody", "停止所有人的执行"),
    "executions:operate": ("Intervene in the executions of everybody", "干预所有人的执行"),
    "rules:read": ("See rules about dangerous commands", "查看危险命令规则"),
    "rules:write": ("Add, change and remove rules about dangerous commands",
                    "新增、修改和删除危险命令规则"),
    "secrets:reference": ("Name secrets that lie elsewhere in own runs, and so read them",
                          "在自己的执行中引用外部密钥（因而可读取其内容）"),
    "users:read": ("See users and groups of users", "查看用户和用户组"),
    "users:write": ("Add, change and disable users and groups", "新增、修改和停用用户及用户组"),
    "permissions:read": ("See roles and grants, and why something is allowed",
                         "查看角色、授权及判定原因"),
    "permissions:write": ("Change roles and grants within one's own rights",
                          "在自身权限范围内修改角色和授权"),
    "audit:read": ("Read and export the audit log", "查看和导出审计日志"),
    "system:read": ("See settings and health", "查看系统设置和运行状况"),
    "system:write": ("Change settings", "修改系统设置"),
}  # fmt: skip
"""Every permission there is, and what it means in English and Chinese; roles hold no others."""

GRANTS: tuple[tuple[Role, str], ...] = (
    (Role.ADMIN, EVERYTHING),
    (Role.OPERATOR, "executions:run"),
    (Role.OPERATOR, "executions:run_as_root"),
    (Role.OPERATOR, "executions:cancel"),
    (Role.OPERATOR, "executions:operate"),
    (Role.OPERATOR, "accounts:use"),
    (Role.VIEWER, "hosts:read"),
    (Role.VIEWER, "agents:read"),
    (Role.VIEWER, "executions:read"),
    (Role.VIEWER, "templates:read"),
    (Role.VIEWER, "plans:read"),
    (Role.VIEWER, "schedules:read"),
    (Role.VIEWER, "rules:read"),
    *((Role.AUDITOR, name) for name in PERMISSIONS if name.endswith(":read")),
)

INHERITS: tuple[tuple[Role, Role], ...] = ((Role.OPERATOR, Role.VIEWER),)

CUSTOM_PREFIX = "custom-"
"""What the key of every custom role begins with, and that of no built-in one."""


@dataclass(frozen=True)
class Policy:
    """The rules of the custom roles beside the built-in ones; two are equal by their version."""

    rules: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    version: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Works the version out of everything that decides."""
        whole = repr((MODEL, GRANTS, INHERITS, self.rules))
        object.__setattr__(self, "version", hashlib.sha256(whole.encode()).hexdigest()[:16])


BUILT_IN = Policy()


@lru_cache(maxsize=8)
def enforcer(policy: Policy = BUILT_IN) -> Enforcer:
    """The policy as casbin holds it; it explains and is compiled from, never asked per request."""
    model = Model()
    model.load_model_from_text(MODEL)
    built = Enforcer(model)
    built.add_policies([[str(role), permission] for role, permission in GRANTS])
    if policy.rules:
        built.add_policies([list(rule) for rule in policy.rules])
    built.add_grouping_policies([[str(role), str(parent)] for role, parent in INHERITS])
    return built


def permissions_of(roles: Iterable[str], policy: Policy = BUILT_IN) -> frozenset[str]:
    """Everything that these roles allow together; `*` alone stands for all there is.

    Unknown roles allow nothing. Remembered until the policy's version moves.
    """
    known = frozenset(Role) | {rule[0] for rule in policy.rules}
    return _compiled(policy, frozenset(roles) & known)


@lru_cache(maxsize=4096)
def _compiled(policy: Policy, roles: frozenset[str]) -> frozenset[str]:
    rules = enforcer(policy)
    granted = {rule[1] for role in roles for rule in rules.get_implicit_permissions_for_user(role)}
    return frozenset({EVERYTHING}) if EVERYTHING in granted else frozenset(granted)


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
    """The keys of an attempt; the same whether or not there is such an account.

    No account's key is that of an address, not even of the empty name: it never begins with a line
    end.
    """
    return DelayKeys(
        token_hash(f"{username_key}\n{address}"),
        token_hash(f"\n\n{address}"),
        token_hash(f"{username_key}\n"),
    )


def account_delay(failures: int) -> timedelta:
    """How long an address waits before it may try this account again: 1, 2, 4 … 300 seconds.

    It concerns one account from one address, so nobody can lock out somebody elsewhere.
    """
    return _exponential(failures - _FREE_PER_ACCOUNT, _LONGEST_PER_ACCOUNT)


def address_delay(failures: int) -> timedelta:
    """How long an address waits after failures on any accounts; at most half a minute."""
    return _exponential(failures - _FREE_PER_ADDRESS, _LONGEST_PER_ADDRESS)


def no_delay(_failures: int) -> timedelta:
    """Failures of an account from anywhere only ask for a captcha; waiting would lock it out."""
    return timedelta()


def _exponential(excess: int, longest: int) -> timedelta:
    if excess < 0:
        return timedelta()
    return timedelta(seconds=min(longest, 2 ** min(excess, 20)))


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


# ---- API tokens ------------------------------------------------------------------------------


def refuse_api_token(by: Principal) -> None:
    """Raises NotByApiToken: a program may not touch what guards the account it acts for."""
    if is_by_api_token(by):
        raise NotByApiToken

"""Users of Valkey or Redis: each part of the platform may do what it does, with its own keys.

`python -m services.embedded.valkey_users` prints them for deploy/valkey/users.conf. No user may
script, list keys, touch those of others, change settings or users.
"""

import sys
from collections.abc import Mapping
from typing import Final

from libs.contracts.agents import LOGS, RESULTS, STATUS

_ANYBODY: Final = "+ping +client|setinfo +client|setname"
_IN_ONE: Final = "+multi +exec +discard"
_AGENTS: Final = f"~{RESULTS} ~{LOGS} ~{STATUS}"
_SESSIONS: Final = "~agent_session:*"
_GATEWAYS: Final = "~gateway:*"

_LISTENS: Final = "(~facts:* +xreadgroup +xack +xpending +xclaim +xgroup|create)"
"""Facts of any service, by a consumer group; not to add to them."""
_TAKES: Final = "+xreadgroup +xack +xautoclaim +xgroup|create"

_JOBS: Final = (
    "~opsjob:jobs ~opsjob:jobs:* ~arq:* +zadd +zcard +zincrby +zrange +zrangebyscore +zrem "
    "+zremrangebyscore +zscore +exists +get +set +psetex +expire +pexpire +incr +incrby +del "
    f"+watch +unwatch {_IN_ONE} +info +dbsize"
)
"""What arq does; it tells at its start how large the server is (INFO, DBSIZE)."""

_RATES: Final = "~opsjob_rates:* +get +incrby +expire +ttl"
SCRIPTS: Final = "+evalsha +script|load"
"""Rates that several gateways count together (`OPSJOB_GATEWAY_RATE_STORAGE=redis`) are counted by
a script of the library `limits`, so gateway-api needs this, too, and nobody where that is not set.
Scripts reach the keys of their user with its commands alone."""


def _publishes(service: str) -> str:
    """Its own facts, and records for the audit log, as its outbox holds them."""
    own = f"~facts:{service} ~facts:{service}:position ~facts:audit"
    return f"{own} +xadd +xtrim +xlen +xinfo|groups +exists +get +set {_IN_ONE}"


USERS: Final[Mapping[str, str]] = {
    "auth": f"{_publishes('auth')} {_LISTENS}",
    "hosts": f"{_publishes('hosts')} {_LISTENS} (~{STATUS} {_TAKES})",
    "execution": (
        f"{_publishes('execution')} &execution_changes +publish +subscribe +unsubscribe {_LISTENS} "
        f"({_AGENTS} {_TAKES} +xdel) ({_SESSIONS} +mget) ({_GATEWAYS} +xadd)"
    ),
    "worker": _JOBS,
    "gateway-api": _RATES,
    "gateway-agents": (
        f"{_AGENTS} +xadd ({_SESSIONS} +set +mget +del +watch +unwatch {_IN_ONE}) "
        f"({_GATEWAYS} %R~facts:* +xread +xrevrange) ({_GATEWAYS} +set +get +expire +del)"
    ),
}
"""What each may do, in the words of ACL SETUSER; the names are those of `opsjob serve` and
`opsjob worker`. Brackets are rights of their own: these commands with these keys."""


def lines(password: str, *, with_rates: bool = False) -> str:
    """The users as lines of the server's configuration; needs Redis 7 or any Valkey.

    `with_rates` says that rates are counted there.
    """
    more = {"gateway-api": f" {SCRIPTS}"} if with_rates else {}
    return "".join(
        f"user {name} on >{password} resetkeys resetchannels -@all {_ANYBODY} {rules}"
        f"{more.get(name, '')}\n"
        for name, rules in USERS.items()
    )


def template() -> str:
    """The same for the container, with a place for the password, and nobody without a name.

    `health` may be used without a password and do nothing but ask whether the server answers.
    """
    return (
        "# Written by: python -m services.embedded.valkey_users > deploy/valkey/users.conf\n"
        "user default off resetpass resetkeys resetchannels -@all\n"
        "user health on nopass resetkeys resetchannels -@all +ping\n" + lines("@PASSWORD@")
    )


if __name__ == "__main__":
    sys.stdout.write(template())

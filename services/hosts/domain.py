"""The rules of the fleet: addresses, presence, proofs. Knows no database and no clock."""

import base64
import hashlib
import ipaddress
import math
import re
import unicodedata
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from libs.contracts.hosts import AgentPresence, AgentState, EnrolRequest
from libs.kit.ed25519 import is_signed

MAX_GROUP_DEPTH = 16

# ---- names and addresses ---------------------------------------------------------------------

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")


def name_key(name: str) -> str:
    """What makes two names the same: composed form and case folded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def canonical_address(text: str) -> str:
    """The one spelling of an IPv4 or IPv6 address or host name.

    An IPv4 address in IPv6 clothes becomes IPv4; names become lower case without the final dot
    (RFC 1123). Raises ValueError for what is no single place: unspecified, multicast and
    broadcast addresses, zones, networks, ports, short, octal, hexadecimal and decimal forms.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return _canonical_name(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError("an address with a zone means something on one machine only")
        address = address.ipv4_mapped or address
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise ValueError("this address does not belong to one machine")
    return str(address)


def _canonical_name(text: str) -> str:
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if not 1 <= len(name) <= 253 or not all(_LABEL.match(label) for label in labels):
        raise ValueError("must be an IPv4 or IPv6 address or a host name")
    # What ends in a number is an address to every resolver, and not the one it looks like.
    if _NUMBER.match(labels[-1]):
        raise ValueError("must be an IPv4 address as four decimal numbers")
    return name


def address_key(address: str, port: int, *, is_shared: bool) -> str | None:
    """What no two hosts may have in common, or None where they may.

    Address and port together name one place. Exempt are loopback addresses, which name the
    machine that asks, hosts registered with `allow_shared_address`, and hosts that enrolled by
    themselves: behind address translation many machines report the same address.
    """
    if is_shared or address == "localhost" or _is_loopback(address):
        return None
    return f"{address} {port}"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


# ---- presence --------------------------------------------------------------------------------

_METRICS = (
    "cpu_percent", "memory_percent", "disk_percent", "disk_free_bytes", "net_rx_bytes",
    "net_tx_bytes", "load1", "running", "queued",
)  # fmt: skip


def presence(agent_id: str | None, state: str | None, *, is_online: bool | None) -> AgentPresence:
    """How the agent of a host stands, from what is stored about it."""
    if agent_id is None or state is None:
        return AgentPresence.NONE
    if state == AgentState.QUARANTINED:
        return AgentPresence.QUARANTINED
    if state != AgentState.ACTIVE:
        return AgentPresence.DISABLED
    return AgentPresence.ONLINE if is_online else AgentPresence.OFFLINE


def known_metrics(reported: object) -> dict[str, int | float]:
    """The figures of a heartbeat that mean something here; the rest comes from a host: dropped.

    `maintenance` is there, and 1, while the host's own lock keeps everything new away.
    """
    if not isinstance(reported, Mapping):
        return {}
    figures = {name: reported[name] for name in _METRICS if _is_figure(reported.get(name))}
    if reported.get("maintenance") is True:
        figures["maintenance"] = 1
    return figures


def _is_figure(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) < 2**63
    )


# ---- proofs and secrets ----------------------------------------------------------------------

_ENROL_PREFIX = b"opsjob/enrol/v1\0"
_ENROL_WITH_SEALING_PREFIX = b"opsjob/enrol/v2\0"


def token_hash(token: str) -> str:
    """How enrolment tokens are stored; they are random, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def proves_possession(request: EnrolRequest) -> bool:
    """Whether the sender holds the private half of the Ed25519 key that it names."""
    fields = [token_hash(request.token), request.public_key, request.boot_id, request.machine_id]
    prefix = _ENROL_PREFIX
    if request.sealing_key is not None:
        prefix = _ENROL_WITH_SEALING_PREFIX
        fields.append(request.sealing_key)
    try:
        raw = base64.b64decode(request.public_key, validate=True)
        # One text per key: the identity is looked up and compared by it.
        if base64.b64encode(raw).decode() != request.public_key:
            return False
        if request.sealing_key is not None:
            sealing = base64.b64decode(request.sealing_key, validate=True)
            # Fails for the few keys with which every shared secret is zero.
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(sealing))
        signed = prefix + "\n".join(fields).encode()
    except ValueError:
        return False
    return is_signed(request.public_key, request.signature, signed)

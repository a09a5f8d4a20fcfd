"""Gives a new agent its identity: makes its keys, proves them with a one-time token, stores all."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

from agent import __version__
from agent.identity import Identity, boot_id, host_address, machine_id, os_type
from agent.keys import AgentKey
from agent.pinning import PinDiffers, Pinned, fingerprint, pinned
from agent.sealing import SealingKey
from agent.state import StateFolder, write_durably
from agent.trust import TrustStore, Untrusted
from libs.protocol.envelope import exact
from libs.protocol.errors import ProtocolError
from libs.protocol.payload import enrolment_statement

_TIMEOUT_SECONDS = 30
_MAX_ANSWER = 256 * 1024


class EnrolmentFailed(Exception):
    """The gateway did not answer or refused; the sentence is for the person who enrols."""


@dataclass(frozen=True)
class EnrolmentOrder:
    """What a person or an installer says: where to enrol, with which token, under which name.

    The pins are fingerprints of what may be believed: the certificate of the first gateway (or the
    one in `ca_file`), without which the token is not sent, and the platform's root key.
    """

    gateways: tuple[str, ...]
    token: str
    name: str = ""
    ca_file: str = ""
    is_forced: bool = False
    gateway_pin: str = ""
    root_pin: str = ""


def enrol(state: StateFolder, order: EnrolmentOrder) -> Identity:
    """Make a key pair, exchange the token for an identity, store it; raises EnrolmentFailed."""
    state.create()
    if os.path.exists(state.identity) and not order.is_forced:
        raise EnrolmentFailed(f"{state.root} is enrolled already; --force replaces the identity.")
    for gateway in order.gateways:
        if urlsplit(gateway).scheme not in ("http", "https") or not urlsplit(gateway).hostname:
            raise EnrolmentFailed(f"{gateway} is not an http or https address.")
    meant = _gateway(order)
    key, sealing = AgentKey.create(state.key), SealingKey.create(state.sealing_key)
    answer = _post(order, _request(order, key, sealing.public_text), meant)
    bundle = str(answer.get("trust") or "")
    _check_root(order, bundle)
    if meant.certificate:
        write_durably(state.certificate, meant.certificate.encode())
    try:
        identity = Identity(
            agent_id=str(answer["agent_id"]),
            host_id=int(str(answer["host_id"])),
            host_name=str(answer["host_name"]),
            identity_epoch=int(str(answer["identity_epoch"])),
            gateways=order.gateways,
            ca_file=state.certificate if meant.certificate else order.ca_file,
        )
    except (KeyError, ValueError):
        raise EnrolmentFailed("The gateway's answer is not an enrolment.") from None
    _pin(state, bundle)
    identity.store(state)
    return identity


def _gateway(order: EnrolmentOrder) -> Pinned:
    """How to talk to the first gateway, once it has shown that it is the one that is meant."""
    try:
        return pinned(order.gateways[0], ca_file=order.ca_file, pin=order.gateway_pin)
    except PinDiffers as why:
        raise EnrolmentFailed(str(why)) from None
    except OSError as error:
        raise EnrolmentFailed(f"{order.gateways[0]} cannot be reached: {error}") from None


def _check_root(order: EnrolmentOrder, bundle: str) -> None:
    """Raises EnrolmentFailed if another root key was pinned than the one that comes."""
    if not order.root_pin:
        return
    try:
        root = fingerprint(exact(json.loads(bundle)["root"]))
    except (ValueError, KeyError, TypeError, ProtocolError):
        root = "none"
    if root != order.root_pin:
        raise EnrolmentFailed(
            f"The platform's root key is {root}, expected was {order.root_pin}. "
            "This host does not obey it; retire the agent that the token has made."
        )


def _pin(state: StateFolder, bundle: str) -> None:
    """Believe this platform's root key from now on; an earlier one is forgotten with its identity.

    A platform that has no keys yet says nothing: then the first session brings the bundle.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(state.trust)
    if bundle:
        try:
            TrustStore(state.trust).update(bundle)
        except Untrusted as why:
            raise EnrolmentFailed(
                f"The platform's keys do not vouch for each other: {why}."
            ) from None


def _request(order: EnrolmentOrder, key: AgentKey, sealing_key: str) -> dict[str, str]:
    boot, machine = boot_id(), machine_id()
    statement = enrolment_statement(
        order.token,
        public_key=key.public_text,
        boot_id=boot,
        machine_id=machine,
        sealing_key=sealing_key,
    )
    return {
        "token": order.token,
        "public_key": key.public_text,
        "sealing_key": sealing_key,
        "signature": key.sign(statement),
        "hostname": order.name or socket.gethostname(),
        "ip_address": host_address(order.gateways[0]),
        "machine_id": machine,
        "boot_id": boot,
        "agent_version": __version__,
        "os_type": os_type(),
        "arch": os.uname().machine,
    }


def _post(order: EnrolmentOrder, body: dict[str, str], gateway: Pinned) -> dict[str, object]:
    url = order.gateways[0].rstrip("/") + "/api/agents/register"
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), gateway.handler())
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return _content(response.read(_MAX_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            reason = _content(error.read(_MAX_ANSWER)).get("error", "no reason given")
        raise EnrolmentFailed(f"The gateway refused ({error.code} {reason}).") from None
    except PinDiffers as why:
        raise EnrolmentFailed(str(why)) from None
    except (OSError, HTTPException) as error:
        raise EnrolmentFailed(f"{url} cannot be reached: {error}") from None


def _content(raw: bytes) -> dict[str, object]:
    """The content of the answer's envelope; empty if it is not one."""
    try:
        content = json.loads(raw)["content"]
    except (ValueError, KeyError, TypeError):
        return {}
    return content if isinstance(content, dict) else {}

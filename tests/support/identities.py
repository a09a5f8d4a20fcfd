"""Identities of simulated agents: real keys, enrolled for real or made up."""

import asyncio
import base64
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.hosts import EnrolAnswer, EnrolmentTokenIssued, EnrolRequest
from libs.kit.ed25519 import Pen
from libs.protocol.payload import enrolment_statement


@dataclass(frozen=True)
class Identity:
    """An agent id and the key that proves it."""

    agent_id: str
    key: Ed25519PrivateKey
    identity_epoch: int = 1

    @classmethod
    def fresh(cls, agent_id: str | None = None) -> Self:
        """A new key under an id of your choice; tell the fake hosts its `public_key`."""
        return cls(agent_id or f"ag{uuid4().hex}", Ed25519PrivateKey.generate())

    @property
    def public_key(self) -> str:
        """The raw public key in base64, as hosts stores it."""
        return _base64(self.key.public_key().public_bytes_raw())

    def sign(self, statement: bytes) -> str:
        """An Ed25519 signature in base64."""
        return _base64(self._pen.sign(statement))

    @cached_property
    def _pen(self) -> Pen:
        return Pen(self.key)


def enrol_request(
    token: str, key: Ed25519PrivateKey, *, hostname: str = "fake", sealing_key: str | None = None
) -> EnrolRequest:
    """What a new agent asks for, signed by its new key; `sealing_key` is raw X25519 in base64."""
    public_key = _base64(key.public_key().public_bytes_raw())
    boot_id, machine_id = uuid4().hex, uuid4().hex
    statement = enrolment_statement(
        token,
        public_key=public_key,
        boot_id=boot_id,
        machine_id=machine_id,
        sealing_key=sealing_key or "",
    )
    return EnrolRequest(
        token=token,
        public_key=public_key,
        sealing_key=sealing_key,
        signature=_base64(key.sign(statement)),
        hostname=hostname,
        ip_address="127.0.0.1",
        machine_id=machine_id,
        boot_id=boot_id,
        agent_version="0.0.0-simulated",
        os_type="linux",
        arch="x86_64",
    )


async def enrol_over_http(
    host: str,
    port: int,
    token: str,
    *,
    hostname: str = "fake",
    client: httpx.AsyncClient | None = None,
) -> Identity:
    """Enrols one agent at the gateway's public address; raises httpx.HTTPStatusError."""
    key = Ed25519PrivateKey.generate()
    body = enrol_request(token, key, hostname=hostname).model_dump(mode="json")
    address = f"http://{host}:{port}/api/agents/register"
    if client is None:
        async with httpx.AsyncClient() as own:
            response = await own.post(address, json=body)
    else:
        response = await client.post(address, json=body)
    response.raise_for_status()
    answer = EnrolAnswer.model_validate(response.json()["content"])
    return Identity(answer.agent_id, key, answer.identity_epoch)


class Enroller(Protocol):
    """What is needed of hosts to enrol many agents; HostsClient has both."""

    async def issue_enrolment_token(
        self, host_id: int | None, ttl_seconds: int
    ) -> EnrolmentTokenIssued:
        """A one-time token."""

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """An identity for a token."""


async def enrol_many(
    hosts: Enroller, count: int, *, prefix: str = "sim", width: int = 8
) -> list[Identity]:
    """Enrols `count` agents on hosts of their own, named `{prefix}-0001` and so on.

    Asks hosts directly with `width` calls under way, so it needs no gateway.
    """
    gate = asyncio.Semaphore(width)

    async def one(number: int) -> Identity:
        async with gate:
            issued = await hosts.issue_enrolment_token(None, 600)
            key = Ed25519PrivateKey.generate()
            request = enrol_request(issued.token, key, hostname=f"{prefix}-{number:04d}")
            answer = await hosts.enrol(request)
        return Identity(answer.agent_id, key, answer.identity_epoch)

    return list(await asyncio.gather(*(one(number) for number in range(count))))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

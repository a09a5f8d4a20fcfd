"""How many orders a second are signed, checked by an agent, and brought over the signer's socket.

`make bench ONLY=signing`. An order is 2 KB, as a script of 30 lines makes it. The socket carries
batches of 500, as dispatch asks for them; what stands behind it signs and nothing else, so the
figure is what signing and its way cost on top of writing the orders. At least 5,000 a second.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.trust import TrustStore
from bench.report import Figure
from libs.contracts.trust import (
    GRANT,
    RUN,
    Bundle,
    certified,
    key_id,
    public_text,
    revoked,
    signed_frame,
)
from services.embedded.signer import SignerDesk, listen_for_users, numbers_of
from services.execution.signatures.service import RemoteSigner
from services.execution.signing.domain import Asked, SignedBatch
from services.execution.signing.service import Signing

LEAST_PER_SECOND = 5_000.0
DEFAULT_ORDERS = 20_000
BATCH = 500
SCRIPT_BYTES = 1_500
AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def payload(task_id: str) -> bytes:
    """An order as the signer writes it, in size and shape."""
    order = {"task_id": task_id, "script": "x" * SCRIPT_BYTES, "env": {"STAGE": "prod"}}
    return msgspec.json.encode({"purpose": RUN, "agent_id": "a" * 32, "order": order})


class Keys:
    """Root and signer."""

    def __init__(self) -> None:
        self.root, self.signer = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.kid = key_id(public_text(self.signer))

    def bundle(self) -> str:
        """What agents believe."""
        life = timedelta(days=3650)
        certificate = certified(self.root, public_text(self.signer), now=AT, life=life)
        listed = revoked(self.root, [], number=0, now=AT)
        root = public_text(self.root)
        return Bundle(root=root, certificates=[certificate], revocation=listed).text()


class Clerk:
    """Signs whatever is asked."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def orders(self, asked: Sequence[Asked]) -> SignedBatch:
        """A signed order for each."""
        batch = SignedBatch()
        for one in asked:
            text = payload(one.task_id)
            frame = signed_frame(self._keys.signer, self._keys.kid, RUN, text)
            batch.frames[one.task_id] = frame
        return batch

    grants = cancels = orders


def measure(n: int | None, peers: bool) -> Iterable[Figure]:
    """Signatures, checks, and orders over the socket, each a second on one core."""
    count = n or DEFAULT_ORDERS
    keys = Keys()
    text = payload("t" * 36)
    began = time.perf_counter()
    for _ in range(count):
        signed_frame(keys.signer, keys.kid, RUN, text)
    signed = count / (time.perf_counter() - began)
    yield Figure("signing: orders signed", signed, "/s", count, LEAST_PER_SECOND)
    began = time.perf_counter()
    for _ in range(count):
        signed_frame(keys.signer, keys.kid, GRANT, text[:250])
    granted = count / (time.perf_counter() - began)
    yield Figure("signing: grants signed", granted, "/s", count, LEAST_PER_SECOND)
    yield Figure(
        "signing: orders checked by an agent", _checks(keys, text, count // 4), "/s", count
    )
    carried = asyncio.run(_carried(keys, count))
    yield Figure("signing: orders over the socket", carried, "/s", count, LEAST_PER_SECOND)


def _checks(keys: Keys, text: bytes, count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = TrustStore(str(Path(folder) / "trust.json"))
        store.update(keys.bundle())
        frame = msgspec.json.decode(signed_frame(keys.signer, keys.kid, RUN, text))
        now = AT.timestamp() + 60
        began = time.perf_counter()
        for _ in range(count):
            store.check(RUN, frame["kid"], frame["payload"], frame["sig"], now)
        return count / (time.perf_counter() - began)


async def _carried(keys: Keys, count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signer.sock"
        desk = SignerDesk(cast("Signing", Clerk(keys)), numbers_of(()))
        server = await asyncio.start_unix_server(desk.serve, sock=listen_for_users(path))
        signer = RemoteSigner(path)
        began = time.perf_counter()
        for start in range(0, count, BATCH):
            await signer.orders([Asked(f"task-{start + n}", 1) for n in range(BATCH)])
        took = time.perf_counter() - began
        await signer.close()
        desk.hang_up()
        server.close()
        await asyncio.sleep(0.05)  # the other end hears of it
        return count / took

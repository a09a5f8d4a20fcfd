"""The platform's keys for tests of the agent: signs whatever a test wants signed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.trust import (
    ORDER_PURPOSES,
    Bundle,
    certified,
    key_id,
    public_text,
    revoked,
    signed_frame,
)
from libs.protocol import messages as m
from libs.protocol.codec import encode
from libs.protocol.fields import to_json

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2099, 1, 1, tzinfo=UTC)
LIFE = timedelta(days=36_500)
_numbers = count(1)


@dataclass
class Authority:
    """A root key and a signer key that it certifies."""

    root: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    expires: str = FAR_AWAY.isoformat()
    """When orders that are sent from now on expire."""

    @property
    def kid(self) -> str:
        """The name of the signer's key."""
        return key_id(public_text(self.signer))

    def bundle(
        self,
        *,
        number: int = 0,
        kids: Sequence[str] = (),
        purposes: Sequence[str] = ORDER_PURPOSES,
        begin: datetime = LONG_AGO,
        life: timedelta = LIFE,
    ) -> str:
        """What agents believe."""
        certificate = certified(
            self.root, public_text(self.signer), purposes=purposes, now=begin, life=life
        )
        listed = revoked(self.root, kids, number=number, now=LONG_AGO)
        root = public_text(self.root)
        return Bundle(root=root, certificates=[certificate], revocation=listed).text()

    def frame(self, message: m.Message, agent_id: str, /, **changes: object) -> str:
        """An offer, grant or cancel as the platform sends it; any other message as it is."""
        if not isinstance(message, (m.Offer, m.Grant, m.Cancel)):
            return encode(message)
        purpose, payload = payload_of(message, agent_id)
        return self.signed(purpose, json.dumps(payload | {"expires": self.expires} | changes))

    def signed(self, purpose: str, payload: str, *, label: str = "") -> str:
        """Exactly this text, signed for a purpose; `label` is what the message says it is."""
        frame = signed_frame(self.signer, self.kid, purpose, payload.encode()).decode()
        return frame.replace(f'"purpose":"{purpose}"', f'"purpose":"{label or purpose}"', 1)


def payload_of(
    message: m.Offer | m.Grant | m.Cancel, agent_id: str
) -> tuple[str, dict[str, object]]:
    """Purpose and payload of an order."""
    about = message.order if isinstance(message, m.Offer) else message
    fields: dict[str, object] = {
        "agent_id": agent_id,
        "task_id": about.task_id,
        "attempt": about.attempt,
        "not_before": LONG_AGO.isoformat(),
        "expires": FAR_AWAY.isoformat(),
    }
    if isinstance(message, m.Offer):
        return "task.run", {"purpose": "task.run", **fields, "order": to_json(message.order)}
    if isinstance(message, m.Grant):
        more = {"epoch": message.epoch, "boot_id": message.boot_id}
        return "task.grant", {"purpose": "task.grant", **fields, **more}
    ending = {
        "counter": next(_numbers),
        "reason": message.reason,
        "grace_seconds": message.grace_seconds,
    }
    return "task.cancel", {"purpose": "task.cancel", **fields, **ending}

"""The form of a sealed value: who can open it, and for which place alone it was made.

A sealed value is standard base64 of `version (1 byte) ‖ ephemeral public key (32) ‖ nonce (12) ‖
AES-256-GCM ciphertext with its tag`. The key is HKDF-SHA256 of the X25519 secret of the ephemeral
and the agent's key, with salt `ephemeral public key ‖ agent's public key`.
"""

VERSION = 1
PUBLIC_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32
PURPOSE = b"opsjob/sealed/v1"
"""The `info` of the key derivation."""


def sealed_place(task_id: str, attempt: int, name: str) -> bytes:
    """What is authenticated with the value: it opens for this variable of this attempt only."""
    return f"opsjob/sealed/v1|{task_id}|{attempt}|{name}".encode()

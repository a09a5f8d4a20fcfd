"""Golden values of the sealing between server and agent; both sides are tested against them.

The scheme "opsjob/sealed/v1": the sender makes an X25519 key for one value, and
HKDF-SHA256(shared secret, salt none, info = "opsjob/sealed/v1" + sender's public key + receiver's
public key) gives 44 bytes: an AES-256-GCM key (32) and its nonce (12). The authenticated context is
"opsjob/sealed/v1|task_id|attempt|name". What travels is base64(sender's public key + ciphertext
with its tag); the plain value is UTF-8 text.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SealedValue:
    """One value with both private keys, so that each side can do its part alone."""

    receiver_private: str
    receiver_public: str
    sender_private: str
    task_id: str
    attempt: int
    name: str
    plain: str
    sealed: str
    """base64, as all keys here are."""


GOLDEN = (
    SealedValue(
        receiver_private="AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        receiver_public="pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=",
        sender_private="ZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWU=",
        task_id="019a0000-0000-7000-8000-000000000001",
        attempt=1,
        name="PASSWORD",
        plain="correct horse battery staple",
        sealed="+0Gx/PdcEif6CIdgVqXtB6xE/gwRbsLegLjlI5WdeCTpzW5Pgillw2C7YmKKzkIFCMPmgWuXpUVkShmWCawjne23sCIwEEUboC4q/g==",
    ),
    SealedValue(
        receiver_private="AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        receiver_public="zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk=",
        sender_private="ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=",
        task_id="019a0000-0000-7000-8000-000000000002",
        attempt=7,
        name="KEY_FILE",
        plain="-----BEGIN KEY-----\nAA==\n-----END KEY-----\n",
        sealed="IZ5NgA2paNKl/LAJx4T0dGxxOO257khEtznoMLBc9CSxHHRD6+rcrRRgpIA6ZkBDb0cjAFUxDMQONod5Z7w0zpJ6dlcYcpk9jYFLCBzPPYjA310dHkJ73h8SlQ==",
    ),
    SealedValue(
        receiver_private="AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
        receiver_public="Xf7dO2vUf2+ijuFdlp1bsOpTd01Ii9r53xxuASSz7yI=",
        sender_private="Z2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2c=",
        task_id="019a0000-0000-7000-8000-000000000003",
        attempt=1,
        name="SENTENCE",
        plain="p\xe4ss\u5bc6\u7801\U0001f511 '\"$(reboot)`",
        sealed="bKO/Odl2qzaoCFMb1+wuS0+KrjqQE0U01Q9BHTd6LAX9AX4mcZ5ra0F8OHqSDi3o8FuE5Z7zCTRowmhz3Hc9uIHc5IOfyR2URyr99Q==",
    ),
    SealedValue(
        receiver_private="BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=",
        receiver_public="rAGyIJ6GNU+4UyN7XeD0+rE8f8v0M6YcAZNpYX/s8Qs=",
        sender_private="aGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGg=",
        task_id="t",
        attempt=1,
        name="X",
        plain="",
        sealed="2nhdmqPNyIwkAXYFNa1fQ23IOlQuKU+q8H+yJTsAlBbKUrsiSrWQU254qBCP9H4s",
    ),
)

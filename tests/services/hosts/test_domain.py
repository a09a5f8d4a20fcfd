"""Addresses have one spelling, proofs prove."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.contracts.hosts import AgentPresence, EnrolRequest
from services.hosts.domain import (
    address_key,
    canonical_address,
    known_metrics,
    presence,
    proves_possession,
)
from tests.support.identities import enrol_request

REFUSED = [
    "", "0.0.0.0", "::", "127.1", "2130706433", "0177.0.0.1", "0x7f000001", "1.2.3", "256.1.1.1",
    "fe80::1%eth0", "[::1]", "1.2.3.4:22", "1.2.3.4/24", "1.2.3.4 -oProxyCommand=x", "a" * 64,
    "a." * 127 + "a", "a_b", "-x", "x-", "a..b", ".", ".a", "b\u00fccher.example", "224.0.0.1",
    "ff02::1", "255.255.255.255", "host.0x1", "host.1", "\uff11.2.3.4", " 1.2.3.4", "1.2.3.4\n",
    "a b", "::1::", "user@host", "http://host", "$(reboot)", "a;b", "a\x00b",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: f"B055-{text[:16]!a}")
def test_what_is_no_single_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|address"):
        canonical_address(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
        ("169.254.169.254", "169.254.169.254"),
        ("Web-1.Example.COM.", "web-1.example.com"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1and1.example", "1and1.example"),
    ],
)
def test_every_place_has_one_spelling(text: str, canonical: str) -> None:
    assert canonical_address(text) == canonical
    assert canonical_address(canonical) == canonical


def test_places_that_many_may_share_have_no_key() -> None:
    assert address_key("10.0.0.1", 22, is_shared=False) == "10.0.0.1 22"
    assert address_key("10.0.0.1", 22, is_shared=True) is None
    assert address_key("127.0.0.1", 22, is_shared=False) is None
    assert address_key("::1", 22, is_shared=False) is None
    assert address_key("localhost", 22, is_shared=False) is None


def test_presence_in_a_word() -> None:
    assert presence(None, None, is_online=None) is AgentPresence.NONE
    assert presence("a", "active", is_online=True) is AgentPresence.ONLINE
    assert presence("a", "active", is_online=False) is AgentPresence.OFFLINE
    assert presence("a", "disabled", is_online=False) is AgentPresence.DISABLED
    assert presence("a", "quarantined", is_online=True) is AgentPresence.QUARANTINED


def test_only_figures_that_are_figures_are_kept() -> None:
    reported = {
        "cpu_percent": 12.5,
        "memory_percent": float("nan"),
        "disk_percent": float("inf"),
        "load1": "high",
        "running": True,
        "net_rx_bytes": 10**30,
        "net_tx_bytes": 5,
        "secret": 1,
    }

    assert known_metrics(reported) == {"cpu_percent": 12.5, "net_tx_bytes": 5}
    assert known_metrics(["cpu_percent"]) == {}
    assert known_metrics({"maintenance": True}) == {"maintenance": 1}
    assert known_metrics({"maintenance": False}) == {}
    assert known_metrics({"maintenance": 7}) == {}


class TestPossession:
    """Proof that the sender holds the private key (S2)."""

    def request(self) -> EnrolRequest:
        return enrol_request("token", Ed25519PrivateKey.generate())

    def test_the_holder_of_the_key_proves_it(self) -> None:
        assert proves_possession(self.request())

    @pytest.mark.parametrize("field", ["token", "boot_id", "machine_id"])
    def test_every_signed_field_counts(self, field: str) -> None:
        assert not proves_possession(self.request().model_copy(update={field: "other"}))

    def test_the_sealing_key_is_signed_too(self) -> None:
        text = base64.b64encode(X25519PrivateKey.generate().public_key().public_bytes_raw())
        key = Ed25519PrivateKey.generate()
        asked = enrol_request("token", key, sealing_key=text.decode())
        other = base64.b64encode(X25519PrivateKey.generate().public_key().public_bytes_raw())

        assert proves_possession(asked)
        for changed in (None, "AAAA", other.decode()):
            assert not proves_possession(asked.model_copy(update={"sealing_key": changed}))
        assert not proves_possession(
            self.request().model_copy(update={"sealing_key": other.decode()})
        )

    @pytest.mark.parametrize("text", ["AAAA", base64.b64encode(bytes(32)).decode()])
    def test_what_is_no_sealing_key_proves_nothing(self, text: str) -> None:
        assert not proves_possession(
            enrol_request("token", Ed25519PrivateKey.generate(), sealing_key=text)
        )

    def test_somebody_elses_key_is_no_proof(self) -> None:
        other = self.request()

        assert not proves_possession(
            self.request().model_copy(update={"public_key": other.public_key})
        )

    @pytest.mark.parametrize("field", ["public_key", "signature"])
    @pytest.mark.parametrize("value", ["", "AAAA", "A" * 43 + "B", "=", "A" * 200])
    def test_what_is_no_key_or_signature_proves_nothing(self, field: str, value: str) -> None:
        assert not proves_possession(self.request().model_copy(update={field: value}))

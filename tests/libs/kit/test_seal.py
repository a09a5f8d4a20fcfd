"""Sealed values open in their own place, with their own key, unchanged."""

import base64

import pytest

from libs.kit.seal import Seal, WrongSealingKey


class TestSeal:
    """Sealed values for the database."""

    def test_a_sealed_value_opens_in_its_place(self) -> None:
        seal = Seal("a secret", "hosts")

        sealed = seal.seal("pa\u00dfword", place="hosts/1/password")

        assert "word" not in sealed
        assert sealed != seal.seal("pa\u00dfword", place="hosts/1/password")
        assert seal.open(sealed, place="hosts/1/password") == "pa\u00dfword"

    def test_it_opens_in_no_other_place(self) -> None:
        """S20: ciphertexts cannot be swapped between rows."""
        seal = Seal("a secret", "hosts")
        sealed = seal.seal("password", place="hosts/1/password")

        with pytest.raises(WrongSealingKey):
            seal.open(sealed, place="hosts/2/password")

    def test_another_key_is_noticed(self) -> None:
        sealed = Seal("a secret", "hosts").seal("password", place="p")

        with pytest.raises(WrongSealingKey):
            Seal("another secret", "hosts").open(sealed, place="p")

    def test_a_changed_value_is_noticed(self) -> None:
        seal = Seal("a secret", "hosts")
        version, key_id, text = seal.seal("password", place="p").split(":")
        raw = bytearray(base64.b64decode(text))
        raw[-1] ^= 1
        changed = ":".join((version, key_id, base64.b64encode(raw).decode()))

        with pytest.raises(WrongSealingKey):
            seal.open(changed, place="p")

    @pytest.mark.parametrize("text", ["", "v1", "v1:key", "v1:{key}:no base64!", "v1:{key}:"])
    def test_what_was_never_sealed_is_noticed(self, text: str) -> None:
        seal = Seal("a secret", "hosts")
        key_id = seal.seal("password", place="p").split(":")[1]

        with pytest.raises(WrongSealingKey):
            seal.open(text.replace("{key}", key_id), place="p")

    def test_a_fingerprint_needs_the_secret(self) -> None:
        one, other = Seal("a secret", "hosts"), Seal("another secret", "hosts")

        assert one.fingerprint(b"data") == Seal("a secret", "hosts").fingerprint(b"data")
        assert one.fingerprint(b"data") != other.fingerprint(b"data")
        assert one.fingerprint(b"data") != one.fingerprint(b"Data")

    def test_a_key_serves_one_purpose(self) -> None:
        sealed = Seal("a secret", "hosts").seal("password", place="p")

        with pytest.raises(WrongSealingKey):
            Seal("a secret", "execution").open(sealed, place="p")

"""Sealed values open in their own place, with their own key, unchanged."""

import base64
from pathlib import Path

import pytest

from libs.kit.seal import (
    KeyFileUnusable,
    KeyRing,
    MasterKey,
    Seal,
    SealingKeyMissing,
    WrongSealingKey,
)


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


def write_keys(file: Path, *keys: MasterKey) -> None:
    """A key file of its owner alone, the active key first."""
    fresh = file.with_suffix(".new")
    fresh.write_text("# keys\n\n" + "".join(f"{key.line}\n" for key in keys), "ascii")
    fresh.chmod(0o600)
    fresh.replace(file)


class TestKeyRing:
    """S20: several keys, one of them active; old values open, and a missing key has a name."""

    def test_the_first_key_of_the_file_seals_and_all_open(self, tmp_path: Path) -> None:
        file, old, new = tmp_path / "keys", MasterKey.fresh(), MasterKey.fresh()
        write_keys(file, old)
        seal = Seal(KeyRing("a secret", file=file), "hosts")
        by_secret = Seal("a secret", "hosts").seal("one", place="p")
        by_old = seal.seal("two", place="p")

        write_keys(file, new, old)  # while everything runs

        by_new = seal.seal("three", place="p")
        assert by_old.startswith(f"v2:{old.id}:")
        assert by_new.startswith(f"v2:{new.id}:")
        assert seal.active == f"v2:{new.id}:"
        opened = [seal.open(text, place="p") for text in (by_secret, by_old, by_new)]
        assert opened == ["one", "two", "three"]

    def test_a_value_of_a_key_file_opens_in_its_own_place_and_service_only(
        self, tmp_path: Path
    ) -> None:
        write_keys(tmp_path / "keys", MasterKey.fresh())
        ring = KeyRing("a secret", file=tmp_path / "keys")
        sealed = Seal(ring, "hosts").seal("password", place="hosts/1/password")

        for seal, place in (
            (Seal(ring, "hosts"), "hosts/2/password"),
            (Seal(ring, "execution"), "hosts/1/password"),
        ):
            with pytest.raises(WrongSealingKey):
                seal.open(sealed, place=place)

    def test_a_former_secret_opens_what_it_sealed(self) -> None:
        sealed = Seal("former", "hosts").seal("password", place="p")
        seal = Seal(KeyRing("present", accepted=["former"]), "hosts")

        assert seal.open(sealed, place="p") == "password"
        assert seal.active == Seal("present", "hosts").active

    def test_a_missing_key_is_named(self, tmp_path: Path) -> None:
        key = MasterKey.fresh()
        write_keys(tmp_path / "keys", key)
        by_file = Seal(KeyRing("a secret", file=tmp_path / "keys"), "hosts").seal("x", place="p")
        by_secret = Seal("another", "hosts").seal("x", place="p")
        seal = Seal(KeyRing("a secret", file=tmp_path / "none"), "hosts")

        with pytest.raises(SealingKeyMissing, match=f"the key {key.id}.*{tmp_path}/none"):
            seal.open(by_file, place="p")
        with pytest.raises(SealingKeyMissing, match="another OPSJOB_SECRET"):
            seal.open(by_secret, place="p")

    def test_a_file_that_is_set_and_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileUnusable, match="is missing"):
            KeyRing("a secret", file=tmp_path / "none", required=True)

    @pytest.mark.parametrize("line", ["key", "0123456789abcdef AAAA", "{other} {key}", "\u00e4"])
    def test_a_file_that_is_no_key_file_is_an_error(self, tmp_path: Path, line: str) -> None:
        key, other = MasterKey.fresh(), MasterKey.fresh()
        file = tmp_path / "keys"
        text = line.format(other=other.id, key=key.line.split()[1])
        file.write_text(text + "\n", "utf-8")
        file.chmod(0o600)

        with pytest.raises(KeyFileUnusable):
            KeyRing("a secret", file=file)

    def test_a_file_that_everybody_can_read_is_an_error(self, tmp_path: Path) -> None:
        write_keys(tmp_path / "keys", MasterKey.fresh())
        (tmp_path / "keys").chmod(0o644)

        with pytest.raises(KeyFileUnusable, match="chmod 600"):
            KeyRing("a secret", file=tmp_path / "keys")

    def test_a_key_is_not_shown(self) -> None:
        key = MasterKey.fresh()

        assert str(key.key) not in repr(key)

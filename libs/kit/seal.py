"""Seals values for the database: what is read from a table opens in its own place only."""

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.kit.settings import Settings

KEY_BYTES: Final = 32
KEY_FILE: Final = "sealing-keys"
"""In the data folder, unless OPSJOB_SEALING_KEY_FILE says another place."""
PREFIX_CHARS: Final = 20
"""Version, id of the key and two colons: what a sealed value begins with."""

_LINE: Final = re.compile(r"([0-9a-f]{16}) ([A-Za-z0-9+/]{43}=)")


class WrongSealingKey(Exception):
    """The secret of this installation is not the one that sealed this value, or it was moved."""


class SealingKeyMissing(WrongSealingKey):
    """A value is sealed with a key that this installation does not have."""


class KeyFileUnusable(Exception):
    """The key file cannot be used; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key of the key file. Its id follows from it, so that neither can be mistaken."""

    id: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, key: bytes) -> "MasterKey":
        """A key with its id."""
        return cls(hmac.digest(key, b"opsjob/seal/key id/v2", "sha256").hex()[:16], key)

    @classmethod
    def fresh(cls) -> "MasterKey":
        """A new random key."""
        return cls.of(os.urandom(KEY_BYTES))

    @property
    def line(self) -> str:
        """The key as a line of the key file."""
        return f"{self.id} {base64.b64encode(self.key).decode()}"


class KeyRing:
    """All keys of an installation: the one of its secret, and those of a key file.

    New values are sealed with the first key of the file, or with the secret's while there is no
    file; everything sealed with any of the keys opens. ``accepted`` are former secrets. A changed
    file is noticed, so that keys change without a restart. With ``required`` a file that is not
    there is an error: KeyFileUnusable.
    """

    def __init__(
        self,
        secret: str,
        *,
        accepted: Sequence[str] = (),
        file: Path | None = None,
        required: bool = False,
    ) -> None:
        self.secrets = (secret, *accepted)
        self.file = file
        self._state: tuple[int, int, int] | None = None
        self._keys: tuple[MasterKey, ...] = ()
        if required and file is not None and not file.exists():
            raise KeyFileUnusable(f"The key file {file} is missing; restore it.")
        self.keys()

    @classmethod
    def of(cls, settings: Settings) -> "KeyRing":
        """The ring of an installation; its file is the one that is set, or lies in its data."""
        return cls(
            settings.secret.get_secret_value(),
            accepted=[one.get_secret_value() for one in settings.accepted_secrets],
            file=settings.sealing_key_file or settings.data_dir / KEY_FILE,
            required=settings.sealing_key_file is not None,
        )

    def keys(self) -> tuple[MasterKey, ...]:
        """The keys of the file as it is now, the active one first; raises KeyFileUnusable.

        A file that is gone while the process runs takes no key away.
        """
        if self.file is None:
            return self._keys
        try:
            found = self.file.stat()
        except OSError:
            return self._keys
        state = (found.st_mtime_ns, found.st_ino, found.st_size)
        if state != self._state:
            self._keys = read_keys(self.file)
            self._state = state
        return self._keys


def read_keys(file: Path) -> tuple[MasterKey, ...]:
    """The keys of a key file in their order; raises KeyFileUnusable.

    A line is an id and a key in base64; empty lines and those with `#` in front count for nothing.
    """
    try:
        if file.stat().st_mode & 0o007:
            raise KeyFileUnusable(f"{file} can be read by other users; run: chmod 600 {file}")
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileUnusable(f"The key file {file} cannot be read: {error}") from None
    keys: list[MasterKey] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _LINE.fullmatch(text)
        key = MasterKey.of(base64.b64decode(found[2])) if found else None
        if found is None or key is None or key.id != found[1]:
            raise KeyFileUnusable(f"Line {number} of the key file {file} is not a key and its id.")
        keys.append(key)
    return tuple(keys)


class _Cipher:
    """One key for one purpose."""

    def __init__(self, version: str, key_id: str, key: bytes, context: str) -> None:
        self.prefix = f"{version}:{key_id}:"
        self._aes = AESGCM(key)
        self._context = context

    def seal(self, plain: str, place: str) -> str:
        nonce = os.urandom(12)
        sealed = self._aes.encrypt(nonce, plain.encode(), (self._context + place).encode())
        return self.prefix + base64.b64encode(nonce + sealed).decode()

    def open(self, text: str, place: str) -> str:
        try:
            raw = base64.b64decode(text, validate=True)
            context = (self._context + place).encode()
            return self._aes.decrypt(raw[:12], raw[12:], context).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise WrongSealingKey(f"the value does not belong to {place}") from None


class Seal:
    """Seals values for the database (AES-256-GCM); each value only opens in its own place.

    From every key of the ring another one is derived for each purpose (a service), by HKDF. The
    sealed form begins with a version and the id of the key: `v1` is a key of the installation's
    secret, `v2` one of the key file. A text in the place of a ring is the secret alone.
    """

    def __init__(self, keys: KeyRing | str, purpose: str) -> None:
        self._ring = KeyRing(keys) if isinstance(keys, str) else keys
        self._purpose = purpose
        self._marking_key = b""
        self._of_secrets: list[_Cipher] = []
        for secret in self._ring.secrets:
            key = _derived(secret.encode(), f"opsjob/{purpose}/seal/v1")
            key_id = hmac.digest(key, b"key id", "sha256").hex()[:16]
            self._of_secrets.append(_Cipher("v1", key_id, key, f"opsjob/v1/{key_id}/"))
            self._marking_key = self._marking_key or hmac.digest(key, b"fingerprint", "sha256")
        self._of_file: dict[str, _Cipher] = {}

    @property
    def active(self) -> str:
        """What values begin with that are sealed now."""
        return self._active().prefix

    @property
    def known(self) -> frozenset[str]:
        """What values begin with that open here."""
        return frozenset(self._ciphers())

    def seal(self, plain: str, *, place: str) -> str:
        """The sealed form of a value for one place, such as `hosts/17/password`."""
        return self._active().seal(plain, place)

    def open(self, sealed: str, *, place: str) -> str:
        """The value again.

        Raises SealingKeyMissing without its key, WrongSealingKey for another place or a change.
        """
        cipher = self._ciphers().get(sealed[:PREFIX_CHARS])
        if cipher is None:
            raise SealingKeyMissing(self.missing(sealed[:PREFIX_CHARS]))
        return cipher.open(sealed[PREFIX_CHARS:], place)

    def missing(self, prefix: str) -> str:
        """Which key is missing for values that begin so, and where it belongs."""
        version, _, key_id = prefix.rstrip(":").partition(":")
        if version == "v2":
            return (
                f"secrets of {self._purpose} are sealed with the key {key_id}, which is not in the "
                f"key file {self._ring.file or '(OPSJOB_SEALING_KEY_FILE is not set)'}"
            )
        return (
            f"secrets of {self._purpose} are sealed with another OPSJOB_SECRET (its key id is "
            f"{key_id}); restore it, or name it in OPSJOB_ACCEPTED_SECRETS"
        )

    def fingerprint(self, data: bytes) -> bytes:
        """32 bytes that are equal for equal data, and from which nobody can guess it.

        A plain hash of a short secret can be found by trying; this needs the installation's secret.
        """
        return hmac.digest(self._marking_key, data, "sha256")

    def _active(self) -> _Cipher:
        keys = self._ring.keys()
        return self._of(keys[0]) if keys else self._of_secrets[0]

    def _ciphers(self) -> Mapping[str, _Cipher]:
        found = [*self._of_secrets, *map(self._of, self._ring.keys())]
        return {cipher.prefix: cipher for cipher in found}

    def _of(self, master: MasterKey) -> _Cipher:
        cipher = self._of_file.get(master.id)
        if cipher is None:
            key = _derived(master.key, f"opsjob/{self._purpose}/seal/v2")
            context = f"opsjob/v2/{master.id}/{self._purpose}/"
            cipher = self._of_file[master.id] = _Cipher("v2", master.id, key, context)
        return cipher


def _derived(secret: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(secret)

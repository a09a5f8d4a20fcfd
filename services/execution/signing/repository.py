"""What the signer reads itself: rows of the database, and the files that only it may read."""

import base64
import json
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import func, select

from libs.contracts.trust import (
    Bundle,
    Checked,
    TrustInvalid,
    certified,
    checked,
    key_id,
    public_text,
    revoked,
)
from libs.kit.db import Prepared, Transaction
from libs.kit.ed25519 import Pen
from services.execution.models import Execution, Step, Task
from services.execution.signing.domain import Asked, Signable, SigningKey, chained, first_broken

IN_AT_ONCE: Final = 500
LOG_BYTES: Final = 64 * 1024 * 1024
"""How long the log of decisions may grow before the next file begins."""
TAIL_BYTES: Final = 256 * 1024
COUNTER_AHEAD: Final = 60_000_000
"""Microseconds that are reserved for counters with one write to the disk."""


class TrustMissing(Exception):
    """There is no key that may sign now; the text says for people what to do."""


# ---- rows -----------------------------------------------------------------------------------


class SigningRepository:
    """Tasks as the signer sees them, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def tasks(self, asked: Sequence[Asked]) -> dict[str, Signable]:
        """The rows behind what is asked, by id."""
        found: dict[str, Signable] = {}
        for start in range(0, len(asked), IN_AT_ONCE):
            ids = [one.task_id for one in asked[start : start + IN_AT_ONCE]]
            rows = self._tx.rows(_SIGNABLE, {"tasks": ids})
            found.update((row[0], Signable._make(row)) for row in rows)
        return found

    def steps(self, step_ids: Iterable[str]) -> dict[str, Step]:
        """The steps with what they run; to change them changes nothing in the database."""
        rows = self._tx.rows(_STEPS, {"steps": list(step_ids)})
        return {row.id: Step(**row._asdict()) for row in rows}


_STEPS = Prepared(lambda among: select(*Step.__table__.columns).where(among(Step.id, "steps")))

_SIGNABLE = Prepared(
    lambda among: (
        select(
            Task.id,
            Task.execution_id,
            Task.step_id,
            Task.user_id,
            Task.host_id,
            Task.host_name,
            Task.ip_address,
            func.coalesce(Task.agent_id, ""),
            Task.status,
            Task.attempt,
            Task.epoch,
            Task.boot_id,
            Task.not_after,
            Task.batch_no,
            Task.sealing_key,
            Task.cancel_at,
            Task.stop_until,
            Execution.task_total,
        )
        .join(Execution, Execution.id == Task.execution_id)
        .where(among(Task.id, "tasks"))
    )
)
"""In the order of the fields of `Signable`."""


# ---- files ----------------------------------------------------------------------------------


class TrustFolder:
    """The keys and what the root key vouched for; everything in it is for the signer's user alone.

    `root.key` need not stay here: without it nothing can be certified or revoked, and everything
    else goes on until the certificate ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root_key = path / "root.key"
        self.signer_key = path / "signer.key"
        self.bundle_file = path / "bundle.json"
        self.log = path / "decisions.log"
        self.counter = path / "counter"

    @property
    def exists(self) -> bool:
        """Whether keys were made here."""
        return self.bundle_file.exists()

    def create(self, now: datetime, life: timedelta) -> None:
        """Make root and signer key and the first bundle; what is there already stays."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.exists:
            return
        root, signer = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        _write_key(self.root_key, root)
        _write_key(self.signer_key, signer)
        bundle = Bundle(
            root=public_text(root),
            certificates=[certified(root, public_text(signer), now=now, life=life)],
            revocation=revoked(root, [], number=0, now=now),
        )
        _write(self.bundle_file, bundle.text().encode(), 0o600)

    def bundle(self) -> str:
        """The present bundle. Raises TrustMissing."""
        try:
            return self.bundle_file.read_text("utf-8")
        except OSError:
            raise TrustMissing(
                f"There are no keys in {self.path}; run: opsjob admin trust init"
            ) from None

    def checked(self) -> Checked:
        """What the present bundle says. Raises TrustMissing."""
        try:
            return checked(self.bundle())
        except TrustInvalid as error:
            raise TrustMissing(f"{self.bundle_file} is damaged: {error}") from None

    def signing_key(self, now: datetime) -> SigningKey:
        """The key that may sign now. Raises TrustMissing."""
        private = _read_key(self.signer_key)
        kid = key_id(public_text(private))
        certificate = self.checked().certificate(kid)
        if certificate is None or not certificate.not_before <= now < certificate.expires:
            raise TrustMissing(
                f"The key {kid} has no valid certificate; run: opsjob admin trust certify"
            )
        return SigningKey(kid, Pen(private))

    def renew(self, now: datetime, life: timedelta) -> bool:
        """Extend the certificate if half of its life is over and the root key is here."""
        if not self.root_key.exists():
            return False
        kid = key_id(public_text(_read_key(self.signer_key)))
        present = self.checked().certificate(kid)
        if present is None or present.expires - now > life / 2:
            return False
        self.certify(now, life)
        return True

    def certify(
        self, now: datetime, life: timedelta, *, is_new: bool = False, root: Path | None = None
    ) -> str:
        """Certify the signer's key, or a new one; returns its name. Raises TrustMissing."""
        root_key, held = self._root(root), self._bundle()
        if is_new:
            _write_key(self.signer_key, Ed25519PrivateKey.generate())
        public = public_text(_read_key(self.signer_key))
        fresh = certified(root_key, public, now=now, life=life)
        said = zip(held.certificates, self.checked().certificates, strict=True)
        kept = [vouched for vouched, one in said if one.kid != key_id(public) and one.expires > now]
        self._store(Bundle(root=held.root, certificates=[fresh, *kept], revocation=held.revocation))
        return key_id(public)

    def revoke(self, kid: str, now: datetime, *, root: Path | None = None) -> int:
        """Take a key away for good; returns the number of the new list. Raises TrustMissing."""
        root_key, held, said = self._root(root), self._bundle(), self.checked()
        number = said.revocation.number + 1
        listed = revoked(root_key, [*said.revocation.kids, kid], number=number, now=now)
        kept = [
            vouched
            for vouched, one in zip(held.certificates, said.certificates, strict=True)
            if one.kid != kid
        ]
        self._store(Bundle(root=held.root, certificates=kept, revocation=listed))
        return number

    def _bundle(self) -> Bundle:
        try:
            return Bundle.model_validate_json(self.bundle())
        except ValidationError:
            raise TrustMissing(f"{self.bundle_file} is damaged.") from None

    def _root(self, path: Path | None) -> Ed25519PrivateKey:
        key = _read_key(path or self.root_key)
        if public_text(key) != self._bundle().root:
            raise TrustMissing(f"{path or self.root_key} is not the root key of this installation.")
        return key

    def _store(self, bundle: Bundle) -> None:
        checked(bundle.text(), root=bundle.root)
        _write(self.bundle_file, bundle.text().encode(), 0o600)


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes()))
    except (OSError, ValueError):
        raise TrustMissing(f"{path} cannot be read as a key.") from None


def _write_key(path: Path, key: Ed25519PrivateKey) -> None:
    _write(path, base64.b64encode(key.private_bytes_raw()) + b"\n", 0o400)


def _write(path: Path, content: bytes, mode: int) -> None:
    """The whole file or nothing, durably."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Counters:
    """Numbers of control orders that never repeat nor fall, whatever the clock does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserved = int(path.read_text("ascii")) if path.exists() else 0
        self._last = self._reserved

    def next(self, now: datetime) -> int:
        """A number above all before it; microseconds since 1970 unless the clock fell back."""
        self._last = max(self._last + 1, int(now.timestamp() * 1_000_000))
        if self._last >= self._reserved:
            self._reserved = self._last + COUNTER_AHEAD
            _write(self._path, str(self._reserved).encode(), 0o600)
        return self._last


class DecisionLog:
    """What was signed and refused, a line for each batch; each line holds the hash before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._previous = _last_hash(path)

    def add(self, entry: dict[str, object]) -> None:
        """Append a line; it is with the system when this returns. Raises OSError."""
        line, own = chained(self._previous, entry)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, line.encode() + b"\n")
            size = os.fstat(handle).st_size
        finally:
            os.close(handle)
        self._previous = own
        if size > LOG_BYTES:
            number = 1 + len(list(self._path.parent.glob(f"{self._path.name}.*")))
            self._path.rename(self._path.with_name(f"{self._path.name}.{number:06d}"))


def _files_of(path: Path) -> list[Path]:
    """The parts of a log in their order."""
    parts = sorted(path.parent.glob(f"{path.name}.*"))
    return [*parts, path] if path.exists() else parts


def _last_hash(path: Path) -> str:
    for part in reversed(_files_of(path)):
        with part.open("rb") as file:
            file.seek(max(0, part.stat().st_size - TAIL_BYTES))
            lines = file.read().splitlines()
        if lines:
            try:
                return str(json.loads(lines[-1])["hash"])
            except (ValueError, KeyError):
                return "damaged"  # the next line says so for ever: the check finds it there
    return ""


def check_log(path: Path) -> tuple[int, str | None]:
    """How many lines there are, and where the first one is that does not follow; None if none."""
    count, previous = 0, ""
    for part in _files_of(path):
        lines = part.read_text("utf-8", "replace").splitlines()
        place = first_broken(lines, previous)
        if place is not None:
            return count + place, f"{part}:{place + 1}"
        count += len(lines)
        previous = str(json.loads(lines[-1])["hash"]) if lines else previous
    return count, None

"""What people do with the keys that sign orders: make, show, certify, revoke, check the log."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from libs.contracts.trust import fingerprint
from libs.kit.clock import now
from services.embedded.options import StartRefused
from services.execution.settings import SignerSettings
from services.execution.signing.repository import TrustFolder, TrustMissing, check_log

T = TypeVar("T")


@dataclass(frozen=True)
class KeyState:
    """A certified key, and until when it counts."""

    kid: str
    purposes: tuple[str, ...]
    expires: datetime
    is_signing: bool


@dataclass(frozen=True)
class TrustState:
    """What agents of this installation are told to believe."""

    folder: Path
    root: str
    """The fingerprint of the root key."""
    has_root_key: bool
    """Whether the root key lies beside the others; better kept apart."""
    number: int
    revoked: tuple[str, ...]
    keys: tuple[KeyState, ...]


def folder_of(data_dir: Path) -> TrustFolder:
    """Where the keys of an installation lie."""
    return TrustFolder(SignerSettings().folder or data_dir.absolute() / "trust")


def init(data_dir: Path) -> TrustState:
    """Make root and signer key; what is there already stays. Raises StartRefused."""
    days = SignerSettings().certificate_days
    os.umask(0o077)
    try:
        folder_of(data_dir).create(now(), timedelta(days=days))
    except OSError as error:
        raise StartRefused(f"The keys cannot be made: {error}.") from None
    return show(data_dir)


def show(data_dir: Path) -> TrustState:
    """What is believed now. Raises StartRefused when there are no keys."""
    folder = folder_of(data_dir)

    def look() -> TrustState:
        said = folder.checked()
        try:
            signing = folder.signing_key(now()).kid
        except TrustMissing:
            signing = ""
        keys = [
            KeyState(one.kid, tuple(one.purposes), one.expires, one.kid == signing)
            for one in said.certificates
        ]
        return TrustState(
            folder.path,
            fingerprint(said.root),
            folder.root_key.exists(),
            said.revocation.number,
            tuple(said.revocation.kids),
            tuple(keys),
        )

    return _refusing(look)


def certify(data_dir: Path, *, days: int, is_new: bool, root_key: Path | None) -> str:
    """Certify the signer's key, or a new one, with the root key; returns its name."""
    folder, life = folder_of(data_dir), timedelta(days=days)
    return _refusing(lambda: folder.certify(now(), life, is_new=is_new, root=root_key))


def revoke(data_dir: Path, kid: str, *, root_key: Path | None) -> int:
    """Take a key away for good; returns the number of the new list."""
    folder = folder_of(data_dir)
    return _refusing(lambda: folder.revoke(kid, now(), root=root_key))


def check_decisions(data_dir: Path) -> tuple[int, str | None]:
    """How many decisions are logged, and where the chain is broken; None if it is whole."""
    return check_log(folder_of(data_dir).log)


def _refusing(do: Callable[[], T]) -> T:
    try:
        return do()
    except (TrustMissing, OSError) as error:
        raise StartRefused(str(error)) from None

"""Passwords that a directory knows: asked in threads of their own, within a bounded time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from libs.kit.logging import get_logger
from services.auth.directory.domain import DirectoryDown, DirectoryUnavailable, Entry, folded_dn
from services.auth.domain import username_key
from services.auth.identities.domain import Person, Rules
from services.auth.identities.service import Identities
from services.auth.settings import DirectorySettings

PROVIDER: Final = "directory"
CONVERSATIONS: Final = 4
"""At once; more logins wait for their turn."""
STEPS: Final = 4
ASKED_AT_ONCE: Final = 100

log = get_logger(__name__)


class AsksDirectory(Protocol):
    """The port: whoever can say who has a name and a password."""

    def prove(self, username: str, password: str) -> Entry | None:
        """Somebody, or nobody; raises DirectoryDown. Blocks."""

    def missing(self, subjects: Sequence[str]) -> set[str]:
        """Those who are gone or disabled there; raises DirectoryDown. Blocks."""


class Directory:
    """Use cases around the directory; `port` is None where there is none."""

    def __init__(self, port: AsksDirectory | None, settings: DirectorySettings) -> None:
        self._port = port
        self._seconds = settings.seconds * STEPS
        self._pool = ThreadPoolExecutor(CONVERSATIONS, thread_name_prefix="directory")
        self.rules = Rules(
            groups={folded_dn(dn): effects for dn, effects in settings.groups.items()},
            default_roles=settings.default_roles,
            provision=settings.provision,
        )

    @property
    def is_there(self) -> bool:
        """Whether there is a directory at all."""
        return self._port is not None

    async def prove(self, username: str, password: str) -> Person | None:
        """Who has this name and this password; None for nobody.

        Raises DirectoryUnavailable. A directory compares names in its own way; here only the
        name that it stores counts, so that a second spelling is nobody.
        """
        if self._port is None:
            return None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                entry = await loop.run_in_executor(self._pool, self._port.prove, username, password)
        except (DirectoryDown, TimeoutError) as error:
            raise DirectoryUnavailable from error
        if entry is None or username_key(entry.username) != username_key(username):
            return None
        return Person(
            provider=PROVIDER,
            origin="directory",
            subject=entry.subject,
            username=entry.username,
            label=entry.dn,
            display_name=entry.display_name,
            email=entry.email,
            groups=entry.groups,
        )

    async def missing(self, subjects: Sequence[str]) -> set[str]:
        """Those of these lasting ids whose people are gone or disabled there.

        Raises DirectoryUnavailable.
        """
        if self._port is None or not subjects:
            return set()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._port.missing, subjects)
        except DirectoryDown as error:
            raise DirectoryUnavailable from error


class DirectoryWatch:
    """Disables users who left the directory, so that what they left open ends as well."""

    def __init__(self, directory: Directory, identities: Identities) -> None:
        self._directory = directory
        self._identities = identities

    async def look(self) -> int:
        """Asks about everybody who came in through the directory; says how many were disabled.

        A directory in which nobody at all is found is taken for a mistake of the settings, and
        one that does not answer for no news.
        """
        known = await self._identities.active_at(PROVIDER)
        subjects = list(known)
        missing: set[str] = set()
        for start in range(0, len(subjects), ASKED_AT_ONCE):
            try:
                missing |= await self._directory.missing(subjects[start : start + ASKED_AT_ONCE])
            except DirectoryUnavailable:
                return 0
        if len(missing) == len(subjects) > 1:
            log.error("The directory knows nobody any more; nobody is disabled.", users=len(known))
            return 0
        gone = [known[subject] for subject in subjects if subject in missing]
        return sum([await self._identities.leave(PROVIDER, user_id) for user_id in gone])

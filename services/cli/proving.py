"""What the platform asks for in addition to a login: a fresh proof, or a number that is typed."""

import contextlib
import getpass
import sys
from collections.abc import Mapping
from typing import Final, Protocol

from services.cli import terminal
from services.cli.failure import CommandFailed

STEP_UP: Final = "step_up_required"
COUNT: Final = "count_unconfirmed"


class Proves(Protocol):
    """Where proofs are given."""

    def means(self) -> Mapping[str, object]:
        """What a proof of this login consists of."""

    def prove(self, password: str, code: str) -> None:
        """Gives it; raises CommandFailed."""

    def first_password(self) -> str | None:
        """That of a fresh platform of this machine, as long as it lies beside it."""


def proved(login: Proves) -> bool:
    """Proves who is there, asking on the terminal; False where nobody can be asked.

    A fresh platform of this machine is served with its first password, as at the login. Raises
    CommandFailed for a proof that is refused, and for people of an identity provider.
    """
    password = login.first_password()
    if password is not None:
        with contextlib.suppress(CommandFailed):
            login.prove(password, "")
            return True
    if not _is_somebody_there():
        return False
    means = login.means()
    if means.get("provider"):
        raise CommandFailed(
            "Your identity provider has to confirm that it is you: do this in the console.",
            code=STEP_UP,
            status=403,
        )
    terminal.note("This needs a proof that it is you.")
    password = getpass.getpass("Password: ")
    login.prove(password, _ask("Code of the authenticator: ") if means.get("code") else "")
    return True


def typed_count(count: object) -> int | None:
    """The number that somebody types who is told how many it concerns; None without anybody."""
    if not _is_somebody_there():
        return None
    typed = _ask(f"This concerns {count}. Type the number to go on: ")
    if typed != str(count):
        raise CommandFailed("Nothing was done.", code=COUNT, status=409)
    return int(typed)


def _is_somebody_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()

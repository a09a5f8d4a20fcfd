"""Decides whether a change could have been caused by another site."""

from collections.abc import Collection
from typing import Final

from gateway.api.callers import Caller
from gateway.api.errors import CsrfFailed
from gateway.api.heads import RequestHead

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
REQUESTED_WITH: Final = b"opsjob"
_OWN_SITE: Final = frozenset({b"same-origin", b"none"})


def check_cookie_change(head: RequestHead, caller: Caller, origins: Collection[str]) -> None:
    """A change by cookie needs our header and one proof of origin; CsrfFailed otherwise.

    A page of another site can send neither the header (without a preflight, which nobody answers)
    nor a fitting Origin or Sec-Fetch-Site.
    """
    if head.requested_with != REQUESTED_WITH:
        raise CsrfFailed(missing="x-requested-with")
    if head.origin is None and head.fetch_site is None:
        raise CsrfFailed(missing="origin")
    refuse_foreign_site(head, caller, origins)


def refuse_foreign_site(head: RequestHead, caller: Caller, origins: Collection[str]) -> None:
    """Refuses a request that says itself that another site made it; programs say nothing."""
    if head.fetch_site is not None and head.fetch_site not in _OWN_SITE:
        raise CsrfFailed(header="sec-fetch-site")
    if head.origin is None:
        return
    origin = head.origin.decode("latin-1")
    own = f"{caller.scheme}://{(head.host or b'').decode('latin-1').lower()}"
    if origin != own and origin not in origins:
        raise CsrfFailed(header="origin")

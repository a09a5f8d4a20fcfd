"""The one way out: HTTP to addresses that people or settings name, vetted and then pinned.

Every request resolves its host anew, checks every address that it got, and connects to one of
those, so that a name cannot point elsewhere between the check and the connection. There are no
redirects, no proxies of the environment, no compression, and caps on size and time (S43, S19).
"""

from libs.kit.outbound.client import Outbound, OutboundFailed, Resolver
from libs.kit.outbound.gate import Gate, UrlRefused

__all__ = ["Gate", "Outbound", "OutboundFailed", "Resolver", "UrlRefused"]

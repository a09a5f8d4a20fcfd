"""The one version number of the agent protocol; every change of a message raises it."""

PROTOCOL_VERSION = 4
OLDEST_VERSION = 1
"""The oldest agents that a gateway serves: they refuse orders that use what came later."""
SIGNED_SINCE = 3
"""Agents from this version on carry out nothing that is not signed."""
SUBPROTOCOL = "opsjob.agent.v1"

"""The one version number of the agent protocol; every change of a message raises it."""

PROTOCOL_VERSION = 2
OLDEST_VERSION = 1
"""The oldest agents that a gateway serves: they refuse orders that use what came later."""
SUBPROTOCOL = "opsjob.agent.v1"

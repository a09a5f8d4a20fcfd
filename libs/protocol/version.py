"""The one version number of the agent protocol; every change of a message raises it."""

PROTOCOL_VERSION = 5
OLDEST_VERSION = 1
"""The oldest agents that a gateway serves: they refuse orders that use what came later."""
SIGNED_SINCE = 3
"""Agents from this version on carry out nothing that is not signed."""
TEMPO_SINCE = 5
"""Agents from this version on let themselves be told another pause between heartbeats."""
SUBPROTOCOL = "opsjob.agent.v1"

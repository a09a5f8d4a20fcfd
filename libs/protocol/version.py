"""The one version number of the agent protocol; every change of a message raises it."""

PROTOCOL_VERSION = 1
SUBPROTOCOL = "opsjob.agent.v1"

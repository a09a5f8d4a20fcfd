"""The way to the gateways that hold the agents' connections."""

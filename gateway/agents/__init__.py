"""The agent gateway: holds the agents' WebSockets; a courier, not an authority."""

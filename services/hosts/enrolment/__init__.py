"""How a host gets its agent identity: one-time tokens and their use."""

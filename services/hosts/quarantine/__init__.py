"""Identities that two machines hold: shut out until somebody has looked."""

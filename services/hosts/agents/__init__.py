"""Agents: their identities, whether they are there, and what they report."""

"""Bringing accepted tasks to the agents, and taking them back."""

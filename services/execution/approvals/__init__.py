"""Asking auth for the consent that executions wait for, and what follows from the answer."""

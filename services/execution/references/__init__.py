"""Secrets that lie elsewhere: named at launch, fetched when a task is offered, never stored."""

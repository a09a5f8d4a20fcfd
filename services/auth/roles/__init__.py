"""Roles: built-in ones and named sets of permissions."""

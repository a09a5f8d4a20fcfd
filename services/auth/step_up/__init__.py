"""Proving again to be the person of a login, which delicate things ask for."""

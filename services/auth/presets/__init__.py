"""Presets: named sets of parts of grants, given to many at once."""

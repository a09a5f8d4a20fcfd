"""Grants: what a user or a group may do with single objects, and for how long."""

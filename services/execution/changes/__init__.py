"""Tells whoever watches an execution, in any process, that something of it has changed."""

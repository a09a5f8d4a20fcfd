"""Stored output: by line, by position, as a whole, and searched."""

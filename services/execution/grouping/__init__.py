"""Which hosts said the same, and what the others said instead."""

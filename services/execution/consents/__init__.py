"""The consent that an execution needs, bound to exactly what it would run and where."""

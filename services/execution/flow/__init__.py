"""The engine: which step and batch comes next, what is tried again, when an execution has ended."""

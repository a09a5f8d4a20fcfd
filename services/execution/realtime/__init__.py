"""Live streams of an execution: its output, its states, or both."""

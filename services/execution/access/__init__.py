"""Access: which executions somebody sees, acts on, and what somebody may run where."""

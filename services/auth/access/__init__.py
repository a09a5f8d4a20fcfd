"""Access: what somebody may do, who may do something, and why."""

"""The audit log: one chain of records of all services, its checkpoints, exports and retention."""

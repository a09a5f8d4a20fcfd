"""What people do to an execution after its start: hold, stop, go on, try again; and who did it."""

"""Output of an execution as a file of any size."""

"""The files that hold output, while they grow and after they are closed."""

"""Orders that agents carry out: checked once more against the rows, then signed."""

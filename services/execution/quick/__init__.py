"""Running a script at once on chosen hosts."""

"""What a step was given to run, and what came of it."""

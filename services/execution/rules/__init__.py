"""Rules about dangerous commands: a guard rail on what is about to run, not a boundary."""

"""What one task is given to run: texts with their values filled in, secrets sealed to its agent."""

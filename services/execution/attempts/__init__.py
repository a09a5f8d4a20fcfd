"""Every try of a task: how earlier ones ended, and how the next one begins."""

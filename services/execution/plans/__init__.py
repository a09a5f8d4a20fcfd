"""What is to be run: steps, hosts and strategy of an execution, checked and frozen at accept."""

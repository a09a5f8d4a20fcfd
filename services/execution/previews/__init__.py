"""What an execution would do, shown before anything is stored."""

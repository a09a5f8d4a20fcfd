"""What people do to single steps: skip, confirm, ignore errors, try hosts again."""

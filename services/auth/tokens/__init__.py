"""API tokens: credentials for programs, with fewer rights than their owner and an end."""

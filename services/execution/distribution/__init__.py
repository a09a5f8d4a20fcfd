"""Sending files to hosts and fetching files from hosts at once."""

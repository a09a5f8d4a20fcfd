"""What push and collect steps mean for each host: orders about files, tickets, progress."""

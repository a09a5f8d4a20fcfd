"""The durable record of what tasks print."""

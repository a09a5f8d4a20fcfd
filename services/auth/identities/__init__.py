"""People who are known elsewhere: how they become users here, and which groups count here."""

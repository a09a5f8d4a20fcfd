"""The published language between contexts: one file each for values, facts and the typed client."""

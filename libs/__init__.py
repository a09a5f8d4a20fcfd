"""The shared language and the engine room; README.md says what may live here."""

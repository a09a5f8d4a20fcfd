"""Variables: their types, how texts refer to them, and how secrets reach one agent only."""
